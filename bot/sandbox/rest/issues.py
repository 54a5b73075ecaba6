"""REST: issues of a project, as lib/api/issues.rb and app/policies/issue_policy.rb have it."""

from bot.sandbox.acts.merge_requests import find_labels
from bot.sandbox.rest.core import Answer, Call, endpoint, paged
from bot.sandbox.rest.finding import find_asked
from bot.sandbox.rest.params import (
    ISSUABLE,
    LABELLED,
    PAGING,
    SCOPES,
    read_assignees,
    read_labels,
    takes,
)
from bot.sandbox.rest.people_entities import (
    expose,
    render_issuable,
    render_user,
    render_user_or_none,
    web_url,
)
from bot.sandbox.rest.shelves import find_milestone
from bot.sandbox.world.access import can_read_issue, demand
from bot.sandbox.world.entities import Issue, Level, Project
from bot.sandbox.world.state import RefusedError

ISSUES = "/projects/{id}/issues"
STATES = {"close": "closed", "reopen": "opened"}
LONGEST_TITLE = 255  # `TITLE_LENGTH_MAX` of app/models/concerns/issuable.rb

LIST = takes(
    PAGING,
    text="author_username milestone search in",
    words="assignee_username labels",
    integer="author_id assignee_id",
    integers="iids",
    flag="confidential",
    choices={
        "state": "opened closed all",
        "scope": SCOPES,
        "order_by": "created_at updated_at",
        "sort": "asc desc",
    },
)


@endpoint("GET", ISSUES, LIST)
@endpoint("GET", "/groups/{id}/issues", LIST)
@endpoint("GET", "/issues", LIST, open=False)
def list_issues(call: Call) -> Answer:
    """List the issues that the caller may read."""
    places = {
        issue: project
        for project in call.projects
        for issue in project.issues.values()
        if can_read_issue(call.user, project, issue, call.today)
    }
    found = find_asked(call, places)
    return paged(call, found, lambda issue: render_issue(call, places[issue], issue))


@endpoint("GET", ISSUES + "/{issue_iid}")
def show_issue(call: Call) -> object:
    """Tell of an issue."""
    return render_issue(call, call.project, call.issue)


@endpoint("POST", ISSUES, ISSUABLE, text="title", flag="confidential", required="title")
def create_issue(call: Call) -> object:
    """Open an issue; whoever may read those of a project may."""
    demand(call.project.issues_access != "disabled")
    title = call.params["title"].strip()
    _check_title(title)
    with call.world.writing() as now:
        issue = Issue(
            id=call.world.next_id("issue"),
            iid=call.project.next_iid("issues"),
            title=title,
            author=call.actor,
            created_at=now,
            updated_at=now,
            confidential=call.params.get("confidential", False),
        )
        _fill(call, issue)
        call.project.issues[issue.iid] = issue
    return render_issue(call, call.project, issue)


def _fill(call: Call, issue: Issue) -> None:
    """Take over what was given; labels and people are for Planners and up."""
    given = call.params
    issue.description = given.get("description", issue.description)
    if call.level < Level.PLANNER:
        return
    people, names = call.people(read_assignees(given)), read_labels(given, issue.labels)
    issue.assignees = issue.assignees if people is None else people
    if names is not None:
        issue.labels = find_labels(call.world, call.project, names)
    if "milestone_id" in given:
        issue.milestone = find_milestone(call, given["milestone_id"])


@endpoint(
    "PUT",
    ISSUES + "/{issue_iid}",
    LABELLED,
    ISSUABLE,
    text="title",
    choices={"state_event": "close reopen"},
)
def edit_issue(call: Call) -> object:
    """Change, close or reopen an issue: its author, or Reporter and up."""
    issue = call.issue
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
        _fill(call, issue)
        issue.state = STATES.get(call.params.get("state_event", ""), issue.state)
        is_closed = issue.state == "closed"
        issue.closed_at = (issue.closed_at or now) if is_closed else None
        issue.closed_by = (issue.closed_by or call.actor) if is_closed else None
        issue.updated_at = now
    return render_issue(call, call.project, issue)


@endpoint("DELETE", ISSUES + "/{issue_iid}")
def delete_issue(call: Call) -> None:
    """Delete an issue: its author, or an Owner."""
    issue = call.issue
    demand(issue.author is call.actor or call.level >= Level.OWNER)
    with call.world.writing():
        call.project.use_up("issues")
        del call.project.issues[issue.iid]


def _check_title(title: str) -> None:
    if not title:
        raise RefusedError(400, {"title": ["can't be blank"]})
    if len(title) > LONGEST_TITLE:
        raise RefusedError(400, {"title": [f"is too long (maximum is {LONGEST_TITLE} characters)"]})


def render_issue(call: Call, project: Project, issue: Issue) -> dict[str, object]:
    """Render an issue (lib/api/entities/issue.rb)."""
    path = project.path_with_namespace
    people = [render_user(call.world, each) for each in issue.assignees]
    at = ISSUES + "/{issue_iid}/notes"
    notes = call.world.shelf(at, id=project.id, issue_iid=issue.iid)
    return {
        **render_issuable(issue, project),
        **expose(issue, "closed_at milestone confidential"),
        "closed_by": render_user_or_none(call.world, issue.closed_by),
        "author": render_user(call.world, issue.author),
        "labels": [each.name for each in issue.labels],
        "assignees": people,
        "assignee": people[0] if people else None,
        "type": "ISSUE",
        "issue_type": "issue",
        "user_notes_count": len(notes),
        "upvotes": 0,
        "downvotes": 0,
        "due_date": None,
        "weight": None,
        "discussion_locked": None,
        "references": {
            "short": f"#{issue.iid}",
            "relative": f"#{issue.iid}",
            "full": f"{path}#{issue.iid}",
        },
        "web_url": web_url(call.world, f"{path}/-/issues/{issue.iid}"),
    }
