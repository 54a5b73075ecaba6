"""Points about every query and route that the bot can send, each sent once where it only reads.

A GitLab that is older, of a lower tier, or otherwise not what its documents say is found here,
with the feature it costs, and not in a nomination.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from bot import gitlab as documents
from bot.errors import GitLabError, RefusedError
from bot.evidence import (
    AccessOf,
    ActivityOf,
    CiConfigOf,
    Commits,
    CommitsOf,
    DeedsOf,
    DefaultBranchOf,
    DiffsOf,
    ExposureOf,
    FileAt,
    JoinedOf,
    LabelsOf,
    MembersOf,
    MovedOf,
    Need,
    OffersOf,
    ProfileOf,
    ProposedOf,
    PushOf,
    RenameOf,
    ReopenedOf,
    SiblingsOf,
    StandingOf,
    StateChangesOf,
    StatusChecksOf,
    StatusesOf,
    ThreadsOf,
    TipOf,
    VersionsOf,
    Work,
    WorkOf,
)
from bot.gitlab import (
    MISSHAPEN,
    READERS,
    Issues,
    Part,
    Query,
    build_parts,
    escape_path,
    pack_parts,
    read_pages,
)
from bot.merge_request import WATCH
from bot.setup.ground import NOT_FOUND, Ground
from bot.setup.values import Found, Point, ok, unknown, wrong
from bot.unread import Unread

NOWHERE = "nomination-bot/there-is-no-such-file"
LATER = timedelta(days=3650)
ISSUE = "no issue says what has not worked"
OF_ONE = (StandingOf, ActivityOf, DeedsOf)  # of a merge request, which may not exist yet
UPGRADE = "upgrade GitLab, or do without that"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A merge request of the team database to try queries on; without `real` there is none yet."""

    project: str
    project_id: int
    iid: int
    sha: str
    path: str
    real: bool


def _sample(ground: Ground) -> Sample:
    row = next((each for each in ground.samples if each.get("sha")), None)
    team = ground.as_bot(ground.team)
    if row is None:
        # GitLab checks a query before it looks for what is asked about.
        branch = escape_path(str(team["default_branch"]))
        row = {
            "iid": 1,
            "sha": ground.as_bot(f"{ground.team}/repository/branches/{branch}")["commit"]["id"],
            "absent": True,
        }
    return Sample(
        project=str(team["path_with_namespace"]),
        project_id=int(team["id"]),
        iid=int(row["iid"]),
        sha=str(row["sha"]),
        path=NOWHERE,
        real="absent" not in row,
    )


# --- what is sent -----------------------------------------------------------------------


def _ask_merge_request(ground: Ground, sample: Sample) -> str | None:
    variables: dict[str, object] = {"project": sample.project, "iid": str(sample.iid)}
    data = ground.bot.query(documents.MERGE_REQUEST + documents.COMMENTS, variables)
    node = data["project"]["mergeRequest"]
    if node is None and not sample.real:
        return None
    documents.read_merge_request(data, [each for each in node["notes"]["nodes"] if each])
    return None


def _ask_notes(ground: Ground, sample: Sample) -> str | None:
    variables: dict[str, object] = {"project": sample.project, "iid": str(sample.iid)}
    node = ground.bot.query(documents.NOTES + documents.COMMENTS, variables)["project"]
    if node["mergeRequest"] is None and not sample.real:
        return None
    return None if node["mergeRequest"]["notes"]["pageInfo"] else "no page of comments is told"


def _ask_recent(ground: Ground, sample: Sample) -> str | None:
    variables: dict[str, object] = {
        "project": sample.project,
        "since": (ground.now + LATER).isoformat(),
    }
    rows = ground.bot.query(documents.RECENT, variables)["project"]["mergeRequests"]["nodes"]
    return "the filter `updatedAfter` is ignored" if rows else None


def _ask_watched(ground: Ground, sample: Sample) -> str | None:
    path = f"/projects/{sample.project_id}/merge_requests"
    rows, _ = ground.bot.fetch_rows(
        path, {"scope": "all", "state": "opened", "my_reaction_emoji": WATCH, "per_page": 1}
    )
    if not rows:
        return None
    awards = read_pages(ground.bot, f"{path}/{rows[0]['iid']}/award_emoji")
    own = any(a["name"] == WATCH and a["user"]["id"] == ground.me["id"] for a in awards)
    return None if own else "the filter `my_reaction_emoji` is ignored"


def _ask_parts(ground: Ground, parts: list[Part]) -> Mapping[Need, object]:
    """Send parts of a query as the bot packs them; return the facts."""
    facts: dict[Need, object] = {}
    for query in pack_parts(parts):
        data = ground.bot.query(query.text(), query.variables())
        for part in query.parts:
            facts.update(part.read(data))
    return facts


def _ask_need(ground: Ground, sample: Sample, find: Callable[[Ground, Sample], Need]) -> str | None:
    need = find(ground, sample)
    if type(need) in READERS:
        fact = READERS[type(need)](ground.bot, need)
    else:
        found = _ask_parts(ground, build_parts([need]))
        fact = found[need]  # type: ignore[assignment]
    if isinstance(fact, Unread):
        return fact.reason if sample.real or not isinstance(need, OF_ONE) else None
    ignored = _find_ignored(need, fact)
    return f"the filter {ignored} is ignored" if ignored else None


def _find_ignored(need: Need, fact: object) -> str | None:
    """Name the filter that a list does not follow: the bot itself has done no such work."""
    if isinstance(fact, Commits) and fact.items:
        return "`path`"
    if isinstance(need, WorkOf) and isinstance(fact, Work):
        key = need.username.casefold()
        if any((merged.author or "").casefold() != key for merged in fact.authored.items):
            return "`authorUsername`"
        if any(not (merged.assigned or merged.approved) for merged in fact.reviewed.items):
            return "`reviewerUsername`"
    return None


def _ask_approver(ground: Ground, sample: Sample) -> str | None:
    """Send the work of somebody with the filter by approver, which a lower tier may lack."""
    need = _work(ground, sample)
    return _ask_need(ground, sample, lambda _, __: need)


def _ask_work(ground: Ground, sample: Sample) -> str | None:
    part = build_parts([_work(ground, sample)])[0]
    facts = _ask_parts(ground, [part.fallback or part])
    return next((fact.reason for fact in facts.values() if isinstance(fact, Unread)), None)


def _ask_everything(ground: Ground, sample: Sample) -> str | None:
    """Send a nomination's questions packed as a run packs them, up to GitLab's limit."""
    needs: list[Need] = [
        _work(ground, sample),
        *(find(ground, sample) for find in (_members, _standing, _file, _threads)),
    ]
    for query in pack_parts(build_parts(needs)):
        _send(ground, query)
    return None


def _send(ground: Ground, query: Query) -> None:
    ground.bot.query(query.text(), query.variables())


def _ask_issues(ground: Ground, _: Sample) -> str | None:
    try:
        access = ground.as_bot(ground.host).get("issues_access_level")
    except RefusedError as error:
        return f"{error}; the bot's account must be a Guest of its own project"
    if access == "disabled":
        return "the bot's project has no issues"
    Issues(ground.bot, ground.wanted.host_project or "").fetch_open()
    return None


def _ask_raw_file(ground: Ground, sample: Sample) -> str | None:
    path = f"/projects/{sample.project_id}/repository/files/nomination-bot%2Fnone/raw"
    try:
        ground.bot.fetch_raw(path, {"ref": sample.sha})
    except RefusedError as error:
        if error.code != NOT_FOUND:
            raise
    return None


# --- for which facts --------------------------------------------------------------------


def _work(ground: Ground, _: Sample) -> WorkOf:
    return WorkOf(
        project=ground.policies[0].repository,
        username=str(ground.me["username"]),
        wanted=1,
        branch="main",
    )


def _threads(ground: Ground, _: Sample) -> ThreadsOf:
    return ThreadsOf(ground.policies[0].repository, str(ground.me["username"]), (1,))


def _members(ground: Ground, _: Sample) -> MembersOf:
    return MembersOf(ground.policies[0].maintainers.group)


def _inherited(ground: Ground, _: Sample) -> MembersOf:
    return MembersOf(ground.policies[0].maintainers.group, inherited=True)


def _standing(_: Ground, sample: Sample) -> StandingOf:
    return StandingOf(sample.project, sample.iid)


def _file(_: Ground, sample: Sample) -> FileAt:
    return FileAt(sample.project, sample.sha, sample.path)


def _commits(ground: Ground, sample: Sample) -> CommitsOf:
    branch = str(ground.as_bot(ground.team)["default_branch"])
    return CommitsOf(sample.project, branch, sample.path)


def _rename(ground: Ground, sample: Sample) -> RenameOf:
    return RenameOf(sample.project, sample.sha, _changed_path(ground, sample))


def _move(ground: Ground, sample: Sample) -> MovedOf:
    return MovedOf(sample.project, sample.sha, _changed_path(ground, sample, "old_path"))


def _changed_path(ground: Ground, sample: Sample, name: str = "new_path") -> str:
    """Return a file that the commit changes: not to list one that it does is a fault."""
    path = f"/projects/{sample.project_id}/repository/commits/{sample.sha}/diff"
    rows, _ = ground.bot.fetch_rows(path, {"per_page": 1})
    return str(rows[0][name]) if rows else sample.path


def _exposure(ground: Ground, _: Sample) -> ExposureOf:
    return ExposureOf(ground.policies[0].repository)


def _branch(ground: Ground, _: Sample) -> DefaultBranchOf:
    return DefaultBranchOf(ground.policies[0].repository)


def _siblings(ground: Ground, sample: Sample) -> SiblingsOf:
    return SiblingsOf(sample.project, str(ground.as_bot(ground.team)["default_branch"]))


def _proposed(ground: Ground, sample: Sample) -> ProposedOf:
    return ProposedOf(sample.project, str(ground.me["username"]))


def _offers(ground: Ground, sample: Sample) -> OffersOf:
    return OffersOf(sample.project, author=str(ground.me["username"]))


def _profile(ground: Ground, _: Sample) -> ProfileOf:
    return ProfileOf(str(ground.me["username"]))


def _access(ground: Ground, sample: Sample) -> AccessOf:
    return AccessOf(sample.project_id, int(ground.me["id"]))


def _tip(ground: Ground, sample: Sample) -> TipOf:
    return TipOf(sample.project, str(ground.as_bot(ground.team)["default_branch"]))


def _versions(_: Ground, sample: Sample) -> VersionsOf:
    return VersionsOf(sample.project_id, sample.iid)


def _reopened(_: Ground, sample: Sample) -> ReopenedOf:
    return ReopenedOf(sample.project_id, sample.iid)


def _activity(_: Ground, sample: Sample) -> ActivityOf:
    return ActivityOf(sample.project, sample.iid)


def _ci_config(_: Ground, sample: Sample) -> CiConfigOf:
    return CiConfigOf(sample.project_id)


def _labels(_: Ground, sample: Sample) -> LabelsOf:
    return LabelsOf(sample.project_id, sample.iid)


def _diffs(_: Ground, sample: Sample) -> DiffsOf:
    return DiffsOf(sample.project_id, sample.iid)


def _push(_: Ground, sample: Sample) -> PushOf:
    return PushOf(sample.project_id, sample.iid)


def _statuses(ground: Ground, sample: Sample) -> StatusesOf:
    return StatusesOf(sample.project_id, sample.sha, ground.wanted.status_name)


def _checks(_: Ground, sample: Sample) -> StatusChecksOf:
    return StatusChecksOf(sample.project_id, sample.iid)


def _joined(ground: Ground, sample: Sample) -> JoinedOf:
    return JoinedOf(_members(ground, sample).group)


def _deeds(_: Ground, sample: Sample) -> DeedsOf:
    return DeedsOf(sample.project, sample.iid)


def _state_changes(_: Ground, sample: Sample) -> StateChangesOf:
    return StateChangesOf(sample.project_id, sample.iid)


FOR_NEEDS: Mapping[str, tuple[Callable[[Ground, Sample], Need], str]] = {
    "members": (_members, "who is a maintainer, and who owns the group"),
    "inherited members": (_inherited, "steps that ask for inherited membership"),
    "present state": (_standing, "changes during a run are not noticed, so every run is unknown"),
    "files": (_file, "every entry"),
    "threads": (_threads, "reviews by comments in threads"),
    "history": (_commits, "since when somebody is a trainee maintainer"),
    "diff of a commit": (_rename, "the history of renamed entries"),
    "moves by a commit": (_move, "following entries that moved after the merge"),
    "visibility": (_exposure, "titles and names are left out of every comment"),
    "default branch": (_branch, "the counts of merge requests"),
    "merge requests of a branch": (_siblings, "holds of an earlier merge request"),
    "merge requests of an author": (_proposed, "holds of another merge request"),
    "own merge requests": (_offers, "merge requests that the bot opens for steps"),
    "account": (_profile, "steps after the merge for renamed accounts"),
    "membership": (_access, "steps after the merge for renamed accounts"),
    "tip of a branch": (_tip, "merge requests that change many entries"),
    "times of versions": (_versions, "requirements that count days or approvals"),
    "reopenings": (_reopened, "requirements that count days"),
    "approvals and their times": (_activity, "requirements that count approvals"),
    "place of the CI configuration": (_ci_config, "nominations that change other files, too"),
    "labels": (_labels, "requirements that ask for a label"),
    "diff of a merge request": (_diffs, "renamed entries"),
    "versions of a merge request": (_push, "waivers and holds: when the changes were pushed"),
    "when members joined": (
        _joined,
        "the board: maintainers by year; replay: when steps were done",
    ),
    "what GitLab noted": (_deeds, "replay, and the board's times"),
    "openings and closings": (_state_changes, "replay, and the board's times"),
    "commit statuses": (_statuses, "the gate by commit status"),
    "status checks": (_checks, "the gate by status check"),
}
ONLY_FOR = {"commit statuses": "commit-status", "status checks": "external-status-check"}
OTHERS: Mapping[str, tuple[Callable[[Ground, Sample], str | None], str]] = {
    "merge request": (_ask_merge_request, "everything: no merge request can be judged"),
    "further comments": (_ask_notes, "merge requests of more than 100 comments"),
    "recent merge requests": (_ask_recent, "lost events are never made up for"),
    "marked merge requests": (_ask_watched, "the sweep"),
    "merged work": (_ask_work, "the counts of merge requests"),
    "approvers": (_ask_approver, "approvals of people who were not asked for a review"),
    "file as bytes": (_ask_raw_file, "entries that are not UTF-8"),
}


def find_points(ground: Ground) -> Iterator[Point]:
    """Yield a point for each query and route; those of a gate that is not used are left out."""
    before = ("token", "team-project", *_places(ground))
    asked = []
    for name, (ask, costs) in OTHERS.items():
        asked.append(_point(name, costs, ask, before))
    for name, (find, costs) in FOR_NEEDS.items():
        if ONLY_FOR.get(name) in {None, ground.wanted.gate}:
            asked.append(_point(name, costs, partial(_ask_need, find=find), before))
    if ground.wanted.issue:
        asked.append(_point("issues of the bot's project", ISSUE, _ask_issues, ("token",)))
    yield from asked
    costs = "time: every run sends several queries instead of one"
    singly = (*before, *(point.id for point in asked))
    yield _point("all at once", costs, _ask_everything, singly)


def _places(ground: Ground) -> Iterator[str]:
    """Yield the points about what the queries ask for."""
    for policy in ground.policies[:1]:
        yield f"project {policy.repository}"
        yield f"group {policy.maintainers.group}"


def _point(
    name: str,
    costs: str,
    ask: Callable[[Ground, Sample], str | None],
    needs: tuple[str, ...],
) -> Point:
    return Point(
        id=f"query {name}",
        needs=needs,
        expected="GitLab answers it",
        costs=costs,
        look=partial(_try, ask=ask),
        link=lambda ground: ground.team_page("merge_requests"),
    )


def _try(ground: Ground, ask: Callable[[Ground, Sample], str | None]) -> Found:
    if not ground.policies:
        return unknown("there is no policy to ask for", "mend the policies", excused=True)
    sample = _sample(ground)
    try:
        problem = ask(ground, sample)
    except RefusedError as error:
        if error.code == NOT_FOUND and not sample.real:
            return unknown(
                "the team database has no merge request to ask about",
                "open one and run this again",
                excused=True,
            )
        problem = str(error)
    except (GitLabError, *MISSHAPEN) as error:
        problem = str(error) if isinstance(error, GitLabError) else _misshapen(error)
    return wrong(problem, UPGRADE) if problem else ok("answered")


def _misshapen(error: Exception) -> str:
    return f"the answer has another shape than expected ({type(error).__name__})"
