"""Send each query and route once as the bot sends it; say what is wrong with the answer."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from functools import partial

from bot import gitlab as documents
from bot.errors import AbsentError, RefusedError
from bot.evidence import Commits, DeedsOf, Need, StandingOf, Work, WorkOf
from bot.gitlab import READERS, Issues, Part, build_parts, pack_parts, read_pages
from bot.merge_request import WATCH
from bot.setup.ground import Ground
from bot.setup.needs import FOR_NEEDS, build_work
from bot.setup.sample import Sample
from bot.unread import Unread

LATER = timedelta(days=3650)  # from now: nothing can have been changed since that day
OF_ONE = (StandingOf, DeedsOf)  # of a merge request, which may not exist yet


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


def ask_need(ground: Ground, sample: Sample, find: Callable[[Sample], Need]) -> str | None:
    """Look one fact up, as an evaluation does; return what is wrong."""
    need = find(sample)
    if type(need) in READERS:
        fact = READERS[type(need)](ground.bot, need)
    else:
        found = _ask_parts(ground, build_parts([need]))
        fact = found[need]
    if isinstance(fact, Unread):
        return fact.reason if sample.real or not isinstance(need, OF_ONE) else None
    ignored = find_ignored(need, fact)
    return f"the filter {ignored} is ignored" if ignored else None


def find_ignored(need: Need, fact: object) -> str | None:
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
    part = build_parts([build_work(sample)])[0]
    facts = _ask_parts(ground, [part.fallback or part])
    return next((fact.reason for fact in facts.values() if isinstance(fact, Unread)), None)


def ask_everything(ground: Ground, sample: Sample) -> str | None:
    """Send a nomination's questions packed as a run packs them, up to GitLab's limit."""
    asked = ("members", "present state", "files", "threads")
    needs = [build_work(sample), *(FOR_NEEDS[name][0](sample) for name in asked)]
    for query in pack_parts(build_parts(needs)):
        ground.bot.query(query.text(), query.variables())
    return None


def ask_issues(ground: Ground, _: Sample) -> str | None:
    """List the issues of the bot's own project; return what is wrong."""
    try:
        access = ground.as_bot(ground.host).get("issues_access_level")
    except RefusedError as error:
        return f"{error}; the bot's account must be a Guest of its own project"
    if access == "disabled":
        return "the bot's project has no issues"
    Issues(ground.bot, ground.settings.project or "").fetch_open()
    return None


def _ask_raw_file(ground: Ground, sample: Sample) -> str | None:
    path = f"/projects/{sample.project_id}/repository/files/nomination-bot%2Fnone/raw"
    with suppress(AbsentError):
        ground.bot.fetch_raw(path, {"ref": sample.sha})
    return None


OTHERS: Mapping[str, tuple[Callable[[Ground, Sample], str | None], str]] = {
    "merge request": (_ask_merge_request, "everything: no merge request can be judged"),
    "further comments": (_ask_notes, "merge requests of more than 100 comments"),
    "recent merge requests": (_ask_recent, "lost events are never made up for"),
    "marked merge requests": (_ask_watched, "the sweep"),
    "merged work": (_ask_work, "the counts of merge requests"),
    # With the filter by approver, which a lower tier may lack.
    "approvers": (
        partial(ask_need, find=build_work),
        "approvals of people who were not asked for a review",
    ),
    "file as bytes": (_ask_raw_file, "entries that are not UTF-8"),
}
