"""Tests of the decision which merge request an event is about."""

import json
import re
from collections.abc import Callable, Iterator
from functools import partial, reduce
from operator import getitem
from typing import Any

import pytest
from hypothesis import given, strategies as st

from bot.event import (
    IDLE_CHANGES,
    MARKER,
    MAX_BYTES,
    MOST_GUESSES,
    Broken,
    Event,
    Irrelevant,
    Push,
    Stranger,
    has_command,
    read_event,
)
from bot.scope import parse_scope
from bot.team.files import TEAM_FILES
from tests.characters import ANY_CHARACTER
from tests.comments import parse_commands
from tests.event_bodies import (
    TEAM_PROJECT,
    TEAM_PROJECT_ID,
    change,
    make_merge_request_body,
    make_note_body,
    make_push_body,
    make_status_check_body,
)


def parse(body: dict[str, Any], project: str = TEAM_PROJECT, word: str = "nomination") -> Any:
    return read_event(json.dumps(body).encode(), project, word)


def is_relevant(body: dict[str, Any]) -> bool:
    found = parse(body)
    if isinstance(found, Irrelevant):
        assert found.reason
        return False
    assert (found.project, found.iid) == (TEAM_PROJECT, 231)
    return True


@pytest.mark.parametrize(
    "action", ["open", "reopen", "close", "merge", "approved", "unapproved", "approval", "new"]
)
def test_whatever_happens_to_a_merge_request_matters(action: str) -> None:
    assert is_relevant(make_merge_request_body(action))


@pytest.mark.parametrize(
    ("changes", "matters"),
    [
        ({"assignees": [[], []]}, True),
        ({"reviewers": [[], []]}, True),
        (change("draft", True, False), True),
        (change("target_branch", "main", "next"), True),
        (change("head_pipeline_id", 1, 2), True),
        (change("prepared_at", None, "2026-02-03 09:15:13 UTC"), True),
        (change("state_id", 1, 3), True),
        (change("something_new", 1, 2), True),
        (change("title", "a", "b"), False),
        (change("description", "a", "b") | change("updated_at", "a", "b"), False),
        (change("labels", [], []), True),
        (change("blocking_discussions_resolved", False, True), True),
        (change("title", "Draft: a", "a") | change("draft", True, False), True),
        ({}, True),
    ],
)
def test_updates_matter_by_what_they_change(changes: dict[str, Any], matters: bool) -> None:
    assert is_relevant(make_merge_request_body("update", changes)) is matters


def test_a_push_matters_whatever_else_it_changes() -> None:
    body = make_merge_request_body("update", change("updated_at", "a", "b"))
    body["object_attributes"]["oldrev"] = "a1b2c3d4e5f60718293a4b5c6d7e8f9001122334"
    assert is_relevant(body)


def test_an_update_without_a_list_of_changes_matters() -> None:
    body = make_merge_request_body("update")
    del body["changes"]
    assert is_relevant(body)


def test_all_idle_changes_together_are_still_idle() -> None:
    changes = {name: {"previous": 1, "current": 2} for name in IDLE_CHANGES}
    assert not is_relevant(make_merge_request_body("update", changes))


def test_a_status_check_is_always_answered() -> None:
    found = parse(make_status_check_body())
    assert isinstance(found, Event)
    assert (found.kind, found.project, found.iid) == ("status_check", TEAM_PROJECT, 231)


def test_a_status_check_is_answered_even_for_idle_changes() -> None:
    body = make_status_check_body()
    body["object_attributes"]["action"] = "update"
    body["changes"] = change("title", "a", "b")
    assert is_relevant(body)


@pytest.mark.parametrize("kind", ["DiffNote", "DiscussionNote"])
def test_what_is_said_in_a_thread_may_be_a_concern(kind: str) -> None:
    here = {"NOMINATION_BOT_TEAM_PROJECT": TEAM_PROJECT}
    own = {**here, "NOMINATION_BOT_POLICIES": "policies"}

    def read(environment: dict[str, str], **attributes: str) -> object:
        body = make_note_body("I would wait.", type=kind, **attributes)
        return read_event(json.dumps(body).encode(), *parse_scope(environment))

    assert isinstance(read(own), Event)
    assert isinstance(read(own, noteable_type="Issue"), Irrelevant)
    # The shipped policy that is in force otherwise asks for nothing in threads.
    assert isinstance(read(here), Irrelevant)


@pytest.mark.parametrize("kind", ["merge_request", "note"])
def test_the_kind_of_event_is_told(kind: str) -> None:
    body = {
        "merge_request": make_merge_request_body("open"),
        "note": make_note_body("/nomination recheck"),
    }[kind]
    assert parse(body).kind == kind


ENTRIES = "data/team_members/person/"
ELSEWHERE = {"modified": ["README.md"], "added": ["docs/a.md"], "removed": ["data/roles.yml"]}


@pytest.mark.parametrize(
    ("commits", "fields", "matters"),
    [
        ([ELSEWHERE], {}, False),
        ([ELSEWHERE, {"modified": [f"{ENTRIES}a/ada.yml"]}], {}, True),
        ([{"removed": [f"{ENTRIES}a/ada.yml"]}], {}, True),
        ([{"added": ["Data\\Team_Members\\person\\a\\ada.yml"]}], {}, True),
        ([{"added": ["data/team_members"]}], {}, True),  # a link in place of the folder
        ([{"added": ["attic/ada.yml"]}], {}, True),  # perhaps moved from there
        ([], {}, True),  # forced back to an older commit
        ([ELSEWHERE] * 20, {"total_commits_count": 21}, True),
        ([ELSEWHERE], {"commits": "many"}, True),
        ([ELSEWHERE], {"commits": ["one"]}, True),
        ([ELSEWHERE | {"modified": None}], {}, True),
        ([{"modified": [f"{ENTRIES}a/ada.yml"]}], {"ref": "refs/heads/main2"}, False),
        ([], {"ref": "refs/heads/nominate-ada"}, False),
    ],
)
def test_pushes_matter_where_they_may_have_changed_an_entry(
    commits: list[dict[str, Any]], fields: dict[str, Any], matters: bool
) -> None:
    raw = json.dumps(make_push_body(*commits, **fields)).encode()
    found = read_event(raw, TEAM_PROJECT, "nomination", (), ENTRIES)
    assert isinstance(found, Push if matters else Irrelevant)
    if isinstance(found, Push):
        assert (found.before, found.after) == ("a" * 40, "b" * 40)


@pytest.mark.parametrize("given", [None, 5, "main", "\ud800", "a" * 39, "A" * 40, ["a" * 40]])
def test_what_is_no_commit_is_taken_for_none(given: object) -> None:
    found = parse(make_push_body(before=given, after=given))
    assert (found.before, found.after) == ("0" * 40, "0" * 40)


def test_with_policies_of_ones_own_every_push_to_the_default_branch_matters() -> None:
    scope = parse_scope({"NOMINATION_BOT_POLICIES": "policies"})
    body = json.dumps(make_push_body(ELSEWHERE)).encode()
    assert isinstance(read_event(body, TEAM_PROJECT, *scope[1:]), Push)
    assert parse_scope({})[3] == TEAM_FILES.partition("*")[0]


@pytest.mark.parametrize(
    "told",
    [{}, {"default_branch": None}, {"default_branch": 5}, {"default_branch": []}],
)
def test_where_the_default_branch_is_not_told_a_push_may_be_to_it(told: dict[str, Any]) -> None:
    body = make_push_body({"modified": [f"{ENTRIES}a/ada.yml"]})
    del body["project"]["default_branch"]
    body["project"] |= told
    assert isinstance(parse(body), Push)
    assert isinstance(parse(body | {"ref": "refs/tags/main"}), Irrelevant)


def places_in(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield where something is in a body, by the keys and numbers that lead there."""
    if place:
        yield place
    if isinstance(value, dict | list):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield from places_in(value[key], (*place, key))


@pytest.mark.parametrize(
    "make",
    [
        partial(make_push_body, {"added": [f"{ENTRIES}a/ada.yml"]}, {"removed": []}),
        partial(make_merge_request_body, "update", change("labels", [{"id": 1}], [])),
        partial(make_note_body, "/nomination help"),
    ],
)
@pytest.mark.parametrize("odd", [None, True, -1, 1.5, "", "x", [], [[]], {}, {"x": []}])
@pytest.mark.parametrize("project", [TEAM_PROJECT, str(TEAM_PROJECT_ID)])
def test_no_odd_value_at_any_place_of_a_body_ends_the_reading(
    make: Callable[[], dict[str, Any]], odd: object, project: str
) -> None:
    text = json.dumps(make())
    for *way, last in places_in(json.loads(text)):
        body = json.loads(text)
        reduce(getitem, way, body)[last] = odd
        raw = json.dumps(body).encode()
        for concerns in ((), ("DiffNote",)):
            found = read_event(raw, project, "nomination", concerns, ENTRIES)
            assert isinstance(found, Event | Push | Irrelevant | Stranger | Broken)


@pytest.mark.parametrize("ref", [None, 5, ["refs/heads/main"]])
def test_a_push_to_nowhere_is_broken(ref: object) -> None:
    assert isinstance(parse(make_push_body(ref=ref)), Broken)


def test_a_push_elsewhere_does_not_matter() -> None:
    body = make_push_body({"modified": [f"{ENTRIES}a/ada.yml"]})
    body["project"]["path_with_namespace"] = "example-org/other"
    assert isinstance(parse(body), Irrelevant)


@pytest.mark.parametrize("kind", ["tag_push", "issue", "emoji", "build", "pipeline"])
def test_other_kinds_of_events_do_not_matter(kind: str) -> None:
    assert not is_relevant({"object_kind": kind})


@pytest.mark.parametrize(
    ("text", "matters"),
    [
        ("/nomination recheck", True),
        ("/NOMINATION recheck", True),
        ("Thanks!\n\n/nomination recheck\n", True),
        ("Thanks!\r\n/nomination recheck\r\n", True),
        ("Thanks!\r/nomination recheck", True),
        ("/nomination", True),
        ("/nomination, please", True),
        ("/nominations recheck", False),
        ("please /nomination recheck", False),
        (" /nomination recheck", False),
        ("nomination recheck", False),
        ("LGTM", False),
        ("", False),
    ],
)
def test_notes_matter_when_some_line_may_be_a_command(text: str, matters: bool) -> None:
    assert is_relevant(make_note_body(text)) is matters


def test_the_word_of_the_command_is_configurable() -> None:
    assert isinstance(parse(make_note_body("/promote.me now"), word="promote.me"), Event)
    assert isinstance(parse(make_note_body("/promoteXme now"), word="promote.me"), Irrelevant)
    assert isinstance(parse(make_note_body("/nomination recheck"), word="promote"), Irrelevant)


@pytest.mark.parametrize("action", ["create", "update"])
def test_new_and_edited_notes_are_alike(action: str) -> None:
    assert is_relevant(make_note_body("/nomination recheck", action=action))


@pytest.mark.parametrize("noteable", ["Issue", "Commit", "Snippet", None])
def test_notes_elsewhere_do_not_matter(noteable: str | None) -> None:
    assert not is_relevant(make_note_body("/nomination recheck", noteable_type=noteable))


def test_system_notes_do_not_matter() -> None:
    assert not is_relevant(make_note_body("/nomination recheck", system=True))


@pytest.mark.parametrize(
    ("username", "matters"),
    [
        ("ada", True),
        ("project_bot_fan", True),
        ("project_7001_botany", True),
        ("project_7001_bot", False),
        ("project_7001_bot_4ffca233d8298ea1", False),
        ("group_12_bot_4ffca233d8298ea1", False),
        ("project_7001_bot2", False),
    ],
)
def test_bots_have_nothing_to_command(username: str, matters: bool) -> None:
    body = make_note_body("/nomination recheck")
    body["user"]["username"] = username
    assert is_relevant(body) is matters


def test_the_bots_own_comment_does_not_matter() -> None:
    found = parse(make_note_body(f"{MARKER}:comment -->\n**Ready**: see `/nomination help`"))
    assert isinstance(found, Irrelevant)
    assert found.reason == "the bot's own comment"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"object_kind": "issue"}, "events of this kind never concern a nomination"),
        (
            make_merge_request_body("update", change("title", "a", "b")),
            "the update changes nothing that a nomination depends on",
        ),
        (
            make_note_body("/nomination x", noteable_type="Issue"),
            "a comment, but not on a merge request",
        ),
        (make_note_body("/nomination x", system=True), "a system note"),
        (make_note_body("LGTM"), "a comment without a command"),
        (make_note_body("LGTM", type=None), "a comment without a command"),
        (make_note_body("LGTM", type=["DiffNote"]), "a comment without a command"),
        (
            make_note_body("/nomination x") | {"user": {"username": "project_1_bot"}},
            "a comment by a bot",
        ),
        (
            make_note_body("/nomination x") | {"project": {"id": 1}},
            "another project than the configured team database",
        ),
    ],
)
def test_the_log_can_say_why_an_event_does_not_matter(body: dict[str, Any], reason: str) -> None:
    assert parse(body).reason == reason


@pytest.mark.parametrize(
    ("configured", "matters"),
    [
        (TEAM_PROJECT, True),
        (TEAM_PROJECT.upper(), True),
        (str(TEAM_PROJECT_ID), True),
        ("example-org/other", False),
        ("7002", False),
        (TEAM_PROJECT + "/", False),
    ],
)
def test_only_the_configured_project_matters(configured: str, matters: bool) -> None:
    found = parse(make_merge_request_body("open"), project=configured)
    assert isinstance(found, Event) is matters


def test_the_payload_names_no_other_project_than_the_configuration() -> None:
    found = parse(make_merge_request_body("open"), project=TEAM_PROJECT.upper())
    assert found.project == TEAM_PROJECT.upper()


def without(body: dict[str, Any], *path: str) -> dict[str, Any]:
    holder = body
    for key in path[:-1]:
        holder = holder[key]
    del holder[path[-1]]
    return body


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({}, "object_kind"),
        ({"object_kind": 7}, "object_kind"),
        (without(make_merge_request_body("open"), "project"), "project"),
        (make_merge_request_body("open") | {"project": []}, "project"),
        (without(make_merge_request_body("open"), "object_attributes"), "object_attributes"),
        (
            without(make_merge_request_body("open"), "object_attributes", "iid"),
            "object_attributes.iid",
        ),
        (without(make_note_body("/nomination x"), "merge_request"), "merge_request"),
        (without(make_note_body("/nomination x"), "user"), "user"),
        (without(make_note_body("/nomination x"), "object_attributes", "note"), "note"),
        (make_note_body("/nomination x") | {"merge_request": {"iid": True}}, "iid"),
        (make_note_body("/nomination x") | {"merge_request": {"iid": 0}}, r"`merge_request\.iid"),
        (make_note_body("/nomination x") | {"merge_request": {"iid": "231"}}, "iid"),
    ],
)
def test_a_body_of_the_wrong_shape_is_refused_by_name(body: dict[str, Any], named: str) -> None:
    found = parse(body)
    assert isinstance(found, Broken)
    assert re.search(named, found.reason)


@pytest.mark.sample(4)
@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"\xff\xfe{}", "not JSON"),
        (b"[]", "JSON list"),
        (b"null", "JSON NoneType"),
        (b'"x"', "JSON str"),
        (b'{"a": 1, "a": 2}', "repeats a key"),
        (b'{"a": {"b": 1, "b": 1}}', "repeats a key"),
        (b'{"a": ' + b"[" * 200_000 + b"]" * 200_000 + b"}", "too deeply"),
        (b'{"a": ' + b"9" * 5_000 + b"}", "not JSON"),
        (b" " * (MAX_BYTES + 1), "25 MB"),
    ],
)
def test_what_is_no_webhook_body_is_refused(raw: bytes, said: str) -> None:
    found = read_event(raw, TEAM_PROJECT, "nomination")
    assert isinstance(found, Broken)
    assert re.search(said, found.reason)
    assert len(found.reason) < 300
    assert found.iids == ()


def test_a_byte_order_mark_is_forgiven() -> None:
    found = read_event(b'\xef\xbb\xbf{"object_kind": "issue"}', TEAM_PROJECT, "nomination")
    assert isinstance(found, Irrelevant)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(ANY_CHARACTER, max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(ANY_CHARACTER, max_size=8), inner)
    ),
    max_leaves=8,
)
PARTS = ("object_kind", "project", "object_attributes", "changes", "user", "merge_request")


@given(st.sampled_from(PARTS), JSON, st.booleans())
def test_no_body_is_a_bug(part: str, value: Any, is_note: bool) -> None:
    body = make_note_body("/nomination x") if is_note else make_merge_request_body("update")
    assert isinstance(parse(body | {part: value}), Event | Irrelevant | Broken)


@pytest.mark.parametrize(
    ("environment", "scope"),
    [
        ({}, ("gitlab-com/www-gitlab-com", "nomination", (), ENTRIES)),
        (
            {"NOMINATION_BOT_TEAM_PROJECT": " g/t ", "NOMINATION_BOT_COMMAND": "/p "},
            ("g/t", "p", (), ENTRIES),
        ),
        ({"NOMINATION_BOT_TEAM_PROJECT": "", "NOMINATION_BOT_COMMAND": " "}, parse_scope({})),
        (
            {"NOMINATION_BOT_POLICIES": "policies"},
            ("gitlab-com/www-gitlab-com", "nomination", ("DiffNote", "DiscussionNote"), ""),
        ),
    ],
)
def test_the_scope_has_defaults(environment: dict[str, str], scope: tuple[object, ...]) -> None:
    assert parse_scope(environment) == scope


def expanded(body: dict[str, Any]) -> bytes:
    """Write a body as a runner leaves it that takes `$QUOTE` in the title for a variable."""
    body["object_attributes"]["title"] = "Nominate $QUOTE"
    return json.dumps(body).replace("$QUOTE", 'a "quoted" value').encode()


@pytest.mark.parametrize(
    "raw",
    [
        expanded(make_merge_request_body("open")),
        expanded(make_note_body("/nomination recheck")),
        json.dumps(make_merge_request_body("open")).encode()[:-40],
        json.dumps(make_merge_request_body("open")).encode()[:-1] + b', "object_kind": "push"}',
        json.dumps(make_merge_request_body("open") | {"object_kind": 7}).encode(),
        json.dumps(make_note_body("x") | {"user": None}).encode(),
        b"\xff" + json.dumps(make_merge_request_body("open")).encode(),
    ],
    ids=["expanded", "expanded note", "cut", "doubled key", "kind", "user", "bytes"],
)
@pytest.mark.parametrize("project", [TEAM_PROJECT.upper(), str(TEAM_PROJECT_ID)])
def test_a_broken_body_is_searched_for_the_merge_request(raw: bytes, project: str) -> None:
    found = read_event(raw, project, "nomination")
    assert isinstance(found, Broken)
    assert 231 in found.iids
    elsewhere = read_event(raw, "example-org/other", "nomination")
    assert getattr(elsewhere, "iids", ()) == ()


def test_a_broken_body_leads_to_few_merge_requests() -> None:
    numbers = ", ".join(f'{{"iid": {iid}}}' for iid in range(1, 1000))
    found = read_event(f'"{TEAM_PROJECT}" [{numbers}'.encode(), TEAM_PROJECT, "nomination")
    assert isinstance(found, Broken)
    assert found.iids == tuple(range(1, MOST_GUESSES + 1))


@pytest.mark.parametrize(
    ("text", "matters"),
    [
        ("```\n/nomination recheck\n```", False),
        ("~~~~ text\n/nomination recheck\n~~~\n/nomination hold\n~~~~", False),
        ("```\n/nomination recheck", False),
        ("> /nomination recheck", False),
        ("    /nomination recheck", False),
        ("`/nomination recheck`", False),
        ("```\ncode\n```\n/nomination recheck", True),
        ("\ufeff```\ncode\n```\n/nomination recheck", True),
        ("```\ncode\n  ````  \n/nomination recheck", True),
        ("```not a fence```\n/nomination recheck", True),
        ("1. a\n\n   ```\n/nomination recheck", True),
        ("<!--\n```\n-->\n/nomination recheck", True),
        (">>>\n```\n>>>\n\n/nomination recheck", True),
        ("---\n```\n---\n/nomination recheck", True),
        ("$$\n```\n$$\n/nomination recheck", True),
    ],
)
def test_what_is_surely_code_or_a_quotation_does_not_matter(text: str, matters: bool) -> None:
    assert is_relevant(make_note_body(text)) is matters


LINES = [
    "/nomination recheck", "\u200b/nomination recheck", "\ufeff```",
    "```", "````", "~~~", "``` ruby", "  ```", "   ~~~~", "- a", "1. b",
    "   c", "> d", ">>>", "<!--", "-->", "<pre>", "</pre>", "", "    ", "\t```", "`e", "``` `",
    "---", "$$", "[x]: /y 'z", "<details>", "|a|", "```\t", "* ```", "> ```",
]  # fmt: skip


@given(st.lists(st.sampled_from(LINES), max_size=9), st.sampled_from(["\n", "\r\n", "\r"]))
def test_no_real_command_is_dropped(lines: list[str], ending: str) -> None:
    text = ending.join(lines)
    assert has_command(text, "nomination") or not parse_commands(text, "nomination")
