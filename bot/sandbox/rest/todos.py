"""REST: what the caller has to do."""

from collections.abc import Mapping

from bot.sandbox.rest.core import Answer, Call, endpoint, paged
from bot.sandbox.rest.merge_request_entities import merge_request_url, render_merge_request_basic
from bot.sandbox.rest.params import PAGING
from bot.sandbox.rest.people_entities import render_user
from bot.sandbox.world.access import required
from bot.sandbox.world.entities import Todo
from bot.sandbox.world.state import World


@endpoint(
    "GET",
    "/todos",
    PAGING,
    integer="author_id project_id",
    choices={
        "action": "assigned mentioned marked",
        "state": "pending done",
        "type": "MergeRequest",
    },
    open=False,
)
def list_todos(call: Call) -> Answer:
    """List the caller's to-dos, pending ones unless asked otherwise (doc/api/todos.md)."""
    wanted = call.params.get("state", "pending") == "done"
    found = [todo for todo in call.world.todos if todo.user is call.actor and todo.done is wanted]
    found = [todo for todo in found if _is_asked(todo, call.params)]
    return paged(call, found[::-1], lambda todo: _render(call.world, todo))


def _is_asked(todo: Todo, params: Mapping[str, object]) -> bool:
    told = {
        "action": todo.action,
        "author_id": todo.author.id,
        "project_id": todo.merge_request.project.id,
    }
    return all(params.get(name, value) == value for name, value in told.items())


@endpoint("POST", "/projects/{id}/merge_requests/{merge_request_iid}/todo")
def create_todo(call: Call) -> object:
    """Remember a merge request; 304 where one is remembered already (doc/api/merge_requests.md)."""
    mr, user = call.merge_request, call.actor
    for known in call.world.todos:
        if known.user is user and known.merge_request is mr and not known.done:
            return Answer(status=304)
    with call.world.writing() as now:
        number = call.world.next_id("todo")
        made = Todo(
            id=number, user=user, author=user, merge_request=mr, note=None, created_at=now,
            marked=True,
        )  # fmt: skip
        call.world.todos.append(made)
    return _render(call.world, made)


@endpoint("POST", "/todos/mark_as_done")
def mark_all_as_done(call: Call) -> Answer:
    """Mark all of the caller's to-dos as done."""
    for todo in call.world.todos:
        todo.done = todo.done or todo.user is call.actor
    return Answer(status=204)


@endpoint("POST", "/todos/{todo_id}/mark_as_done", open=False)
def mark_as_done(call: Call) -> object:
    """Mark one of the caller's to-dos as done."""
    number = call.path["todo_id"]
    own = (each for each in call.world.todos if each.user is call.actor)
    todo = required(next((each for each in own if str(each.id) == number), None))
    todo.done = True
    return _render(call.world, todo)


def _render(world: World, todo: Todo) -> dict[str, object]:
    mr = todo.merge_request
    address = merge_request_url(world, mr)
    return {
        "id": todo.id,
        "project": {
            "id": mr.project.id,
            "path_with_namespace": mr.project.path_with_namespace,
        },
        "author": render_user(world, todo.author),
        "action_name": todo.action,
        "target_type": "MergeRequest",
        "target": render_merge_request_basic(world, mr),
        "target_url": f"{address}#note_{todo.note.id}" if todo.note else address,
        "body": todo.note.body if todo.note else mr.title,
        "state": "done" if todo.done else "pending",
        "created_at": todo.created_at.isoformat(),
    }
