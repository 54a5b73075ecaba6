"""The sandbox makes GitLab's to-dos, so that "told once" can be seen."""

import pytest

from bot.sandbox.acts import actions
from bot.sandbox.acts.actions import NoteDraft
from bot.sandbox.pages.markdown import find_mentions
from bot.sandbox.world.entities import MergeRequest, Note
from bot.sandbox.world.state import World
from tests.sandbox_client import Api
from tests.sandbox_worlds import PROJECT, make_world, open_mr


def world_with_mentions() -> World:
    world = make_world()
    world.find_mentions = find_mentions
    return world


def write(world: World, mr: MergeRequest, body: str, by: str = "maintainer") -> Note:
    note = actions.create_note(world, world.user(by), mr, NoteDraft(body=body)).note
    assert note
    return note


def edit(world: World, mr: MergeRequest, note: Note, body: str) -> None:
    actions.edit_note(world, note.author, mr, note, body)


def told(world: World) -> list[str]:
    return [todo.user.username for todo in world.todos]


@pytest.mark.parametrize(
    ("body", "people"),
    [
        ("ask @author, please", ["author"]),
        ("ask @AUTHOR and @owner and @author", ["author", "owner"]),
        ("ask `@author`", []),
        ("ask @nobody-at-all", []),
        ("ask @outsider", ["outsider"]),
    ],
)
def test_a_mention_makes_a_to_do(body: str, people: list[str]) -> None:
    world = world_with_mentions()
    write(world, open_mr(world), body)
    assert told(world) == people


def test_a_mention_of_all_reaches_every_member() -> None:
    world = world_with_mentions()
    write(world, open_mr(world), "@all look")
    members = {each.user.username for each in world.project(PROJECT).members.values()}
    assert set(told(world)) == members


def test_an_edit_tells_only_whom_it_adds() -> None:
    world = world_with_mentions()
    mr = open_mr(world)
    note = write(world, mr, "ask @author")
    edit(world, mr, note, "do ask @author")
    assert told(world) == ["author"]
    edit(world, mr, note, "ask @owner, not `@author`")
    assert told(world) == ["author", "owner"]


def test_a_mention_that_stays_tells_nobody_even_when_they_are_done() -> None:
    world = world_with_mentions()
    mr = open_mr(world)
    note = write(world, mr, "ask @author")
    write(world, mr, "done", by="author")
    assert [todo.done for todo in world.todos] == [True]
    edit(world, mr, note, "still ask @author")
    assert told(world) == ["author"]
    edit(world, mr, note, "nobody")
    edit(world, mr, note, "again @author")
    assert told(world) == ["author", "author"]


def test_who_has_a_to_do_about_it_gets_no_second_one() -> None:
    world = world_with_mentions()
    mr = open_mr(world)
    actions.assign(world, world.user("author"), mr, [world.user("owner")])
    write(world, mr, "ask @owner")
    assert [(todo.user.username, todo.action) for todo in world.todos] == [("owner", "assigned")]


def test_without_a_reader_of_markdown_nobody_is_told() -> None:
    world = make_world()
    write(world, open_mr(world), "ask @author")
    assert told(world) == []


def test_people_see_and_finish_their_own_to_dos() -> None:
    world = world_with_mentions()
    mr = open_mr(world)
    note = write(world, mr, "ask @author and @owner")
    client = Api(world, "author", "api")
    (todo,) = client.get("/todos").body
    assert (todo["action_name"], todo["state"], todo["body"]) == ("mentioned", "pending", note.body)
    assert todo["target_url"].endswith(f"/-/merge_requests/{mr.iid}#note_{note.id}")
    assert client.get("/todos", action="assigned").body == []
    assert client.post(f"/todos/{todo['id']}/mark_as_done").body["state"] == "done"
    assert client.get("/todos").body == []
    assert len(client.get("/todos", state="done").body) == 1
    others = next(each for each in world.todos if each.user.username == "owner")
    assert client.post(f"/todos/{others.id}/mark_as_done").status == 404
