"""REST: what a list of merge requests or issues is asked for."""

from collections.abc import Iterable

from bot.sandbox.rest.core import Call
from bot.sandbox.world.merge_request_search import TESTS, Item, arrange, select

MINE = {"created_by_me": "author_id", "assigned_to_me": "assignee_id"}
MINE["reviews_for_me"] = "reviewer_id"


def find_asked(call: Call, items: Iterable[Item], passed_over: Iterable[str] = ()) -> list[Item]:
    """Select and order what is asked for; everywhere only the caller's own unless asked otherwise.

    Filters that are `passed_over` do nothing here.
    """
    given = call.params
    wanted = {name: value for name, value in given.items() if name in TESTS}
    wanted = {name: value for name, value in wanted.items() if name not in passed_over}
    scope = given.get("scope", "all" if "id" in call.path else "created_by_me").replace("-", "_")
    own = {} if scope == "all" else {MINE[scope]: call.actor.id}
    if "search" in wanted:
        wanted["search"] = wanted["search"], given.get("in", "title,description")
    found = select(select(items, own), wanted, given.get("not"))
    return arrange(found, given.get("order_by", "created_at"), given.get("sort", "desc"))
