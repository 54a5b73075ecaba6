"""REST: things that are kept as they were sent and move nothing else, one row of a table each."""

# One module: one table of what is kept as it was sent, with what its rows add.

from collections.abc import Callable, Mapping, MutableSequence
from functools import partial
from typing import Any

from bot.sandbox.rest.core import Answer, Call, endpoint, paged
from bot.sandbox.rest.kinds import Kind, Row, create, find_own, offer
from bot.sandbox.rest.params import PAGING, Param, takes
from bot.sandbox.rest.people_entities import render_user, stamp, web_url
from bot.sandbox.rest.pipelines import SCHEDULE
from bot.sandbox.rest.releases import LINK, LINKS, tell_link
from bot.sandbox.rest.settings import LEVELS
from bot.sandbox.world.access import can_read, demand
from bot.sandbox.world.entities import Group, Issue, Level, MergeRequest, Project
from bot.sandbox.world.state import RefusedError

STATES = {"close": "closed", "activate": "active"}


def _rows(at: str, key: str, call: Call) -> MutableSequence[Row]:
    """Find the list that an address means; what stands above it must be there."""
    above = {name: value for name, value in call.path.items() if name != key}
    if "tag_name" in above:
        found = call.code.releases.get(above["tag_name"])
        demand(found is not None, 404)
        return found.links if found else []
    if "issue_iid" in above:
        _ = call.issue
    if "pipeline_schedule_id" in above:
        find_own(SCHEDULE, call)
    if "sha" in above:
        above["sha"] = call.commit(above["sha"]).sha
    return call.world.shelf(at, **{**above, "id": call.place.id})


def _change(call: Call, row: Row, given: Mapping[str, Any]) -> None:
    row |= {name: value for name, value in given.items() if name != "state_event"}
    if "state_event" in given:
        row["state"] = STATES[given["state_event"]]
    if "updated_at" in row:
        row["updated_at"] = stamp(call.world.now)


def _shelf(
    at: str, key: str, fields: Mapping[str, Param], more: Callable[[Call], Row], **rights: Any
) -> Kind:
    """Offer a kind of thing that is kept as it was sent, with `more` of its own."""

    def make(call: Call) -> Row:
        kind = at.rpartition("/")[2].removesuffix("s")
        told: Row = {"id": call.world.next_id(kind), **dict.fromkeys(fields)}
        told.pop("state_event", None)
        return told | more(call) | dict(call.params)

    return offer(
        Kind(
            at=at,
            key=key,
            name=key if rights.get("unique") == key else "id",
            fields=fields,
            keep=partial(_rows, at, key),
            make=make,
            change=_change,
            **rights,
        )
    )


def _is_ours(_kind: Kind, call: Call, row: Row) -> bool:
    """Return whether the caller may change a note: its author, or Maintainer and up."""
    return row["author"]["id"] == call.actor.id or call.level >= Level.MAINTAINER


def _times(call: Call) -> Row:
    return {"created_at": stamp(call.world.now), "updated_at": stamp(call.world.now)}


def _milestone(call: Call) -> Row:
    place, number = call.place, call.world.next_id(f"milestones of {call.url}")
    is_group = isinstance(place, Group)
    path = f"groups/{place.full_path}" if isinstance(place, Group) else place.path_with_namespace
    url = web_url(call.world, f"{path}/-/milestones/{number}")
    told = {"iid": number, "state": "active", "expired": False, "web_url": url}
    return {**told, **_times(call), "group_id" if is_group else "project_id": place.id}


def _forget_milestone(call: Call, row: Row) -> None:
    for project in call.world.projects.values():
        items: list[MergeRequest | Issue] = [*project.merge_requests.values()]
        for item in (*items, *project.issues.values()):
            if item.milestone is row:
                item.milestone = None
        for release in project.releases.values():
            release.milestones = [each for each in release.milestones if each is not row]


def _note(call: Call) -> Row:
    """Write a note on an issue, which is then changed (lib/api/entities/note.rb)."""
    issue, now = call.issue, call.world.now
    issue.updated_at = now
    told = dict.fromkeys(("system", "resolvable", "internal", "confidential", "imported"), False)
    return {
        **told,
        **_times(call),
        "type": None,
        "author": render_user(call.world, call.actor),
        "noteable_id": issue.id,
        "noteable_type": "Issue",
        "noteable_iid": issue.iid,
        "project_id": call.project.id,
        "commands_changes": {},
    }


def _commented(call: Call) -> Row:
    return {"author": render_user(call.world, call.actor), "created_at": stamp(call.world.now)}


def _demand_stopped(_call: Call, row: Row) -> None:
    """Refuse to delete an environment that is not stopped (doc/api/environments.md)."""
    demand(row["state"] == "stopped")


def _protected_tag(call: Call) -> Row:
    level, number = call.params.get("create_access_level", Level.MAINTAINER), call.world.next_id
    if level not in LEVELS:
        raise RefusedError(400, "create_access_level does not have a valid value", key="error")
    rule = {"id": number("create_access_level"), "access_level": level}
    return {"create_access_levels": [rule | {"access_level_description": LEVELS[level]}]}


def _group_label(_call: Call) -> Row:
    told = {"text_color": "#FFFFFF", "subscribed": False, "priority": None}
    return {**told, "is_project_label": False, "archived": False}


MILESTONE = takes(
    text="title description due_date start_date",
    required="title",
    choices={"state_event": "close activate"},
)
LISTING = takes(text="search state title")
VARIABLE = takes(text="key value", required="key value", choices={"variable_type": "env_var file"})
GROUP_VARIABLE = takes(
    VARIABLE,
    text="description environment_scope",
    flag="protected masked raw",
)
# doc/api/milestones.md, doc/api/group_milestones.md
MILESTONES = {
    place: _shelf(at, key="milestone_id", fields=MILESTONE, more=_milestone, unique="title",
                  writes=Level.PLANNER, listing=LISTING, forget=_forget_milestone)
    for place, at in ((Project, "/projects/{id}/milestones"), (Group, "/groups/{id}/milestones"))
}  # fmt: skip
# doc/api/notes.md, "Issues"
ISSUE_NOTES = _shelf(
    "/projects/{id}/issues/{issue_iid}/notes", key="note_id", more=_note,
    fields=takes(text="body", required="body"), writes=Level.NO_ACCESS, may_change=_is_ours,
)  # fmt: skip
# doc/api/environments.md
ENVIRONMENTS = _shelf(
    "/projects/{id}/environments", key="environment_id", unique="name",
    fields=takes(text="name external_url tier description", required="name"),
    more=lambda call: {"slug": call.params["name"].lower(), "state": "available", **_times(call)},
    reads=Level.REPORTER, forget=_demand_stopped,
)  # fmt: skip
SHELVES = (
    *MILESTONES.values(),
    ISSUE_NOTES,
    # doc/api/commits.md, "Post comment to commit"
    _shelf("/projects/{id}/repository/commits/{sha}/comments", key="comment_id", more=_commented,
           fields=takes(text="note path line_type", integer="line", required="note"),
           writes=Level.REPORTER, ways=("list", "create")),
    # doc/api/releases/links.md; doc/ci/jobs/ci_job_token.md: job tokens may read and make them.
    _shelf(LINKS, key="link_id", unique="name url",
           job_token=True, fields=LINK,
           more=lambda call: tell_link(call.params)),
    # doc/api/pipeline_schedules.md, "Pipeline schedule variables"
    _shelf("/projects/{id}/pipeline_schedules/{pipeline_schedule_id}/variables", key="key",
           fields=VARIABLE, unique="key", more=lambda _call: {"variable_type": "env_var"},
           ways=("create", "edit", "delete")),
    # doc/api/group_level_variables.md
    _shelf("/groups/{id}/variables", key="key", fields=GROUP_VARIABLE, unique="key",
           reads=Level.MAINTAINER, writes=Level.OWNER,
           more=lambda _call: {"variable_type": "env_var", "environment_scope": "*",
                               **dict.fromkeys(("protected", "masked", "raw", "hidden"), False)}),
    # doc/api/group_labels.md
    _shelf("/groups/{id}/labels", key="label_id", unique="name", taken=409,
           writes=Level.PLANNER,
           fields=takes(text="name color description", required="name color"), more=_group_label),
    # doc/api/protected_tags.md
    _shelf("/projects/{id}/protected_tags", key="name", unique="name", taken=422,
           more=_protected_tag,
           fields=takes(text="name", integer="create_access_level", items="allowed_to_create",
                        required="name"),
           reads=Level.MAINTAINER, writes=Level.MAINTAINER,
           ways=("list", "show", "create", "delete")),
    ENVIRONMENTS,
    # doc/api/deploy_keys.md
    _shelf("/projects/{id}/deploy_keys", key="key_id", unique="key",
           fields=takes(text="title key", flag="can_push", required="title key"),
           more=lambda call: {"created_at": stamp(call.world.now), "can_push": False},
           reads=Level.MAINTAINER, writes=Level.MAINTAINER),
)  # fmt: skip


THREADS = "/projects/{id}/issues/{issue_iid}/discussions"


def _thread(row: Row) -> Row:
    return {"id": f"{row['id']:040x}", "individual_note": True, "notes": [row]}


@endpoint("GET", THREADS, PAGING)
def list_issue_threads(call: Call) -> Answer:
    """List the notes of an issue, each a thread of its own: none is answered here."""
    return paged(call, ISSUE_NOTES.keep(call), _thread)


@endpoint("POST", THREADS, text="body", required="body")
def create_issue_thread(call: Call) -> object:
    """Write a note on an issue."""
    create(ISSUE_NOTES, call)
    return _thread(ISSUE_NOTES.keep(call)[-1])


@endpoint("POST", ENVIRONMENTS.at + "/{environment_id}/stop", flag="force")
def stop_environment(call: Call) -> Answer:
    """Stop an environment."""
    row = find_own(ENVIRONMENTS, call)
    with call.world.writing():
        row["state"] = "stopped"
    return Answer(body=row)


# Of these there is nothing here, and nothing can be made.
NONE_HERE = (
    *(f"/{places}/{{id}}/{name}" for places in ("projects", "groups") for name in (
        "access_requests", "access_tokens", "badges", "boards", "deploy_tokens", "invitations",
        "packages", "registry/repositories", "runners", "wikis")),
    *(f"/projects/{{id}}/{name}" for name in (
        "deployments", "feature_flags", "pages/domains", "remote_mirrors", "snippets",
        "pipelines/{pipeline_id}/bridges", "issues/{issue_iid}/links")),
    "/user/emails", "/user/keys", "/user/gpg_keys", "/snippets",
)  # fmt: skip


def _list_nothing(call: Call) -> Answer:
    if "id" in call.path:
        demand(can_read(call.user, call.place, call.today), 404)
    return paged(call, (), dict)


for _template in NONE_HERE:
    endpoint("GET", _template, PAGING, text="search state", open=False)(_list_nothing)


def find_milestone(call: Call, number: int) -> Row | None:
    """Find a milestone of the project of the path, or of a group above it."""
    above = [group.id for group in call.project.group.lineage()] if call.project.group else []
    rows = [*call.world.shelf("/projects/{id}/milestones", id=call.project.id)]
    for each in above:
        rows += call.world.shelf("/groups/{id}/milestones", id=each)
    return next((row for row in rows if row["id"] == number), None)
