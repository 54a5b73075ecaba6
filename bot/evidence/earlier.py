"""Find what was said in earlier merge requests from the same branch.

To close a merge request that is held, and to open another from its branch, must not end the hold.
"""

from collections.abc import Mapping
from dataclasses import replace

from bot.evidence.facts import EarlierOf, Fact, Need, Sibling, Siblings, SiblingsOf, Source
from bot.merge_request import MergeRequest, Note
from bot.unread import NOT_LOOKED_UP, Unread

PAGES = 5  # of the merge requests from branches of one name; forks often use the same
MOST = 6  # earlier merge requests that are read


def siblings_of(merge_request: MergeRequest) -> SiblingsOf:
    """Return the need for the merge requests from branches of the same name."""
    return SiblingsOf(merge_request.project, merge_request.source_branch)


def gather_earlier(
    merge_request: MergeRequest, known: Mapping[Need, Fact], source: Source
) -> tuple[list[Note], list[str]]:
    """Read the comments of the merge requests that came from the same branch and are not merged.

    Returns, too, why some may be missing. What was held in one that is merged, is over with it.
    """
    first = known.get(siblings_of(merge_request))
    found = _read_all(siblings_of(merge_request), first, source)
    if isinstance(found, Unread):
        return [], [f"whether the branch is held from before is not known: {found.reason}"]
    own = [
        sibling
        for sibling in found
        if sibling.iid != merge_request.iid
        and sibling.state != "merged"
        and sibling.source_project_id == merge_request.source_project_id
    ]
    needs = [EarlierOf(merge_request.project, sibling.iid) for sibling in own[:MOST]]
    facts = source.fetch_facts(needs) if needs else {}
    notes: list[Note] = []
    unknown: list[str] = []
    for need in needs:
        fact = facts.get(need)
        if isinstance(fact, MergeRequest):
            notes.extend(fact.notes)
        else:
            unknown.append(f"what was said in the earlier !{need.iid} could not be read")
    if len(own) > MOST:
        unknown.append(
            f"of the {len(own)} earlier merge requests from this branch, the newest {MOST} were "
            "read; open this one from a branch with a new name"
        )
    return notes, unknown


def _read_all(need: SiblingsOf, page: Fact | None, source: Source) -> list[Sibling] | Unread:
    items: list[Sibling] = []
    for _ in range(PAGES):
        if not isinstance(page, Siblings):
            return page if isinstance(page, Unread) else NOT_LOOKED_UP
        items += page.items
        if page.following is None:
            return items
        need = replace(need, after=page.following)
        page = source.fetch_facts({need}).get(need)
    return Unread(reason="too many merge requests came from branches of this name")
