"""The sentence: event, nomination, evidence, assessment, report, publish."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import islice
from typing import Protocol

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
from bot.commands import NOTHING, Context, Replay, Scope, read_comments, replay, wants_push_time
from bot.errors import GitLabError
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
    SLOW,
    GateChoice,
    GateKind,
    HeadMovedError,
    Plan,
    Writer,
    apply_plan,
    find_own_notes,
    gate_needs,
    has_posted,
    is_gate_unread,
    plan_emoji,
    plan_gate,
    plan_note,
    plan_stale_emoji,
    shut_gate,
)
from bot.report import Findings, GateState, Report, Words, render_report
from bot.sweep import Look, SharedFacts, sweep
from bot.team import TEAM_FILES, is_team_file, lies_among_entries, may_mention
from bot.unread import Unread

# How often all is evaluated again because somebody pushed meanwhile.
ROUNDS = 3
# Seconds between reading and writing after which another run may have read and written more.
LATE = 5.0
# Seconds between looks for a pipeline, as long as a change is so new that one may be to come.
PIPELINE_WAITS = (1.0, 2.0, 4.0)
PIPELINE_COMES = timedelta(minutes=1)
# How far back the sweep looks for merge requests whose events were lost.
LATELY = timedelta(days=2)
# How long ago a merged merge request may have changed that a former account of the bot marked.
FORMERLY = timedelta(days=90)
# At how many merge requests a run looks at most that was started by a broken event, and among
# how many that changed last it looks for them.
MOST_LOOKS, NEWEST = 10, 50
EVER = datetime(2000, 1, 1, tzinfo=UTC)  # before there was any GitLab
# For how long after a merge every run looks at the open merge requests of the same entries.
JUST_NOW = timedelta(hours=1)
# How far back those are looked for, among how many, and how many are looked at: the sweep sees
# to the others.
LONG_AGO = timedelta(days=90)
MOST_LISTED, MOST_AGAIN = 200, 8
# States of merge requests that the sweep looks at.
SWEPT = ("opened", "merged")
# So many needs that the policies alone tell are read ahead.
MOST_AHEAD = 4
# More nominations than this in one merge request are not examined: one takes two requests
# or three, and a run may make 60.
MOST_NOMINATIONS = 20


# A merge request's number with the paths it changes, `None` where not all are known.
Recent = tuple[int, tuple[str, ...] | None]


class GitLab(Source, Writer, Protocol):
    """Everything the sentence asks of GitLab."""

    def fetch_merge_request(self, project: str, iid: int) -> MergeRequest:
        """Read a merge request with all its comments."""

    def now(self) -> datetime:
        """Tell the time by GitLab's clock."""

    def fetch_recent(self, project: str, since: datetime) -> Iterator[Recent]:
        """Yield opened merge requests that changed lately, with the paths they change."""

    def fetch_watched(self, project: str, state: str) -> list[int]:
        """List the merge requests that the sweep looks at."""

    def fetch_marked(self, project: str, since: datetime, accounts: Collection[int]) -> list[int]:
        """List merged merge requests that changed since a time, with an account's mark."""

    def take_share(self, left: int) -> None:
        """Give the next of so many merge requests its share of the time and the requests."""

    def unwatch(self, merge_request: MergeRequest) -> None:
        """Let the sweep pass over a merge request from now on."""

    @property
    def elapsed(self) -> float:
        """Count the seconds since the run began."""

    def wait(self, seconds: float) -> bool:
        """Wait, unless that would outlast the deadline; tell whether it did wait."""

    def known_head(self) -> MergeRequest | None:
        """Return the merge request as far as it was read, once its head is known."""

    def fetch_gate(self, need: Need) -> Fact:
        """Read the present gate, whatever else is under way."""

    def owe(self, act: Callable[[bool], None] | None) -> None:
        """Remember what is to be written if the process ends before all is; forget the head."""

    def pay(self) -> None:
        """Write what is still owed."""

    def after(self, seconds: float, act: Callable[[], bool]) -> Callable[[], None]:
        """Act after some seconds, and again until that says it is done; return what prevents it."""


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
    """What was found for one merge request, and the writes that make GitLab show it.

    `again` tells of the open merge requests that were looked at again because this one was merged.
    """

    merge_request: MergeRequest
    findings: Findings
    report: Report | None
    plan: Plan
    now: datetime
    again: tuple[Look, ...] = ()


def run(
    project: str, iid: int, choices: Choices, gitlab: GitLab, source: Source | None = None
) -> tuple[Evaluation, list[str]]:
    """Evaluate a merge request and publish; return what could not be written, too.

    Right after its merge, open merge requests that touch the same entries are looked at again:
    what a merge makes of them has changed. A sweep, which has its own `source`, sees them anyway.
    Raises GitLabError when the head does not stand still.
    """
    evaluation, problems = _run_alone(project, iid, choices, gitlab, source)
    if source is None and _has_just_merged(evaluation):
        again = tuple(_look_again(evaluation, choices, gitlab))
        evaluation = replace(evaluation, again=again)
    return evaluation, problems


def _run_alone(
    project: str, iid: int, choices: Choices, gitlab: GitLab, source: Source | None
) -> tuple[Evaluation, list[str]]:
    def concerns(merge_request: MergeRequest) -> bool:
        return _concerns_gate(merge_request, choices)

    def shut(hurried: bool) -> None:
        shut_gate(gitlab, choices.gate, concerns, finally_=True, hurried=hurried)

    gitlab.owe(shut)
    try:
        return _run_rounds(project, iid, choices, gitlab, source)
    except Exception:
        # Whoever knows the head leaves a gate behind: a success of old says nothing about now.
        gitlab.pay()
        raise
    finally:
        gitlab.owe(None)


def _run_rounds(
    project: str, iid: int, choices: Choices, gitlab: GitLab, source: Source | None
) -> tuple[Evaluation, list[str]]:
    for number in range(1, ROUNDS + 1):
        evaluation = _evaluate_in_time(project, iid, choices, gitlab, source)
        known = gitlab.elapsed
        try:
            problems = publish(evaluation, choices, gitlab)
        except HeadMovedError:
            continue
        # What waited so long to be written may have overtaken what another run wrote meanwhile.
        if number == ROUNDS or gitlab.elapsed - known < LATE:
            return evaluation, problems
    raise GitLabError(_unsteady(project, iid))


def _has_just_merged(evaluation: Evaluation) -> bool:
    merged_at = evaluation.merge_request.merged_at
    return (
        merged_at is not None
        and evaluation.merge_request.counts
        and evaluation.now - merged_at < JUST_NOW
    )


def _look_again(evaluation: Evaluation, choices: Choices, gitlab: GitLab) -> list[Look]:
    """Look at the open merge requests that touch the entries of one that was merged."""
    merged = evaluation.merge_request
    paths = {p for p in merged.changed_paths or () if _concerns_team(p, choices)}
    if not paths:
        return []
    shared = SharedFacts(gitlab, merged.project)

    def look(iid: int) -> Look:
        return _tell(iid, *_run_alone(merged.project, iid, choices, gitlab, shared))

    try:
        found = gitlab.fetch_recent(merged.project, evaluation.now - LONG_AGO)
        recent = list(islice(found, MOST_LISTED))
        is_cut = len(recent) >= MOST_LISTED
        watched = gitlab.fetch_watched(merged.project, "opened") if is_cut else []
    except GitLabError as error:
        problem = f"the merge requests that touch the same entries were not listed: {error}"
        return [Look(iid=None, problems=(problem,))]
    known = {iid for iid, _ in recent}
    touching = [iid for iid, touched in recent if touched is None or paths & set(touched)]
    # Which files older ones touch is not known; those that matter are marked.
    iids = [*touching, *(iid for iid in watched if iid not in known)]
    others = [iid for iid in iids if iid != merged.iid]
    return sweep(others[:MOST_AGAIN], look, gitlab.take_share)


def _evaluate_in_time(
    project: str, iid: int, choices: Choices, gitlab: GitLab, source: Source | None
) -> Evaluation:
    """Evaluate; when that takes long, say on a head without a verdict that one is to come."""

    def concerns(merge_request: MergeRequest) -> bool:
        return _concerns_gate(merge_request, choices)

    stop = gitlab.after(SLOW, lambda: shut_gate(gitlab, choices.gate, concerns, finally_=False))
    try:
        return evaluate(project, iid, choices, gitlab, source)
    finally:
        # One that is being written must not overtake the verdict.
        stop()


def _concerns_gate(merge_request: MergeRequest, choices: Choices) -> bool:
    """Tell whether a merge request may have a gate of ours: one that changes entries has."""
    if choices.gate.kind is GateKind.STATUS_CHECK or merge_request.changed_paths is None:
        return True
    return any(_concerns_team(path, choices) for path in merge_request.changed_paths)


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

    plan = evaluation.plan
    problems = apply_plan(plan, evaluation.merge_request, gitlab, body_with)
    if not plan.gate_unread:
        return problems
    gate = evaluation.report.gate if evaluation.report else None
    if gate and gate.state is not GateState.PASSED:
        gitlab.pay()  # which looks once more, lest an answer of old stays
    return [*problems, f"gate: {plan.gate_problem}"]


def look_at(
    project: str,
    iids: Collection[int],
    choices: Choices,
    gitlab: GitLab,
    source: Source | None = None,
) -> list[Look]:
    """Look at merge requests one by one; what becomes of one never stops the others."""

    def look(iid: int) -> Look:
        return _tell(iid, *run(project, iid, choices, gitlab, source))

    return sweep(iids, look, gitlab.take_share)


def _tell(iid: int, evaluation: Evaluation, problems: Sequence[str]) -> Look:
    plan = evaluation.plan
    told = bool(plan.gate_problem) and not plan.gate_unread
    notices = (f"gate: {plan.gate_problem}",) if told else ()
    return Look(iid=iid, problems=tuple(problems), notices=notices)


def look_lately(project: str, choices: Choices, gitlab: GitLab) -> list[Look]:
    """Look at the merge requests that changed last, as nobody knows which one an event is about.

    Those that are over are left to the sweep.
    """
    newest = islice(gitlab.fetch_recent(project, EVER), NEWEST)
    iids = [iid for iid, paths in newest if _may_concern_team(paths, choices)]
    return look_at(project, iids[:MOST_LOOKS], choices, gitlab, SharedFacts(gitlab, project))


def sweep_all(project: str, choices: Choices, gitlab: GitLab) -> list[Look]:
    """Look again at every nomination that is not over; what several share is read once."""
    shared = SharedFacts(gitlab, project)

    def look(iid: int) -> Look:
        evaluation, problems = run(project, iid, choices, gitlab, shared)
        if is_over(evaluation.findings) and not problems:
            gitlab.unwatch(evaluation.merge_request)
        return _tell(iid, evaluation, problems)

    iids, lost = _list_swept(project, choices, gitlab)
    return sweep(iids, look, gitlab.take_share) + lost


def _list_swept(
    project: str, choices: Choices, gitlab: GitLab
) -> tuple[Collection[int], list[Look]]:
    """List what the sweep looks at; what could not be listed does not stop the rest."""
    iids: dict[int, None] = {}
    lost: list[Look] = []
    for what, search in _searches(project, choices, gitlab):
        try:
            for iid in search():  # keeps what came before an error
                iids[iid] = None
        except GitLabError as error:
            lost.append(Look(iid=None, problems=(f"{what} was not all listed: {error}",)))
    return iids, lost


def _searches(
    project: str, choices: Choices, gitlab: GitLab
) -> list[tuple[str, Callable[[], Iterable[int]]]]:
    """Say how merge requests are found that the present account did not mark."""
    former = choices.former_ids

    def find_opened() -> Iterator[int]:
        # An event that was lost may be the one that opened a merge request: nothing marks that.
        # GitLab finds marks of the present account alone, so those of a former one are found
        # by what they change, however old they are.
        since = EVER if former else gitlab.now() - LATELY
        found = gitlab.fetch_recent(project, since)
        for iid, paths in found:
            if _may_concern_team(paths, choices):
                yield iid

    def find_merged() -> Iterable[int]:
        return gitlab.fetch_marked(project, gitlab.now() - FORMERLY, former)

    # The time is GitLab's, which is known once it has answered anything.
    searches: list[tuple[str, Callable[[], Iterable[int]]]] = [
        (f"what is marked and {state}", partial(gitlab.fetch_watched, project, state))
        for state in SWEPT
    ]
    searches.append(("what was opened" if former else "what changed lately", find_opened))
    if former:
        searches.append(("what a former account marked", find_merged))
    return searches


def evaluate(
    project: str, iid: int, choices: Choices, gitlab: GitLab, source: Source | None = None
) -> Evaluation:
    """Evaluate a merge request; again when it changed while this was going on.

    Raises GitLabError when the head does not stand still.
    """
    for number in range(1, ROUNDS + 1):
        merge_request = _fetch(project, iid, choices, gitlab)
        evaluation = _evaluate_once(
            merge_request, choices, source or gitlab, gitlab.now(), last=number == ROUNDS
        )
        if evaluation is not None:
            return evaluation
    raise GitLabError(_unsteady(project, iid))


def _fetch(project: str, iid: int, choices: Choices, gitlab: GitLab) -> MergeRequest:
    """Read a merge request; wait a little for a pipeline that is still to come.

    GitLab makes it in a job of its own after a push. A status that is there before it makes
    another pipeline, and the one that counts for merging then has none.
    """
    pauses = iter(PIPELINE_WAITS)
    while True:
        found = gitlab.fetch_merge_request(project, iid)
        pause = next(pauses, None)
        awaited = pause is not None and _awaits_pipeline(found, choices, gitlab.now())
        if not (awaited and gitlab.wait(pause or 0)):
            return found


def _awaits_pipeline(merge_request: MergeRequest, choices: Choices, now: datetime) -> bool:
    changed = merge_request.updated_at
    return (
        choices.gate.kind is GateKind.COMMIT_STATUS
        and merge_request.needs_pipeline
        and merge_request.head_pipeline is None
        and merge_request.state == "opened"
        and merge_request.counts
        and changed is not None
        and now - changed < PIPELINE_COMES
        and _concerns_gate(merge_request, choices)
    )


def _evaluate_once(
    merge_request: MergeRequest, choices: Choices, gitlab: Source, now: datetime, *, last: bool
) -> Evaluation | None:
    """Evaluate once; None when the merge request changed meanwhile.

    What was read before a change and what was read after it may never have been true together.
    The last time this is unknown, but for a head that moved.
    """
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
        gate_url=_own_url(merge_request, choices),
        gated=choices.gate.kind is not GateKind.NONE,
    )
    return _plan(findings, known, choices, now)


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
    changed = (merge_request.changed_paths or ()) if _is_judged(merge_request, choices) else ()
    paths = [path for path in changed if _concerns_team(path, choices)]
    wanted = {*rules.wanted_roles(choices.policies), *wanted_roles(choices.broken)}
    vague = not all(map(is_told, choices.broken))

    def is_candidate(head: bytes) -> bool:
        return vague or any(may_mention(head, name) for key in wanted for name in key.names)

    ahead = _needs_ahead(merge_request, paths, choices, now)
    if merge_request.without_base and _is_judged(merge_request, choices):
        return Changes(items=(), facts=gitlab.fetch_facts(set(ahead)) if ahead else {}), _NO_BASE
    if not paths and not ahead:
        return Changes(items=(), facts={}), _NOTHING
    further = Further(ahead=ahead, then=step_files(choices.policies))
    gathered = gather_changes(merge_request, paths, is_candidate, gitlab, further)
    changes = bound_changes(gathered, lambda path: _is_entry(path, choices))
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


def _is_judged(merge_request: MergeRequest, choices: Choices) -> bool:
    """Tell whether it matters what a merge request changes.

    One into another branch gives nobody a role; but an answer to a status check belongs to the
    head, and outlasts a change of the target.
    """
    return merge_request.counts or choices.gate.kind is GateKind.STATUS_CHECK


def _needs_ahead(
    merge_request: MergeRequest, paths: Sequence[str], choices: Choices, now: datetime
) -> tuple[Need, ...]:
    """Return what is asked for with the entries, while it is not known who is nominated."""
    spoken = _has_own(merge_request, choices) or _is_asked(merge_request, choices)
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


def _may_concern_team(paths: Collection[str] | None, choices: Choices) -> bool:
    return paths is None or any(_concerns_team(path, choices) for path in paths)


def _concerns_team(path: str, choices: Choices) -> bool:
    """Tell whether a file is an entry, or one beside the entries that may be meant as one."""
    globs = _globs(choices)
    if _is_entry(path, choices) or any(lies_among_entries(path, glob) for glob in globs):
        return True
    # The list of people that the entries are made into; some edit it by mistake.
    return any(path == f"{glob.split('/')[0]}/team.yml" for glob in globs)


def _ci_doubts(
    merge_request: MergeRequest, detection: Detection, choices: Choices, gitlab: Source
) -> Sequence[str]:
    if merge_request.state != "opened" or not (detection.nominations or detection.unread):
        return ()
    return find_ci_doubts(merge_request, _beside_entries(merge_request, choices), gitlab)


def _beside_entries(merge_request: MergeRequest, choices: Choices) -> list[str]:
    """Return the changed files that are nobody's entry."""
    changed = merge_request.changed_paths or ()
    return [path for path in changed if not _concerns_team(path, choices)]


def _globs(choices: Choices) -> set[str]:
    """Return where entries are; a policy with mistakes may not tell where its own are."""
    broken = {policy.team_files or TEAM_FILES for policy in choices.broken}
    return {policy.team_files for policy in choices.policies} | broken


def _is_entry(path: str, choices: Choices) -> bool:
    return any(is_team_file(path, glob) for glob in _globs(choices))


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


def _plan(
    findings: Findings, known: Mapping[Need, Fact], choices: Choices, now: datetime
) -> Evaluation:
    merge_request = findings.merge_request
    own = find_own_notes(merge_request, choices.former_ids)
    spoken = bool(own) or _has_something_to_say(findings, choices)
    posted = has_posted(merge_request, known, choices.gate, choices.former_ids)
    if not (spoken or posted or choices.gate.kind is GateKind.STATUS_CHECK):
        return Evaluation(
            merge_request=merge_request,
            findings=findings,
            report=None,
            plan=Plan(watch=_deserves_watch(findings)),
            now=now,
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
            gate_unread=bool(problem) and is_gate_unread(merge_request, known, choices.gate),
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
    elsewhere = findings.view == "elsewhere"
    if findings.merge_request.state not in {"opened", "locked"} and not asked:
        # Nobody is told about merge requests that were over before the bot came.
        return bool(findings.assessments) and findings.merge_request.state == "merged"
    return bool(findings.assessments) or elsewhere or near_miss or unread or asked


def _is_asked(merge_request: MergeRequest, choices: Choices) -> bool:
    """Tell whether any comment holds a command."""
    bodies = tuple(note.body for note in merge_request.notes)
    readings = read_comments(bodies, choices.command)
    return any(
        readings.get(note.body, NOTHING).requests
        for note in merge_request.notes
        # An answer to an internal note would tell everybody of it; bots get none.
        if not (note.system or note.internal or (note.author and note.author.bot))
    )


def _deserves_watch(findings: Findings) -> bool:
    """Tell whether the sweep must be able to find this merge request from now on."""
    merge_request = findings.merge_request
    if merge_request.watched or merge_request.state == "closed":
        return False
    return not is_over(findings) and (
        bool(findings.assessments) or (merge_request.counts and merge_request.state == "opened")
    )


def is_over(findings: Findings) -> bool:
    """Tell whether nothing is left that the sweep could find changed."""
    if findings.unknown or findings.detection.unread:
        return False
    if findings.merge_request.state == "merged":
        return all(assessment.done for assessment in findings.assessments)
    # What the target branch becomes can make a merge give a role that is on one side alone.
    may_change = findings.detection.at_stake and findings.merge_request.state != "closed"
    return findings.view == "nobody" and not may_change


def _has_own(merge_request: MergeRequest, choices: Choices) -> bool:
    if choices.gate.kind is GateKind.STATUS_CHECK:
        return True
    return bool(find_own_notes(merge_request, choices.former_ids))


def _own_url(merge_request: MergeRequest, choices: Choices) -> str | None:
    own = find_own_notes(merge_request, choices.former_ids)
    return own[0].url if own else None
