"""REST: merge requests, listed, shown, opened, changed, merged."""

# One module: half of it declares parameters, which list, change and merge share.

import html
from collections.abc import Mapping

from markdown_it import MarkdownIt

from bot.sandbox.acts import actions
from bot.sandbox.acts.merge_requests import MergeRequestDraft, MergeRequestUpdate
from bot.sandbox.acts.merges import MergeWish
from bot.sandbox.rest.core import Answer, Call, endpoint, paged
from bot.sandbox.rest.finding import find_asked
from bot.sandbox.rest.kinds import find
from bot.sandbox.rest.merge_request_entities import (
    count_diverged,
    render_label_basic,
    render_merge_request,
    render_merge_request_basic,
)
from bot.sandbox.rest.params import (
    ISSUABLE,
    LABELLED,
    PAGING,
    SCOPES,
    mapping,
    read_assignees,
    read_labels,
    takes,
)
from bot.sandbox.rest.shelves import MILESTONES, find_milestone
from bot.sandbox.world.access import can_read_merge_requests, demand, required
from bot.sandbox.world.entities import Level, MergeRequest
from bot.sandbox.world.merge_request_search import ORDERS
from bot.sandbox.world.state import RefusedError

NEGATABLE = takes(
    text="author_username reviewer_username",
    words="assignee_username labels",
    integer="author_id reviewer_id",
    integer_or_word="assignee_id",
)
PAIRS = ("author", "reviewer", "assignee", "merge_user")
PREMIUM = ("approved_by_ids", "approved_by_usernames")
MOST_APPROVERS = 5
FILTERS = takes(
    NEGATABLE,
    PAGING,
    {"not": mapping(NEGATABLE)},
    text="my_reaction_emoji source_branch target_branch search in merge_user_username",
    words="approved_by_ids approved_by_usernames",
    integer="source_project_id merge_user_id",
    integers="iids",
    integer_or_word="reviewer_id",
    flag="with_merge_status_recheck with_labels_details draft",
    moment="created_after created_before updated_after updated_before merged_after merged_before",
    choices={
        "state": "opened closed locked merged all",
        "scope": f"{SCOPES} reviews_for_me",
        "order_by": " ".join(set(ORDERS) - {"closed_at"}),
        "sort": "asc desc",
        "view": "simple",
        "wip": "yes no",
    },
)


@endpoint("GET", "/projects/{id}/merge_requests", FILTERS, job_token=True)
@endpoint("GET", "/groups/{id}/merge_requests", FILTERS)
@endpoint("GET", "/merge_requests", FILTERS, open=False)
def list_merge_requests(call: Call) -> Answer:
    """List merge requests."""
    if call.is_in_project:
        demand(can_read_merge_requests(call.user, call.project, call.today))
    return _list(call, _readable(call))


@endpoint("GET", "/projects/{id}/milestones/{milestone_id}/merge_requests", PAGING)
@endpoint("GET", "/groups/{id}/milestones/{milestone_id}/merge_requests", PAGING)
def list_milestone_merge_requests(call: Call) -> Answer:
    """List what has a milestone."""
    milestone = find(MILESTONES[type(call.place)], call)
    return _list(call, [mr for mr in _readable(call) if mr.milestone is milestone])


@endpoint("DELETE", "/projects/{id}/merge_requests/{merge_request_iid}")
def delete_merge_request(call: Call) -> None:
    """Delete a merge request: an Owner."""
    demand(call.level >= Level.OWNER)
    with call.world.writing():
        call.project.use_up("merge_requests")
        del call.project.merge_requests[call.merge_request.iid]


def _readable(call: Call) -> list[MergeRequest]:
    return [
        mr
        for project in call.projects
        if can_read_merge_requests(call.user, project, call.today)
        for mr in project.merge_requests.values()
    ]


def _reacted(mr: MergeRequest, user_id: int, name: str) -> bool:
    return any(award.user.id == user_id and award.name == name for award in mr.awards)


def _list(call: Call, found: list[MergeRequest]) -> Answer:
    given = call.params
    for pair in PAIRS:
        if f"{pair}_id" in given and f"{pair}_username" in given:
            problem = f"{pair}_id, {pair}_username are mutually exclusive"
            raise RefusedError(400, problem, key="error")
    for name in PREMIUM:
        if len(given.get(name, ())) > MOST_APPROVERS:
            problem = f"{name} must have at most {MOST_APPROVERS} values"
            raise RefusedError(400, problem, key="error")
    if "my_reaction_emoji" in given:
        emoji = given["my_reaction_emoji"]
        found = [mr for mr in found if _reacted(mr, call.actor.id, emoji)]
    is_free = call.is_in_project and not call.project.settings.premium
    found = find_asked(call, found, PREMIUM if is_free else ())
    return paged(call, found, lambda mr: _render_row(call, mr))


# lib/api/entities/merge_request_simple.rb and project_entity.rb
SIMPLE = (
    "id", "iid", "project_id", "title", "description", "state", "created_at", "updated_at",
    "web_url",
)  # fmt: skip


def _render_row(call: Call, mr: MergeRequest) -> Mapping[str, object]:
    row = render_merge_request_basic(call.world, mr)
    if call.params.get("view") == "simple":
        return {name: row[name] for name in SIMPLE}
    if call.params.get("with_labels_details"):
        row["labels"] = [render_label_basic(each) for each in mr.labels]
    return row


@endpoint(
    "GET",
    "/projects/{id}/merge_requests/{merge_request_iid}",
    flag="render_html include_diverged_commits_count include_rebase_in_progress",
    job_token=True,
)
def show_merge_request(call: Call) -> object:
    """Tell of a merge request."""
    mr = call.merge_request
    body = render_merge_request(call.world, mr, call.user)
    if call.params.get("render_html"):
        body["title_html"] = html.escape(mr.title)
        body["description_html"] = _to_html(mr.description)
    if call.params.get("include_diverged_commits_count"):
        body["diverged_commits_count"] = count_diverged(mr)
    if call.params.get("include_rebase_in_progress"):
        body["rebase_in_progress"] = False
    return body


def _to_html(text_: str) -> str:
    # Plain CommonMark: what GitLab adds to it (references, emoji) is left out.
    return str(MarkdownIt().render(text_))


WRITABLE = takes(ISSUABLE, LABELLED, integers="reviewer_ids", flag="remove_source_branch squash")
AS_GIVEN = ("title", "description", "target_branch", "discussion_locked", "squash")


@endpoint(
    "POST",
    "/projects/{id}/merge_requests",
    WRITABLE,
    text="title source_branch target_branch",
    integer="target_project_id",
    required="title source_branch target_branch",
)
def open_merge_request(call: Call) -> object:
    """Open a merge request; the project of the path holds the source."""
    given, source = call.params, call.project
    target = call.world.projects.get(given.get("target_project_id", source.id))
    target = required(target, "404 Project Not Found")
    draft = MergeRequestDraft(
        title=given["title"],
        source_branch=given["source_branch"],
        target_branch=given["target_branch"],
        description=given.get("description", ""),
        source_project=source,
        assignees=call.people(read_assignees(given)) or (),
        reviewers=call.people(given.get("reviewer_ids")) or (),
        labels=tuple(given.get("labels", ())),
        squash=given.get("squash", False),
        force_remove_source_branch=given.get(
            "remove_source_branch", target.told.get("remove_source_branch_after_merge", False)
        ),
    )
    mr = actions.open_merge_request(call.world, call.actor, target, draft)
    _set_milestone(call, mr)
    return render_merge_request(call.world, mr, call.user)


@endpoint(
    "PUT",
    "/projects/{id}/merge_requests/{merge_request_iid}",
    WRITABLE,
    text="title target_branch",
    flag="discussion_locked",
    choices={"state_event": "close reopen"},
)
def update_merge_request(call: Call) -> object:
    """Change a merge request."""
    given, mr = call.params, call.merge_request
    if not given:
        names = "assignee_id, assignee_ids, description, labels, title, ..."
        raise RefusedError(400, f"{names} are missing, at least one parameter must be provided")
    event = {"close": actions.close, "reopen": actions.reopen}.get(given.get("state_event", ""))
    if event is not None:
        event(call.world, call.actor, mr)
    update = MergeRequestUpdate(
        **{name: given.get(name) for name in AS_GIVEN},
        assignees=call.people(read_assignees(given)),
        reviewers=call.people(given.get("reviewer_ids")),
        labels=read_labels(given, mr.labels),
        force_remove_source_branch=given.get("remove_source_branch"),
    )
    actions.update_merge_request(call.world, call.actor, mr, update)
    _set_milestone(call, mr)
    return render_merge_request(call.world, mr, call.user)


def _set_milestone(call: Call, mr: MergeRequest) -> None:
    if "milestone_id" in call.params:
        mr.milestone = find_milestone(call, call.params["milestone_id"])


@endpoint(
    "PUT",
    "/projects/{id}/merge_requests/{merge_request_iid}/merge",
    text="sha merge_commit_message squash_commit_message",
    flag="squash should_remove_source_branch",
)
def merge(call: Call) -> object:
    """Merge."""
    given, mr = call.params, call.merge_request
    wish = MergeWish(
        message=given.get("merge_commit_message"),
        squash=given.get("squash"),
        squash_message=given.get("squash_commit_message"),
        remove_source_branch=given.get("should_remove_source_branch"),
    )
    actions.merge(call.world, call.actor, mr, given.get("sha"), wish)
    return render_merge_request(call.world, mr, call.user)
