"""The world of the sandbox: clock, numbers, names, log, snapshots."""

import threading
from datetime import timedelta

import pytest

from bot.sandbox.acts import actions
from bot.sandbox.acts.actions import NoteDraft
from bot.sandbox.world.entities import Group, Token, User
from bot.sandbox.world.state import Event, QuickActionOutcome, World
from tests.sandbox_worlds import NOW, PROJECT, make_world, open_mr


def test_every_write_takes_a_second() -> None:
    world = make_world()
    mr = open_mr(world)
    before = world.now
    actions.create_note(world, world.user("author"), mr, NoteDraft(body="x"))
    assert world.now - before == timedelta(seconds=1)


def test_the_clock_can_be_set_and_advanced() -> None:
    world = World(NOW)
    world.now += timedelta(days=3)
    assert world.tick(60) == NOW + timedelta(days=3, minutes=1)


def test_numbers_count_on_from_a_chosen_one() -> None:
    world = World()
    assert world.next_id("user") == 1
    assert world.reserve_id("user", 40) == 40
    assert world.next_id("user") == 41
    assert world.reserve_id("user", 3) == 3
    assert world.next_id("user") == 42


def test_a_name_belongs_to_one_account_or_group() -> None:
    world = make_world()
    with pytest.raises(ValueError, match="'OWNER' is taken"):
        world.add_user(User(id=99, username="OWNER", name="x", created_at=NOW))
    with pytest.raises(ValueError, match="is taken"):
        world.add_group(Group(id=1, full_path="owner", name="x", created_at=NOW))


def test_things_are_found_by_number_and_by_name_without_case() -> None:
    world = make_world()
    mr = open_mr(world)
    group = world.add_group(Group(id=5, full_path="A/b", name="b", created_at=NOW))
    assert world.find_user("AUTHOR") is world.user("author")
    assert world.find_project("GROUP/team") is world.find_project("7") is world.project(PROJECT)
    assert world.find_group("5") is world.find_group("a/B") is group
    assert world.find_merge_request(PROJECT, 1) is mr
    assert world.find_merge_request("none/such", 1) is None
    assert world.find_group(PROJECT) is None
    assert world.find_project("a/b") is None


@pytest.mark.parametrize("find", [lambda w: w.user("nobody"), lambda w: w.project("a/b/c")])
def test_what_must_exist_and_does_not_is_an_error(find: object) -> None:
    assert callable(find)
    with pytest.raises(ValueError, match="no "):
        find(make_world())


def test_every_change_is_an_event_in_order_and_subscribers_hear_it() -> None:
    world = make_world()
    heard: list[Event] = []
    world.subscribers.append(heard.append)
    mr = open_mr(world)
    actions.create_note(world, world.user("author"), mr, NoteDraft(body="x"))
    assert heard == world.events
    assert [event.kind for event in heard][-2:] == ["merge_request_changed", "note_created"]
    assert heard[-1].merge_request is mr


def test_a_subscriber_hears_with_the_lock_held() -> None:
    world = make_world()
    free = []

    def try_lock() -> None:
        free.append(world.lock.acquire(blocking=False))

    def listen(_event: object) -> None:
        thread = threading.Thread(target=try_lock)
        thread.start()
        thread.join()

    world.subscribers.append(listen)
    open_mr(world)
    assert set(free) == {False}


def test_a_snapshot_does_not_follow_the_world() -> None:
    world = make_world()
    mr = open_mr(world)
    old = world.snapshot()
    actions.create_note(world, world.user("author"), mr, NoteDraft(body="x"))
    twin = old.project(PROJECT).merge_requests[1]
    assert (len(twin.notes), len(mr.notes)) == (0, 1)
    assert twin.author is old.user("author")
    assert twin.author is not mr.author


def test_the_state_before_the_last_write_is_kept_when_asked() -> None:
    world = make_world()
    mr = open_mr(world)
    author = world.user("author")
    actions.create_note(world, author, mr, NoteDraft(body="first"))
    assert world.previous is None
    world.keeps_previous = True
    actions.create_note(world, author, mr, NoteDraft(body="second"))
    assert world.previous is not None
    kept = world.previous.project(PROJECT).merge_requests[1].notes
    assert [note.body for note in kept] == ["first"]


def test_secrets_are_not_in_the_reprs() -> None:
    world = make_world()
    token = Token(id=1, value="glpat-secret", user=world.user("owner"))
    assert "glpat" not in repr(token)
    assert "glptt" not in repr(world.project(PROJECT).triggers)


@pytest.mark.parametrize(
    ("commands", "text", "expected"),
    [((), "", False), (("close",), "  ", True), (("close",), "and words", False)],
)
def test_a_note_is_commands_only_when_nothing_else_is_left(
    commands: tuple[str, ...], text: str, expected: bool
) -> None:
    assert QuickActionOutcome(text=text, commands=commands).commands_only is expected
