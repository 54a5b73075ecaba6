"""Points about every query and route that the bot can send, each sent once where it only reads.

A GitLab that is older, of a lower tier, or otherwise not what its documents say is found here,
with the feature it costs, and not in a nomination.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from bot import gitlab as documents
from bot.errors import GitLabError, RefusedError, UnreachableError
from bot.evidence import (
    AccessOf,
    ActivityOf,
    CiConfigOf,
    Commits,
    CommitsOf,
    CoursesOf,
    DeedsOf,
    DefaultBranchOf,
    DiffsOf,
    ExposureOf,
    FileAt,
    JoinedOf,
    LabelsOf,
    MembersOf,
    Need,
    OffersOf,
    ProfileOf,
    ProposedOf,
    RenameOf,
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
    build_parts,
    escape_path,
    pack_parts,
    read_pages,
    tell_misshapen,
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
    """What queries are tried on: a merge request of the team database, if there is a `real` one."""

    project: str
    project_id: int
    branch: str
    iid: int
    sha: str
    real: bool
    repository: str
    group: str
    username: str
    user_id: int
    status_name: str
    changed: Callable[[str], str]


def _sample(ground: Ground) -> Sample:
    row = next((each for each in ground.samples if each.get("sha")), None)
    team, policy = ground.as_bot(ground.team), ground.policies[0]
    branch = str(team["default_branch"])
    if row is None:
        # GitLab checks a query before it looks for what is asked about.
        tip = ground.as_bot(f"{ground.team}/repository/branches/{escape_path(branch)}")
    sha = str(row["sha"] if row else tip["commit"]["id"])
    return Sample(
        project=str(team["path_with_namespace"]),
        project_id=int(team["id"]),
        branch=branch,
        iid=int(row["iid"]) if row else 1,
        sha=sha,
        real=row is not None,
        repository=policy.repository,
        group=policy.maintainers.group,
        username=str(ground.me["username"]),
        user_id=int(ground.me["id"]),
        status_name=ground.wanted.status_name,
        changed=partial(_changed_path, ground, sha),
    )


def _changed_path(ground: Ground, sha: str, name: str) -> str:
    """Return a file that the commit changes: not to list one that it does is a fault."""
    path = f"{ground.team}/repository/commits/{sha}/diff"
    rows, _ = ground.bot.fetch_rows(path, {"per_page": 1})
    return str(rows[0][name]) if rows else NOWHERE


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
        for part, answer in query.share_out(data):
            facts.update(part.read(answer))
    return facts


def _ask_need(ground: Ground, sample: Sample, find: Callable[[Sample], Need]) -> str | None:
    need = find(sample)
    if type(need) in READERS:
        fact = READERS[type(need)](ground.bot, need)
    else:
        found = _ask_parts(ground, build_parts([need]))
        fact = found[need]
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


def _ask_work(ground: Ground, sample: Sample) -> str | None:
    part = build_parts([_work(sample)])[0]
    facts = _ask_parts(ground, [part.fallback or part])
    return next((fact.reason for fact in facts.values() if isinstance(fact, Unread)), None)


def _ask_everything(ground: Ground, sample: Sample) -> str | None:
    """Send a nomination's questions packed as a run packs them, up to GitLab's limit."""
    asked = ("members", "present state", "files", "threads")
    needs = [_work(sample), *(FOR_NEEDS[name][0](sample) for name in asked)]
    for query in pack_parts(build_parts(needs)):
        ground.bot.query(query.text(), query.variables())
    return None


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


def _work(at: Sample) -> WorkOf:
    return WorkOf(project=at.repository, username=at.username, wanted=1, branch="main")


FOR_NEEDS: Mapping[str, tuple[Callable[[Sample], Need], str]] = {
    "members": (
        lambda at: MembersOf(at.group),
        "who is a maintainer, and who owns the group",
    ),
    "inherited members": (
        lambda at: MembersOf(at.group, inherited=True),
        "steps that ask for inherited membership",
    ),
    "present state": (
        lambda at: StandingOf(at.project, at.iid),
        "changes during a run are not noticed, so every run is unknown",
    ),
    "files": (
        lambda at: FileAt(at.project, at.sha, NOWHERE),
        "every entry",
    ),
    "threads": (
        lambda at: ThreadsOf(at.repository, at.username, (1,)),
        "reviews by comments in threads",
    ),
    "history": (
        lambda at: CommitsOf(at.project, at.branch, NOWHERE),
        "since when somebody is a trainee maintainer",
    ),
    "diff of a commit": (
        lambda at: RenameOf(at.project, at.sha, at.changed("new_path")),
        "the history of renamed entries",
    ),
    "moves by a commit": (
        lambda at: RenameOf(at.project, at.sha, at.changed("old_path"), onward=True),
        "following entries that moved after the merge",
    ),
    "visibility": (
        lambda at: ExposureOf(at.repository),
        "titles and names are left out of every comment",
    ),
    "default branch": (
        lambda at: DefaultBranchOf(at.repository),
        "the counts of merge requests",
    ),
    "merge requests of a branch": (
        lambda at: SiblingsOf(at.project, at.branch),
        "holds of an earlier merge request",
    ),
    "merge requests of an author": (
        lambda at: ProposedOf(at.project, at.username),
        "holds of another merge request",
    ),
    "own merge requests": (
        lambda at: OffersOf(at.project, author=at.username),
        "merge requests that the bot opens for steps",
    ),
    "account": (
        lambda at: ProfileOf(at.username),
        "steps after the merge for renamed accounts",
    ),
    "membership": (
        lambda at: AccessOf(at.project_id, at.user_id),
        "steps after the merge for renamed accounts",
    ),
    "tip of a branch": (
        lambda at: TipOf(at.project, at.branch),
        "merge requests that change many entries",
    ),
    "versions of a merge request": (
        lambda at: VersionsOf(at.project_id, at.iid),
        "requirements that count days or approvals; waivers and holds: when was pushed",
    ),
    "approvals and their times": (
        lambda at: ActivityOf(at.project, at.iid),
        "requirements that count approvals",
    ),
    "place of the CI configuration": (
        lambda at: CiConfigOf(at.project_id),
        "nominations that change other files, too",
    ),
    "courses": (
        lambda at: CoursesOf(at.repository, (1,)),
        "evidence of how reviewed merge requests went",
    ),
    "labels": (
        lambda at: LabelsOf(at.project_id, at.iid),
        "requirements that ask for a label",
    ),
    "diff of a merge request": (
        lambda at: DiffsOf(at.project_id, at.iid),
        "renamed entries",
    ),
    "when members joined": (
        lambda at: JoinedOf(at.group),
        "the board: maintainers by year; replay: when steps were done",
    ),
    "what GitLab noted": (
        lambda at: DeedsOf(at.project, at.iid),
        "replay, and the board's times",
    ),
    "openings and closings": (
        lambda at: StateChangesOf(at.project_id, at.iid),
        "requirements that count days; replay, and the board's times",
    ),
    "commit statuses": (
        lambda at: StatusesOf(at.project_id, at.sha, at.status_name),
        "the gate by commit status",
    ),
    "status checks": (
        lambda at: StatusChecksOf(at.project_id, at.iid),
        "the gate by status check",
    ),
}
ONLY_FOR = {"commit statuses": "commit-status", "status checks": "external-status-check"}
OTHERS: Mapping[str, tuple[Callable[[Ground, Sample], str | None], str]] = {
    "merge request": (_ask_merge_request, "everything: no merge request can be judged"),
    "further comments": (_ask_notes, "merge requests of more than 100 comments"),
    "recent merge requests": (_ask_recent, "lost events are never made up for"),
    "marked merge requests": (_ask_watched, "the sweep"),
    "merged work": (_ask_work, "the counts of merge requests"),
    # With the filter by approver, which a lower tier may lack.
    "approvers": (
        partial(_ask_need, find=_work),
        "approvals of people who were not asked for a review",
    ),
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
    except UnreachableError:
        raise  # of GitLab, not of this query
    except (GitLabError, *MISSHAPEN) as error:
        problem = str(error) if isinstance(error, GitLabError) else tell_misshapen(error)
    return wrong(problem, UPGRADE) if problem else ok("answered")
