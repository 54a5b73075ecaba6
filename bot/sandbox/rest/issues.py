"""REST: issues of a project, as lib/api/issues.rb and app/policies/issue_policy.rb have it."""

from bot.sandbox.rest.core import Answer, Call, endpoint, paged
from bot.sandbox.rest.params import PAGING, choice, flag, integer, text
from bot.sandbox.rest.people_entities import (
    render_issuable,
    render_user,
    render_user_or_none,
    stamp,
    web_url,
)
from bot.sandbox.world.access import demand
from bot.sandbox.world.entities import Issue, Level
from bot.sandbox.world.state import RefusedError

ISSUES = "/projects/{id}/issues"
STATES = {"close": "closed", "reopen": "opened"}
LONGEST_TITLE = 255


@endpoint(
    "GET",
    ISSUES,
    {
        "state": choice("opened", "closed", "all"),
        "author_id": integer(),
        "order_by": choice("created_at", "updated_at"),
        "sort": choice("asc", "desc"),
        **PAGING,
    },
)
def list_issues(call: Call) -> Answer:
    """List the issues that the caller may read, the newest first unless asked otherwise."""
    state, author = call.params.get("state", "all"), call.params.get("author_id")
    found = [
        each
        for each in call.project.issues.values()
        if _can_read(call, each)
        and state in {"all", each.state}
        and author in {None, each.author.id}
    ]
    name = call.params.get("order_by", "created_at")
    found.sort(key=lambda each: (getattr(each, name), each.iid))
    if call.params.get("sort", "desc") == "desc":
        found.reverse()
    return paged(call, found, lambda issue: _render(call, issue))


@endpoint(
    "POST",
    ISSUES,
    {
        "title": text(required=True),
        "description": text(),
        "confidential": flag(),
    },
)
def create_issue(call: Call) -> Answer:
    """Open an issue; whoever may read those of a project may."""
    demand(call.project.issues_access != "disabled")
    title = call.params["title"].strip()
    _check_title(title)
    with call.world.writing() as now:
        issue = Issue(
            id=call.world.next_id("issue"),
            iid=max(call.project.issues, default=0) + 1,
            title=title,
            author=call.actor,
            created_at=now,
            updated_at=now,
            description=call.params.get("description", ""),
            confidential=call.params.get("confidential", False),
        )
        call.project.issues[issue.iid] = issue
    return Answer(status=201, body=_render(call, issue))


@endpoint(
    "PUT",
    ISSUES + "/{issue_iid}",
    {"title": text(), "description": text(), "state_event": choice("close", "reopen")},
)
def edit_issue(call: Call) -> Answer:
    """Change, close or reopen an issue: its author, or Reporter and up."""
    issue = call.project.issues.get(call.number("issue_iid"))
    if issue is None or not _can_read(call, issue):
        raise RefusedError(404, "404 Not found")
    demand(issue.author is call.actor or call.level >= Level.REPORTER)
    if not call.params:
        raise RefusedError(
            400,
            "title, description, state_event are missing, at least one parameter must be provided",
            key="error",
        )
    _check_title(call.params.get("title", issue.title).strip())
    with call.world.writing() as now:
        issue.title = call.params.get("title", issue.title).strip()
        issue.description = call.params.get("description", issue.description)
        issue.state = STATES.get(call.params.get("state_event", ""), issue.state)
        is_closed = issue.state == "closed"
        issue.closed_at = (issue.closed_at or now) if is_closed else None
        issue.closed_by = (issue.closed_by or call.actor) if is_closed else None
        issue.updated_at = now
    return Answer(body=_render(call, issue))


def _check_title(title: str) -> None:
    if not title:
        raise RefusedError(400, {"title": ["can't be blank"]})
    if len(title) > LONGEST_TITLE:
        raise RefusedError(400, {"title": [f"is too long (maximum is {LONGEST_TITLE} characters)"]})


def _can_read(call: Call, issue: Issue) -> bool:
    return not issue.confidential or issue.author is call.user or call.level >= Level.REPORTER


def _render(call: Call, issue: Issue) -> dict[str, object]:
    path = call.project.path_with_namespace
    return {
        **render_issuable(issue, call.project),
        "closed_at": stamp(issue.closed_at),
        "closed_by": render_user_or_none(call.world, issue.closed_by),
        "author": render_user(call.world, issue.author),
        "confidential": issue.confidential,
        "web_url": web_url(call.world, f"{path}/-/issues/{issue.iid}"),
    }
