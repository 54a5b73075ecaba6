"""Quick actions are found where GitLab finds them, and act with the writer's rights."""

from collections.abc import Callable

import pytest

from bot.sandbox.acts import actions
from bot.sandbox.acts.actions import NoteDraft
from bot.sandbox.acts.merge_requests import find_labels
from bot.sandbox.acts.quick_action_table import EFFECTS
from bot.sandbox.acts.quick_actions import (
    ELSEWHERE,
    WITHOUT_EFFECT,
    find_quick_actions,
    run_quick_actions,
)
from bot.sandbox.world.entities import MergeRequest
from bot.sandbox.world.state import QuickActionOutcome, RefusedError, World
from tests.sandbox_worlds import OUTSIDER, make_world, open_mr


def make_mr(*, tier: str = "premium") -> tuple[World, MergeRequest]:
    """Build a world with an open merge request and quick actions at work."""
    world = make_world(tier=tier)
    world.quick_actions = run_quick_actions
    mr = open_mr(world)
    find_labels(world, mr.project, ("bug", "ui", "two words"))
    return world, mr


def write(world: World, mr: MergeRequest, text: str, by: str = "maintainer") -> QuickActionOutcome:
    """Run the quick actions of a text as a person."""
    return run_quick_actions(world, world.user(by), mr, text)


def names(text: str) -> list[str]:
    """List the names of the quick actions found."""
    return [action.name for action in find_quick_actions(text)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("/approve", ["approve"]),
        ("/APPROVE", ["approve"]),
        ("hello\n/approve\nbye", ["approve"]),
        ("/label ~a\n/assign me\n\ntext\n\n/merge  ", ["label", "assign", "merge"]),
        ("text /approve", []),
        (" /approve", []),
        ("/merge-check", []),
        ("/nomination recheck", []),
        ("- /approve", []),
        ("> /approve", []),
        ("```\n/approve\n```", []),
        ("    /approve", []),
        ("<details>\n/approve\n</details>", []),
        ("<details>\n\n/approve\n\n</details>", ["approve"]),
        ("<!--\n/approve\n-->", []),
        ("text <!--\n/approve\n-->", []),
        ("`code\n/approve\nend`", []),
        ("``code ` \n/approve\nend``", []),
        ("`one` two\n/approve", ["approve"]),
        ("\\/approve", []),
        ("&#47;approve", []),
        ("| a |\n|---|\n| /approve |", []),
        ("# /approve", []),
        ("/shrug", ["shrug"]),
        ("/weight 3", ["weight"]),
        ("", []),
    ],
)
def test_commands_are_found_where_gitlab_finds_them(text: str, found: list[str]) -> None:
    assert names(text) == found


def test_no_name_is_in_two_tables() -> None:
    assert not EFFECTS.keys() & (WITHOUT_EFFECT | ELSEWHERE)
    assert not WITHOUT_EFFECT & ELSEWHERE


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("/title New\r\n\r\nhello\r\n", "\nhello"),
        ("hello\n/title New\n/nomination recheck", "hello\n/nomination recheck"),
        ("/shrug oh well", "oh well ¯\\\N{FULLWIDTH LOW LINE}(ツ)\N{FULLWIDTH LOW LINE}/¯"),
        ("/tableflip", "(╯°□°)╯︵ ┻━┻"),
        ("/title New", ""),
    ],
)
def test_matched_lines_leave_the_text(text: str, left: str) -> None:
    assert write(*make_mr(), text).text == left


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("/approve", lambda mr: [each.username for each in mr.approvals] == ["maintainer"]),
        ("/assign @author\n/assign me", lambda mr: people(mr) == ["author", "maintainer"]),
        ("/assign author, @developer", lambda mr: people(mr) == ["author", "developer"]),
        ("/assign @author\n/reassign @owner", lambda mr: people(mr) == ["owner"]),
        ("/assign @author @owner\n/unassign @author", lambda mr: people(mr) == ["owner"]),
        ("/assign @author @owner\n/unassign", lambda mr: people(mr) == []),
        ("/assign_reviewer @owner", lambda mr: reviewers(mr) == ["owner"]),
        ("/reviewer @owner\n/request_review @owner", lambda mr: mr.reviewers[0].re_requested),
        ("/reviewer @owner\n/reassign_reviewer me", lambda mr: reviewers(mr) == ["maintainer"]),
        ("/reviewer @owner me\n/remove_reviewer me", lambda mr: reviewers(mr) == ["owner"]),
        ("/reviewer @owner\n/unassign_reviewer", lambda mr: reviewers(mr) == []),
        ('/label ~bug ~"two words" ui', lambda mr: labels(mr) == ["bug", "two words"]),
        ("/label bug ui", lambda mr: labels(mr) == ["bug", "ui"]),
        ("/label ~bug ~unheard", lambda mr: labels(mr) == ["bug"]),
        ("/label ~bug\n/unlabel ~unheard", lambda mr: labels(mr) == ["bug"]),
        ("/label ~bug ~ui\n/unlabel ~bug", lambda mr: labels(mr) == ["ui"]),
        ("/label ~bug ~ui\n/remove_label", lambda mr: labels(mr) == []),
        ("/label ~bug\n/relabel ~ui", lambda mr: labels(mr) == ["ui"]),
        ("/close", lambda mr: mr.state == "closed"),
        ("/close\n/reopen", lambda mr: mr.state == "opened"),
        ("/merge", lambda mr: mr.state == "merged"),
        ("/draft\n/draft", lambda mr: mr.title == "Draft: Change"),
        ("/draft\n/ready", lambda mr: mr.title == "Change"),
        ("/title Something else", lambda mr: mr.title == "Something else"),
        ("/target_branch change", lambda mr: mr.target_branch == "change"),
        ("/react :tada:", lambda mr: [each.name for each in mr.awards] == ["tada"]),
        ("/react tada\n/award :tada:", lambda mr: mr.awards == []),
        ("/lock", lambda mr: mr.discussion_locked),
        ("/lock\n/unlock", lambda mr: not mr.discussion_locked),
        ("/reviewer me\n/submit_review", lambda mr: mr.reviewers[0].state == "reviewed"),
        ("/submit_review approve", lambda mr: len(mr.approvals) == 1),
        ("/spend 1h", lambda mr: mr.title == "Change"),
    ],
)
def test_each_command_has_its_effect(text: str, state: Callable[[MergeRequest], bool]) -> None:
    world, mr = make_mr()
    outcome = write(world, mr, text)
    assert outcome.errors == ()
    assert outcome.commands_only
    assert len(outcome.messages) == len(outcome.commands)
    assert state(mr)


def test_an_approval_can_be_taken_back() -> None:
    world, mr = make_mr()
    assert write(world, mr, "/approve\n/unapprove").errors == ()
    assert not mr.approvals


def people(mr: MergeRequest) -> list[str]:
    """List the assignees."""
    return [each.username for each in mr.assignees]


def reviewers(mr: MergeRequest) -> list[str]:
    """List the reviewers."""
    return [each.user.username for each in mr.reviewers]


def labels(mr: MergeRequest) -> list[str]:
    """List the labels."""
    return [each.name for each in mr.labels]


@pytest.mark.parametrize(
    ("text", "by"),
    [
        ("/approve", "author"),
        ("/approve", "reporter"),
        ("/merge", "developer"),
        ("/close", OUTSIDER),
        ("/assign me", "reporter"),
        ("/title Mine", OUTSIDER),
        ("/assign @nobody", "maintainer"),
        ("/target_branch nowhere", "maintainer"),
        ("/weight 3", "maintainer"),
    ],
)
def test_what_the_writer_may_not_do_is_not_done(text: str, by: str) -> None:
    world, mr = make_mr()
    before = (mr.state, mr.title, mr.target_branch, people(mr), len(mr.approvals))
    outcome = write(world, mr, text, by)
    assert outcome.errors
    assert outcome.errors[0].startswith(f"Could not apply {outcome.commands[0]} command.")
    assert (mr.state, mr.title, mr.target_branch, people(mr), len(mr.approvals)) == before


def test_one_assignee_is_all_that_the_free_tier_has() -> None:
    world, mr = make_mr(tier="free")
    write(world, mr, "/assign @author @owner")
    assert people(mr) == ["owner"]


def test_a_note_of_commands_only_is_not_saved() -> None:
    world, mr = make_mr()
    before = len(mr.comments)
    done = actions.create_note(world, world.user("maintainer"), mr, NoteDraft(body="/lock"))
    assert done.note is None
    assert mr.discussion_locked
    assert len(mr.comments) == before


def test_a_note_of_failed_commands_only_is_refused() -> None:
    world, mr = make_mr()
    with pytest.raises(RefusedError) as refusal:
        actions.create_note(world, world.user("reporter"), mr, NoteDraft(body="/approve"))
    assert refusal.value.status == 400


def test_commands_in_an_edit_run_with_the_editors_rights() -> None:
    world, mr = make_mr()
    note = actions.create_note(world, world.user("reporter"), mr, NoteDraft(body="hello")).note
    assert note is not None
    actions.edit_note(world, world.user("maintainer"), mr, note, "hello\n/approve")
    assert [each.username for each in mr.approvals] == ["maintainer"]
    assert note.body == "hello"
    actions.edit_note(world, world.user("reporter"), mr, note, "/react :eyes:")
    assert note not in mr.notes
