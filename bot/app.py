"""The sentence: event, nomination, evidence, assessment, report, publish."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial

from bot import nomination as say
from bot import policy as rules
from bot.aftermath import Aftermath, keep_open, look_back, needs_ahead
from bot.assessment import (
    Assessment,
    Case,
    as_of,
    assess,
    current_maintainers,
    inactive_maintainers,
)
from bot.commands import Context, Replay, Scope, is_asked, replay, wants_push_time
from bot.evidence import (
    NOT_LOOKED_UP,
    Changes,
    Earlier,
    Evidence,
    Fact,
    Further,
    Manager,
    Members,
    MembersOf,
    Need,
    Push,
    PushOf,
    Source,
    Subject,
    Timing,
    bound_changes,
    branch_needs,
    entry_needs,
    evidence_key,
    find_ci_doubts,
    find_doubts,
    find_globs,
    find_subject,
    gather_changes,
    gather_earlier,
    gather_evidence,
    is_timed,
    is_told,
    siblings_of,
    step_files,
    timing_needs,
    trace_timing,
    wanted_roles,
)
from bot.merge_request import MergeRequest
from bot.nomination import Detection, Nomination, Remark, find_nominations
from bot.policy import Policy
from bot.publish import (
    GateChoice,
    GateKind,
    Plan,
    find_own_notes,
    gate_needs,
    is_judged,
    plan_writes,
)
from bot.report import Findings, Report, Words, render_report
from bot.team import concerns_entries, is_entry, may_mention
from bot.unread import Unread

# So many needs that the policies alone tell are read ahead.
MOST_AHEAD = 4
# More nominations than this in one merge request are not examined: one takes two requests
# or three, and a run may make 60.
MOST_NOMINATIONS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What an evaluation follows: the operator's choices and the time."""

    policies: tuple[Policy, ...]
    words: Words
    gate: GateChoice
    command: str
    former_ids: frozenset[int]
    broken: tuple[rules.BrokenPolicy, ...] = ()

    @property
    def globs(self) -> frozenset[str]:
        """Return where entries are."""
        return find_globs(self.policies, self.broken)


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What a look at one merge request, or at the list of them, came to.

    `notices` tell what is no fault of the look, such as a gate that cannot be set there.
    """

    iid: int | None
    problems: tuple[str, ...]
    notices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """What was found for one merge request, and the writes that make GitLab show it.

    `again` tells of the open merge requests that were looked at again because this one was merged.
    """

    merge_request: MergeRequest
    findings: Findings
    report: Report | None
    plan: Plan
    now: datetime
    again: tuple[Look, ...] = ()


def evaluate_once(
    merge_request: MergeRequest, choices: Choices, gitlab: Source, now: datetime, *, last: bool
) -> Evaluation | None:
    """Evaluate once; None when the merge request changed meanwhile.

    What was read before a change and what was read after it may never have been true together.
    The last time this is unknown, but for a head that moved.
    """
    own = find_own_notes(merge_request, choices.former_ids)
    changes, detection = _detect(merge_request, choices, gitlab, now)
    proposal = _Proposal(merge_request=merge_request, changes=changes, detection=detection)
    timings = _timings(proposal, choices, gitlab, now)
    found, doubts = _subjects(proposal, choices, timings, now)
    known: dict[Need, Fact] = dict(changes.facts)
    look = _look(merge_request, found, known, gitlab, choices)
    subjects = look.subjects
    doubts += [
        *_ci_doubts(merge_request, detection, choices, gitlab),
        *find_doubts(choices.broken, changes.items),
    ]
    unknown = [*_unknowns(merge_request, detection), *doubts]
    evidence: Mapping[str, Evidence] = {}
    earlier = Earlier()
    if subjects:
        earlier = gather_earlier(merge_request, known, gitlab)
        unknown += earlier.unknown
        evidence, standing = gather_evidence(
            subjects, merge_request, known, gitlab, judged=look.judged
        )
        if isinstance(standing, Unread):
            unknown.append("the merge request could not be read again at the end")
        elif standing and not merge_request.stands(standing):
            if not last or standing.head_sha != merge_request.head_sha:
                return None
            unknown.append("people changed the merge request, or commented, all the while")
    context = _context(merge_request, subjects, evidence, known)
    replayed = replay(merge_request.notes, context, choices.command, earlier.notes)
    unknown += replayed.doubts
    findings = Findings(
        merge_request=merge_request,
        detection=detection,
        assessments=tuple(
            _assess(
                replace(
                    _case(subject, evidence[evidence_key(subject)], merge_request, replayed, now),
                    timing=timings.get(subject.nomination, NOT_LOOKED_UP),
                ),
                replayed,
                choices,
                look,
            )
            for subject in subjects
        ),
        replay=replayed,
        unknown=tuple(unknown),
        gate_url=next((note.url for note in own), None),
        gated=choices.gate.kind is not GateKind.NONE,
        asked=is_asked(merge_request.notes, choices.command),
    )
    render = partial(render_report, findings, choices.words, now)
    report, plan = plan_writes(findings, known, render, choices.gate, choices.former_ids)
    return Evaluation(
        merge_request=merge_request, findings=findings, report=report, plan=plan, now=now
    )


def _look(
    merge_request: MergeRequest,
    subjects: Sequence[Subject],
    known: Mapping[Need, Fact],
    gitlab: Source,
    choices: Choices,
) -> Aftermath:
    look = Aftermath(subjects=subjects)
    if merge_request.state != "merged":
        return look
    how = (choices.gate, choices.former_ids, choices.command)
    return look_back(look, merge_request, known, gitlab, how)


def _assess(case: Case, replayed: Replay, choices: Choices, look: Aftermath) -> Assessment:
    assessment = assess(case, replayed, rules.newer_than(choices.policies, case.policy))
    if case.merge_request.state != "merged":
        return assessment
    return keep_open(assessment, replayed, look)


# --- nomination -------------------------------------------------------------------------


def _detect(
    merge_request: MergeRequest, choices: Choices, gitlab: Source, now: datetime
) -> tuple[Changes, Detection]:
    changed = (merge_request.changed_paths or ()) if is_judged(merge_request, choices.gate) else ()
    paths = [path for path in changed if concerns_entries(path, choices.globs)]
    wanted = {*rules.wanted_roles(choices.policies), *wanted_roles(choices.broken)}
    vague = not all(map(is_told, choices.broken))

    def is_candidate(head: bytes) -> bool:
        return vague or any(may_mention(head, name) for key in wanted for name in key.names)

    ahead = _needs_ahead(merge_request, paths, choices, now)
    if merge_request.without_base and is_judged(merge_request, choices.gate):
        return Changes(items=(), facts=gitlab.fetch_facts(set(ahead)) if ahead else {}), _NO_BASE
    if not paths and not ahead:
        return Changes(items=(), facts={}), _NOTHING
    further = Further(ahead=ahead, then=step_files(choices.policies))
    gathered = gather_changes(merge_request, paths, is_candidate, gitlab, further)
    changes = bound_changes(gathered, lambda path: is_entry(path, choices.globs))
    found = [
        find_nominations(
            changes.items,
            rules.wanted_roles(p for p in choices.policies if p.team_files == glob),
            glob,
        )
        for glob in dict.fromkeys(policy.team_files for policy in choices.policies)
    ]
    return changes, Detection(
        nominations=tuple(n for d in found for n in d.nominations),
        remarks=tuple(dict.fromkeys(r for d in found for r in d.remarks)),
        unread=tuple(dict.fromkeys(u for d in found for u in d.unread)),
        at_stake=any(d.at_stake for d in found),
    )


def _needs_ahead(
    merge_request: MergeRequest, paths: Sequence[str], choices: Choices, now: datetime
) -> tuple[Need, ...]:
    """Return what is asked for with the entries, while it is not known who is nominated."""
    own = find_own_notes(merge_request, choices.former_ids)
    spoken = bool(own) or is_asked(merge_request.notes, choices.command)
    spoken = spoken or choices.gate.kind is GateKind.STATUS_CHECK
    ahead: tuple[Need, ...] = ()
    if paths or spoken or merge_request.changed_paths is None:
        ahead = gate_needs(merge_request, choices.gate)
    if not paths:
        return ahead
    ahead += (siblings_of(merge_request), *_ahead_of_subjects(choices))
    if merge_request.state == "merged":
        ahead += tuple(needs_ahead(merge_request, choices.policies, choices.gate))
    if wants_push_time(merge_request.notes, choices.command):
        ahead += (_push_of(merge_request),)
    if _timed(choices, merge_request, now):
        ahead += timing_needs(merge_request)
    return ahead


def _ahead_of_subjects(choices: Choices) -> tuple[Need, ...]:
    """Return what any nomination takes, which is asked for while it is not known who is one."""
    needs: list[Need] = [MembersOf(policy.maintainers.group) for policy in choices.policies]
    needs += sorted(branch_needs(choices.policies), key=repr)
    return tuple(dict.fromkeys(needs))[:MOST_AHEAD]


_NOTHING = Detection(nominations=(), remarks=(), unread=())
_NO_BASE = replace(
    _NOTHING,
    unread=(Remark(path="", message=say.no_merge_base(), near_miss=False, is_authors=True),),
)


def _ci_doubts(
    merge_request: MergeRequest, detection: Detection, choices: Choices, gitlab: Source
) -> Sequence[str]:
    if merge_request.state != "opened" or not (detection.nominations or detection.unread):
        return ()
    return find_ci_doubts(merge_request, _beside_entries(merge_request, choices), gitlab)


def _beside_entries(merge_request: MergeRequest, choices: Choices) -> list[str]:
    """Return the changed files that are nobody's entry."""
    changed = merge_request.changed_paths or ()
    return [path for path in changed if not concerns_entries(path, choices.globs)]


def _unknowns(merge_request: MergeRequest, detection: Detection) -> list[str]:
    unknown = []
    if merge_request.changed_paths is None and not merge_request.without_base:
        unknown.append("GitLab did not list all changed files of this merge request")
    if len(detection.nominations) > MOST_NOMINATIONS:
        unknown.append(
            f"only the first {MOST_NOMINATIONS} of {len(detection.nominations)} nominations were "
            "examined; put the others into merge requests of their own"
        )
    return unknown


# --- evidence and assessment ------------------------------------------------------------


_WHICH_VERSION = (
    "since when the nomination is in this merge request could not be read, and so not by which "
    "version of the policy it is judged"
)
Timings = Mapping[Nomination, Timing | Unread]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Proposal:
    """A merge request, what it changes, and who is nominated by that."""

    merge_request: MergeRequest
    changes: Changes
    detection: Detection

    @property
    def nominations(self) -> tuple[Nomination, ...]:
        """Return the nominations that are examined; one into another branch gives no role."""
        counts = self.merge_request.counts
        return self.detection.nominations[:MOST_NOMINATIONS] if counts else ()


def _timings(proposal: _Proposal, choices: Choices, gitlab: Source, now: datetime) -> Timings:
    """Find out since when each nomination stands in the merge request, where that matters."""
    merge_request = proposal.merge_request
    nominations = [
        nomination
        for nomination in proposal.nominations
        if any(
            (p.project, p.role) == (nomination.project, nomination.role)
            for p in _timed(choices, merge_request, now)
        )
    ]
    if not nominations:
        return {}
    facts: dict[Need, Fact] = dict(proposal.changes.facts)
    entries = {need for each in nominations for need in entry_needs(each, merge_request, facts)}
    missing = entries - facts.keys()
    if missing:
        facts.update(gitlab.fetch_facts(missing))
    return {each: trace_timing(each, merge_request, facts) for each in nominations}


def _timed(choices: Choices, merge_request: MergeRequest, now: datetime) -> list[Policy]:
    """Return the policies that need to know since when a nomination stands.

    Where one version was in force all the while, it does not matter which day counts.
    """
    first, last = merge_request.created_at, merge_request.merged_at or now
    return [
        p
        for p in choices.policies
        if is_timed(p)
        or _in_force(choices, p.project, p.role, first)
        != _in_force(choices, p.project, p.role, last)
    ]


def _in_force(choices: Choices, project: str, role: str, at: datetime) -> Policy:
    return rules.policy_in_force(choices.policies, project, role, at.astimezone(UTC).date())


def _subjects(
    proposal: _Proposal, choices: Choices, timings: Timings, now: datetime
) -> tuple[list[Subject], list[str]]:
    """Pair nominations with their policies; return what is not known of that, too."""
    merge_request, items = proposal.merge_request, proposal.changes.items
    by_base = {change.base_path: change for change in items}
    by_path = {change.path: change for change in items}
    subjects: list[Subject] = []
    doubts: dict[str, None] = {}
    for nomination in proposal.nominations:
        timing = timings.get(nomination)
        since = timing.nominated if isinstance(timing, Timing) else merge_request.created_at
        policy = _in_force(choices, nomination.project, nomination.role, since)
        last = merge_request.merged_at or now
        present = _in_force(choices, nomination.project, nomination.role, last)
        if isinstance(timing, Unread) and policy != present:
            doubts[f"{_WHICH_VERSION}: {timing.reason}"] = None
        # A new entry may have come to the target meanwhile, which then names the manager.
        before = nomination.base_path
        change = by_base.get(before) if before else by_path.get(nomination.path)
        subjects.append(find_subject(nomination, policy, change, merge_request))
    return subjects, list(doubts)


def _context(
    merge_request: MergeRequest,
    subjects: Sequence[Subject],
    evidence: Mapping[str, Evidence],
    known: Mapping[Need, Fact],
) -> Context:
    return Context(
        nominations=tuple(_scope(s, evidence[evidence_key(s)]) for s in subjects),
        nominator=merge_request.author.username if merge_request.author else None,
        me=merge_request.me.username,
        pushed_at=_pushed_at(merge_request, known),
        merged_at=merge_request.merged_at,
    )


def _push_of(merge_request: MergeRequest) -> PushOf:
    return PushOf(merge_request.project_id, merge_request.iid)


def _pushed_at(merge_request: MergeRequest, known: Mapping[Need, Fact]) -> datetime | None:
    """Return when the changes were pushed; as late as can be where that could not be read."""
    need = _push_of(merge_request)
    if need not in known:
        return None
    push = known[need]
    return push.at if isinstance(push, Push) else datetime.max.replace(tzinfo=UTC)


def _scope(subject: Subject, evidence: Evidence) -> Scope:
    policy = subject.policy
    members = evidence.groups.get(policy.maintainers.group)
    known = current_maintainers(policy, members) if isinstance(members, Members) else None
    manager = evidence.manager
    return Scope(
        username=subject.nomination.username,
        policy_id=policy.id,
        requirement_ids=tuple(requirement.id for requirement in policy.requirements),
        topic_ids=tuple(
            topic.id
            for requirement in policy.requirements
            if isinstance(requirement.rule, rules.Attested)
            for topic in requirement.rule.topics
        ),
        maintainers=None if known is None else frozenset(m.casefold() for m in known),
        inactive=inactive_maintainers(policy, members)
        if isinstance(members, Members)
        else frozenset(),
        manager=manager.username if isinstance(manager, Manager) else None,
        manager_known=isinstance(manager, Manager),
        former_name=subject.former_name,
    )


def _case(
    subject: Subject,
    evidence: Evidence,
    merge_request: MergeRequest,
    replayed: Replay,
    now: datetime,
) -> Case:
    return Case(
        nomination=subject.nomination,
        policy=subject.policy,
        merge_request=merge_request,
        evidence=as_of(evidence, merge_request.merged_at),
        attested=replayed.attested.get(subject.nomination.username.casefold(), frozenset()),
        # What was open is told as of the merge.
        now=merge_request.merged_at or now,
        account_doubt=subject.doubt,
        present=subject.present,
        former_name=subject.former_name,
    )


# --- report and plan --------------------------------------------------------------------
