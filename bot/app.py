"""The sentence: event, nomination, evidence, assessment, report, publish."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

from bot import policy as rules
from bot.assessment import assess
from bot.broken_policies import find_doubts, is_told, wanted_roles
from bot.changes import Changes, gather_changes
from bot.command_text import parse_commands
from bot.commands import Context, Replay, Scope, replay, wants_push_time
from bot.errors import GitLabError
from bot.evidence import Evidence, Manager, Subject, evidence_key, find_subject, gather_evidence
from bot.facts import Fact, Members, Need, Push, PushOf, Source
from bot.findings import Case, current_maintainers
from bot.gate import GateChoice, GateKind, gate_needs, has_posted, plan_gate
from bot.merge_request import MergeRequest
from bot.nomination import Detection, RoleKey, Unread, find_nominations
from bot.plan import Plan, find_own_notes, plan_emoji, plan_note, plan_stale_emoji
from bot.policy import Policy
from bot.publish import HeadMovedError, Writer, apply_plan
from bot.report import Findings, Report, Words, render_report
from bot.spelling import may_mention
from bot.sweep import Look, SharedFacts, sweep
from bot.team_db import TEAM_FILES, is_team_file

# How often all is evaluated again because somebody pushed meanwhile.
ROUNDS = 3
# How far back the sweep looks for merge requests whose events were lost.
LATELY = timedelta(days=2)
# States of merge requests that the sweep looks at.
SWEPT = ("opened", "merged")
# More nominations than this in one merge request are not examined: one takes two requests
# or three, and a run may make 60.
MOST_NOMINATIONS = 20


class GitLab(Source, Writer, Protocol):
    """Everything the sentence asks of GitLab."""

    def fetch_merge_request(self, project: str, iid: int) -> MergeRequest:
        """Read a merge request with all its comments."""

    def now(self) -> datetime:
        """Tell the time by GitLab's clock."""

    def fetch_recent(self, project: str, since: datetime) -> list[tuple[int, tuple[str, ...]]]:
        """List opened merge requests that changed lately, with the paths they change."""

    def fetch_watched(self, project: str, state: str) -> list[int]:
        """List the merge requests that the sweep looks at."""

    def unwatch(self, merge_request: MergeRequest) -> None:
        """Let the sweep pass over a merge request from now on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What an evaluation follows: the operator's choices and the time."""

    policies: tuple[Policy, ...]
    words: Words
    gate: GateChoice
    command: str
    former_ids: frozenset[int]
    broken: tuple[rules.BrokenPolicy, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """What was found for one merge request, and the writes that make GitLab show it."""

    merge_request: MergeRequest
    findings: Findings
    report: Report | None
    plan: Plan
    now: datetime


def run(
    project: str, iid: int, choices: Choices, gitlab: GitLab, source: Source | None = None
) -> tuple[Evaluation, list[str]]:
    """Evaluate a merge request and publish; return what could not be written, too.

    Raises GitLabError when the head does not stand still.
    """
    for _ in range(ROUNDS):
        evaluation = evaluate(project, iid, choices, gitlab, source)
        try:
            return evaluation, publish(evaluation, choices, gitlab)
        except HeadMovedError:
            continue
    raise GitLabError(_unsteady(project, iid))


def _unsteady(project: str, iid: int) -> str:
    return (
        f"The head of {project}!{iid} moved {ROUNDS} times while it was evaluated; "
        "the event of the last push evaluates it again."
    )


def publish(evaluation: Evaluation, choices: Choices, gitlab: GitLab) -> list[str]:
    """Write the plan of an evaluation to GitLab; return what could not be written.

    Raises HeadMovedError when somebody pushed meanwhile.
    """

    def body_with(problem: str) -> str | None:
        return render_report(evaluation.findings, choices.words, evaluation.now, problem).body

    return apply_plan(evaluation.plan, evaluation.merge_request, gitlab, body_with)


def sweep_all(project: str, choices: Choices, gitlab: GitLab) -> list[Look]:
    """Look again at every nomination that is not over; what several share is read once."""
    shared = SharedFacts(gitlab, project)

    def look(iid: int) -> list[str]:
        evaluation, problems = run(project, iid, choices, gitlab, shared)
        if is_over(evaluation.findings) and not problems:
            gitlab.unwatch(evaluation.merge_request)
        return problems

    iids = [iid for state in SWEPT for iid in gitlab.fetch_watched(project, state)]
    # An event that was lost may be the one that opened a merge request: nothing marks that.
    lost: list[Look] = []
    try:
        recent = gitlab.fetch_recent(project, gitlab.now() - LATELY)
    except GitLabError as error:
        recent = []
        lost.append(Look(iid=None, problems=(f"what changed lately was not listed: {error}",)))
    iids += [iid for iid, paths in recent if any(_concerns_team(path, choices) for path in paths)]
    return sweep(dict.fromkeys(iids), look) + lost


def evaluate(
    project: str, iid: int, choices: Choices, gitlab: GitLab, source: Source | None = None
) -> Evaluation:
    """Evaluate a merge request; again when it changed while this was going on.

    Raises GitLabError when the head does not stand still.
    """
    for number in range(1, ROUNDS + 1):
        merge_request = gitlab.fetch_merge_request(project, iid)
        evaluation = _evaluate_once(
            merge_request, choices, source or gitlab, gitlab.now(), last=number == ROUNDS
        )
        if evaluation is not None:
            return evaluation
    raise GitLabError(_unsteady(project, iid))


def _evaluate_once(
    merge_request: MergeRequest, choices: Choices, gitlab: Source, now: datetime, *, last: bool
) -> Evaluation | None:
    """Evaluate once; None when the merge request changed meanwhile.

    What was read before a change and what was read after it may never have been true together.
    The last time this is unknown, but for a head that moved.
    """
    changes, detection = _detect(merge_request, choices, gitlab)
    subjects = _subjects(detection, changes, merge_request, choices)
    known: dict[Need, Fact] = dict(changes.facts)
    unknown = list(_unknowns(merge_request, detection))
    unknown += find_doubts(choices.broken, changes.items)
    evidence: Mapping[str, Evidence] = {}
    if subjects:
        evidence, standing = gather_evidence(subjects, merge_request, known, gitlab)
        if isinstance(standing, Unread):
            unknown.append("the merge request could not be read again at the end")
        elif standing and not merge_request.stands(standing):
            if not last or standing.head_sha != merge_request.head_sha:
                return None
            unknown.append("people changed the merge request, or commented, all the while")
    replayed = _replay(merge_request, subjects, evidence, known, choices)
    unknown += replayed.doubts
    findings = Findings(
        merge_request=merge_request,
        detection=detection,
        assessments=tuple(
            assess(
                _case(subject, evidence[evidence_key(subject)], merge_request, replayed, now),
                replayed,
                rules.newer_than(choices.policies, subject.policy),
            )
            for subject in subjects
        ),
        replay=replayed,
        unknown=tuple(unknown),
        gate_url=_own_url(merge_request, choices),
        gated=choices.gate.kind is not GateKind.NONE,
    )
    return _plan(findings, known, choices, now)


# --- nomination -------------------------------------------------------------------------


def _detect(
    merge_request: MergeRequest, choices: Choices, gitlab: Source
) -> tuple[Changes, Detection]:
    changed = (merge_request.changed_paths or ()) if merge_request.counts else ()
    paths = [path for path in changed if _concerns_team(path, choices)]
    wanted = {RoleKey(project=p.project, role=p.role) for p in choices.policies}
    wanted |= wanted_roles(choices.broken)
    vague = not all(map(is_told, choices.broken))

    def is_candidate(head: bytes) -> bool:
        return vague or any(may_mention(head, key.project) for key in wanted)

    spoken = _has_own(merge_request, choices) or _is_asked(merge_request, choices)
    ahead: tuple[Need, ...] = ()
    if paths or spoken:
        ahead = gate_needs(merge_request, choices.gate)
    if paths and wants_push_time(merge_request.notes, choices.command):
        ahead += (_push_of(merge_request),)
    if not paths and not ahead:
        return Changes(items=(), facts={}), _NOTHING
    changes = gather_changes(merge_request, paths, is_candidate, gitlab, ahead)
    found = [
        find_nominations(
            changes.items,
            {
                RoleKey(project=p.project, role=p.role)
                for p in choices.policies
                if p.team_files == glob
            },
            glob,
        )
        for glob in dict.fromkeys(policy.team_files for policy in choices.policies)
    ]
    return changes, Detection(
        nominations=tuple(n for d in found for n in d.nominations),
        remarks=tuple(dict.fromkeys(r for d in found for r in d.remarks)),
        unread=tuple(dict.fromkeys(u for d in found for u in d.unread)),
    )


_NOTHING = Detection(nominations=(), remarks=(), unread=())


def _concerns_team(path: str, choices: Choices) -> bool:
    """Tell whether a file is an entry, or one beside the entries that may be meant as one."""
    broken = [policy.team_files or TEAM_FILES for policy in choices.broken]
    if any(rules.is_team_file(policy, path) for policy in choices.policies):
        return True
    if any(is_team_file(path, glob) for glob in broken):
        return True
    globs = [*(policy.team_files for policy in choices.policies), *broken]
    folders = [glob.split("*")[0] for glob in globs]
    beside = any(path.startswith(folder) for folder in folders)
    # The list of people that the entries are made into; some edit it by mistake.
    made = any(path == f"{folder.split('/')[0]}/team.yml" for folder in folders)
    return (beside and path.endswith((".yml", ".yaml"))) or made


def _unknowns(merge_request: MergeRequest, detection: Detection) -> list[str]:
    unknown = []
    if merge_request.changed_paths is None:
        unknown.append("GitLab did not list all changed files of this merge request")
    if len(detection.nominations) > MOST_NOMINATIONS:
        unknown.append(
            f"only the first {MOST_NOMINATIONS} of {len(detection.nominations)} nominations were "
            "examined; put the others into merge requests of their own"
        )
    return unknown


# --- evidence and assessment ------------------------------------------------------------


def _subjects(
    detection: Detection, changes: Changes, merge_request: MergeRequest, choices: Choices
) -> list[Subject]:
    by_base = {change.base_path: change for change in changes.items}
    by_path = {change.path: change for change in changes.items}
    opened = merge_request.created_at.astimezone(UTC).date()
    subjects = []
    for nomination in detection.nominations[:MOST_NOMINATIONS]:
        policy = rules.policy_in_force(
            choices.policies, nomination.project, nomination.role, opened
        )
        # A new entry may have come to the target meanwhile, which then names the manager.
        before = nomination.base_path
        change = by_base.get(before) if before else by_path.get(nomination.path)
        subjects.append(find_subject(nomination, policy, change, merge_request))
    return subjects


def _replay(
    merge_request: MergeRequest,
    subjects: Sequence[Subject],
    evidence: Mapping[str, Evidence],
    known: Mapping[Need, Fact],
    choices: Choices,
) -> Replay:
    context = Context(
        nominations=tuple(_scope(s, evidence[evidence_key(s)]) for s in subjects),
        nominator=merge_request.author.username if merge_request.author else None,
        me=merge_request.me.username,
        pushed_at=_pushed_at(merge_request, known),
        merged_at=merge_request.merged_at,
    )
    return replay(merge_request.notes, context, choices.command)


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
        manager=manager.username if isinstance(manager, Manager) else None,
        manager_known=isinstance(manager, Manager),
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
        evidence=evidence,
        attested=replayed.attested.get(subject.nomination.username.casefold(), frozenset()),
        now=now,
        account_doubt=subject.doubt,
    )


# --- report and plan --------------------------------------------------------------------


def _plan(
    findings: Findings, known: Mapping[Need, Fact], choices: Choices, now: datetime
) -> Evaluation:
    merge_request = findings.merge_request
    own = find_own_notes(merge_request, choices.former_ids)
    spoken = bool(own) or _has_something_to_say(findings, choices)
    posted = has_posted(merge_request, known, choices.gate)
    if not (spoken or posted or choices.gate.kind is GateKind.STATUS_CHECK):
        return Evaluation(
            merge_request=merge_request, findings=findings, report=None, plan=Plan(), now=now
        )
    report = render_report(findings, choices.words, now)
    gate, problem = plan_gate(findings, report.gate, known, choices.gate)
    if problem:
        report = render_report(findings, choices.words, now, problem)
    body, note_id = plan_note(report, own) if spoken else (None, None)
    me = merge_request.me.id
    return Evaluation(
        merge_request=merge_request,
        findings=findings,
        report=report if spoken else None,
        plan=Plan(
            gate=gate,
            gate_problem=problem,
            body=body,
            note_id=note_id,
            stored=own[0].body if own else "",
            extra_notes=tuple(n.id for n in own[1:] if n.author and n.author.id == me),
            emoji=plan_emoji(report, merge_request.notes),
            stale_emoji=plan_stale_emoji(report, merge_request.notes),
            watch=_deserves_watch(findings),
        ),
        now=now,
    )


def _has_something_to_say(findings: Findings, choices: Choices) -> bool:
    """Tell whether a merge request without the bot's comment deserves one."""
    asked = _is_asked(findings.merge_request, choices)
    near_miss = any(remark.near_miss for remark in findings.detection.remarks)
    unread = bool(findings.detection.unread or findings.unknown)
    if findings.merge_request.state not in {"opened", "locked"} and not asked:
        # Nobody is told about merge requests that were over before the bot came.
        return bool(findings.assessments) and findings.merge_request.state == "merged"
    return bool(findings.assessments) or near_miss or unread or asked


def _is_asked(merge_request: MergeRequest, choices: Choices) -> bool:
    """Tell whether any comment holds a command."""
    return any(
        parse_commands(note.body, choices.command)
        for note in merge_request.notes
        # An answer to an internal note would tell everybody of it; bots get none.
        if not (note.system or note.internal or (note.author and note.author.bot))
    )


def _deserves_watch(findings: Findings) -> bool:
    """Tell whether the sweep must be able to find this merge request from now on."""
    merge_request = findings.merge_request
    if merge_request.watched or merge_request.state == "closed":
        return False
    return bool(findings.assessments) and not is_over(findings)


def is_over(findings: Findings) -> bool:
    """Tell whether nothing is left that the sweep could find changed."""
    if findings.merge_request.state == "merged":
        return all(assessment.done for assessment in findings.assessments)
    return findings.view == "nobody"


def _has_own(merge_request: MergeRequest, choices: Choices) -> bool:
    if choices.gate.kind is GateKind.STATUS_CHECK:
        return True
    return bool(find_own_notes(merge_request, choices.former_ids))


def _own_url(merge_request: MergeRequest, choices: Choices) -> str | None:
    own = find_own_notes(merge_request, choices.former_ids)
    return own[0].url if own else None
