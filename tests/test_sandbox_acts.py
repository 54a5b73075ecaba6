"""What people may do in the sandbox, and what GitLab refuses them."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest

from bot.sandbox.acts import actions
from bot.sandbox.acts.actions import CommitDraft, MergeRequestDraft, MergeRequestUpdate, NoteDraft
from bot.sandbox.acts.merging import assess_merge, has_conflicts
from bot.sandbox.world.access import effective_members, find_level
from bot.sandbox.world.entities import (
    Group,
    GroupLink,
    Level,
    Member,
    MergeRequest,
    ProjectSettings,
    User,
)
from bot.sandbox.world.repository import MODE_EXECUTABLE
from bot.sandbox.world.state import QuickActionOutcome, RefusedError, World
from tests.sandbox_worlds import NOW, PROJECT, make_world, open_mr


def refused(act: Callable[[], object]) -> tuple[int, object]:
    with pytest.raises(RefusedError) as caught:
        act()
    (said,) = caught.value.body.values()
    return caught.value.status, said


def write(
    world: World, name: str, mr: MergeRequest, body: str = "x", *, internal: bool = False
) -> None:
    actions.create_note(world, world.user(name), mr, NoteDraft(body=body, internal=internal))


def last_action(world: World) -> str:
    return [e.action for e in world.events if e.kind == "merge_request_changed"][-1]


def push(world: World, name: str, branch: str, files: dict[str, bytes | None]) -> str:
    draft = CommitDraft(message="more", changes=files)
    return actions.push(world, world.user(name), world.project(PROJECT), branch, draft).sha


# notes


@pytest.mark.parametrize(("body", "kept"), [("a\r\nb  \n\n", "a\nb"), ("  a", "  a")])
def test_text_is_stored_without_carriage_returns_and_trailing_space(body: str, kept: str) -> None:
    world = make_world()
    mr = open_mr(world)
    write(world, "author", mr, body)
    assert mr.notes[-1].body == kept


@pytest.mark.parametrize(
    ("body", "words"), [("", "blank"), (" \r\n", "blank"), ("x" * 1_000_001, "too long")]
)
def test_empty_and_endless_notes_are_refused(body: str, words: str) -> None:
    world = make_world()
    mr = open_mr(world)
    status, said = refused(lambda: write(world, "author", mr, body))
    assert status == 400
    assert words in str(said)
    assert mr.notes == []


@pytest.mark.parametrize(("name", "allowed"), [("reporter", True), ("outsider", False)])
def test_a_locked_discussion_is_for_members(name: str, allowed: bool) -> None:
    world = make_world()
    mr = open_mr(world)
    update = MergeRequestUpdate(discussion_locked=True)
    actions.update_merge_request(world, world.user("author"), mr, update)
    if allowed:
        write(world, name, mr)
        assert mr.notes[-1].author.username == name
    else:
        assert refused(lambda: write(world, name, mr))[0] == 403


def test_internal_notes_need_a_role_to_write() -> None:
    world = make_world()
    mr = open_mr(world)
    write(world, "reporter", mr, internal=True)
    assert refused(lambda: write(world, "outsider", mr, internal=True))[0] == 403


@pytest.mark.parametrize(
    ("name", "allowed"), [("author", True), ("maintainer", True), ("developer", False)]
)
def test_a_note_is_edited_and_deleted_by_its_author_or_a_maintainer(
    name: str, allowed: bool
) -> None:
    world = make_world()
    mr = open_mr(world)
    write(world, "author", mr)
    note, person = mr.notes[-1], world.user(name)
    if not allowed:
        assert refused(lambda: actions.edit_note(world, person, mr, note, "y"))[0] == 403
        assert refused(lambda: actions.delete_note(world, person, mr, note))[0] == 403
        return
    actions.edit_note(world, person, mr, note, "y")
    assert (note.body, note.last_edited_by) == ("y", person)
    actions.delete_note(world, person, mr, note)
    assert mr.notes == []
    assert world.events[-1].kind == "note_deleted"


def test_an_edit_that_changes_nothing_is_no_event() -> None:
    world = make_world()
    mr = open_mr(world)
    write(world, "author", mr)
    count = len(world.events)
    actions.edit_note(world, world.user("author"), mr, mr.notes[-1], "x\n")
    assert len(world.events) == count
    assert mr.notes[-1].last_edited_at is None


def commands(
    *, errors: tuple[str, ...] = ()
) -> Callable[[World, User, MergeRequest, str], QuickActionOutcome]:
    def run(_world: World, _user: User, _mr: MergeRequest, text: str) -> QuickActionOutcome:
        kept = [line for line in text.split("\n") if not line.startswith("/")]
        found = ("done",) if len(kept) < len(text.split("\n")) else ()
        return QuickActionOutcome(text="\n".join(kept), commands=found, errors=errors)

    return run


def test_commands_leave_the_text_and_a_note_of_commands_only_is_not_saved() -> None:
    world = make_world()
    mr = open_mr(world)
    world.quick_actions = commands()
    write(world, "author", mr, "words\n/done")
    assert mr.notes[-1].body == "words"
    outcome = actions.create_note(world, world.user("author"), mr, NoteDraft(body="/done"))
    assert outcome.note is None
    assert len(mr.notes) == 1
    actions.edit_note(world, world.user("author"), mr, mr.notes[0], "/done")
    assert mr.notes == []


def test_failing_commands_without_text_are_refused() -> None:
    world = make_world()
    mr = open_mr(world)
    world.quick_actions = commands(errors=("no",))
    assert refused(lambda: write(world, "author", mr, "/done"))[0] == 400


def test_a_note_for_another_head_is_refused() -> None:
    world = make_world()
    mr = open_mr(world)
    draft = NoteDraft(body="x", head_sha="0" * 40)
    author = world.user("author")
    assert refused(lambda: actions.create_note(world, author, mr, draft))[0] == 400


def test_the_same_reaction_twice_is_refused_and_only_one_s_own_is_removed() -> None:
    world = make_world()
    mr = open_mr(world)
    write(world, "author", mr)
    note, person = mr.notes[-1], world.user("reporter")
    award = actions.award_emoji(world, person, mr, "eyes", note)
    assert refused(lambda: actions.award_emoji(world, person, mr, "eyes", note))[0] == 404
    stranger = world.user("owner")
    assert refused(lambda: actions.remove_award(world, stranger, mr, award, note))[0] == 401
    actions.remove_award(world, person, mr, award, note)
    assert note.awards == []
    actions.award_emoji(world, person, mr, "thumbsup")
    assert [each.name for each in mr.awards] == ["thumbsup"]


# merge requests


def test_one_pair_of_branches_has_one_open_merge_request() -> None:
    world = make_world()
    first = open_mr(world)
    draft = MergeRequestDraft(title="again", source_branch="change", target_branch="main")
    author, project = world.user("author"), world.project(PROJECT)
    status, said = refused(lambda: actions.open_merge_request(world, author, project, draft))
    assert (status, "!1" in str(said)) == (409, True)
    actions.close(world, author, first)
    assert actions.open_merge_request(world, author, project, draft).iid == 2


@pytest.mark.parametrize(("source", "target"), [("nowhere", "main"), ("main", "nowhere")])
def test_a_merge_request_needs_both_branches(source: str, target: str) -> None:
    world = make_world()
    draft = MergeRequestDraft(title="x", source_branch=source, target_branch=target)
    author, project = world.user("author"), world.project(PROJECT)
    assert refused(lambda: actions.open_merge_request(world, author, project, draft))[0] == 400


def test_a_fork_s_head_is_readable_in_the_target_project() -> None:
    world = make_world()
    stranger, project = world.user("outsider"), world.project(PROJECT)
    fork = actions.fork_project(world, stranger, project)
    draft = CommitDraft(message="mine", changes={"x": b"1"})
    head = actions.push(world, stranger, fork, "mine", draft)
    assert project.repository.find_commit(head.sha) is None
    opening = MergeRequestDraft(
        title="x", source_branch="mine", target_branch="main", source_project=fork
    )
    mr = actions.open_merge_request(world, stranger, project, opening)
    assert mr.head_sha == head.sha
    assert project.repository.find_commit(head.sha) is head
    assert "mine" not in project.repository.branches


def test_a_push_renews_the_diff_and_tells_the_old_head() -> None:
    world = make_world()
    mr = open_mr(world)
    old = mr.head_sha
    new = push(world, "author", "change", {"more": b"1"})
    assert (mr.head_sha, len(mr.versions)) == (new, 2)
    event = [e for e in world.events if e.kind == "merge_request_changed"][-1]
    assert (event.action, event.oldrev, event.changes["head_sha"]) == ("update", old, (old, new))


def test_a_branch_set_to_where_it_is_changes_no_merge_request() -> None:
    world = make_world()
    mr = open_mr(world)
    author, project = world.user("author"), world.project(PROJECT)
    actions.reset_branch(world, author, project, "change", "change")
    assert len(mr.versions) == 1
    assert refused(lambda: actions.reset_branch(world, author, project, "change", "no"))[0] == 404


def test_a_push_takes_approvals_away_where_the_project_says_so() -> None:
    world = make_world()
    mr = open_mr(world)
    mr.project.settings.reset_approvals_on_push = True
    people = [world.user(name) for name in ("developer", "maintainer", "owner")]
    actions.set_reviewers(world, world.user("author"), mr, [*people, world.user("reporter")])
    for count in (1, 2, 3):
        for person in people[:count]:
            actions.approve(world, person, mr)
        push(world, "author", "change", {"more": b"%d" % count})
        assert not mr.approvals
    assert [each.state for each in mr.reviewers] == ["unapproved"] * 3 + ["unreviewed"]
    (action, system) = world.events[-1].action, world.events[-1].system_action
    assert (action, system) == ("unapproval", "approvals_reset_on_push")
    told = [note.body for note in mr.notes if note.author is world.user("author")]
    assert [each for each in told if each.startswith("reset")] == [
        "reset approvals from @developer by pushing to the branch",
        "reset approvals from @developer and @maintainer by pushing to the branch",
        "reset approvals from @developer, @maintainer, and @owner by pushing to the branch",
    ]


@pytest.mark.parametrize(
    ("tier", "resets", "left"),
    [("premium", None, []), ("premium", False, ["developer"]), ("free", None, ["developer"])],
)
def test_a_push_takes_approvals_away_unless_the_project_keeps_them(
    tier: str, resets: bool | None, left: list[str]
) -> None:
    world = make_world(tier=tier)
    mr = open_mr(world)
    if resets is not None:
        mr.project.settings.reset_approvals_on_push = resets
    actions.approve(world, world.user("developer"), mr)
    push(world, "author", "change", {"more": b"1"})
    assert [each.username for each in mr.approvals] == left


def test_a_rebase_alone_keeps_approvals() -> None:
    world = make_world()
    mr = open_mr(world)
    actions.approve(world, world.user("developer"), mr)
    push(world, "maintainer", "main", {"elsewhere": b"1"})
    before = mr.head_sha
    actions.rebase(world, world.user("author"), mr)
    assert mr.head_sha != before
    assert [each.username for each in mr.approvals] == ["developer"]


@pytest.mark.parametrize(
    "files",
    [
        {"README.md": None, "moved.md": b"hello\n"},
        {"picture.png": b"\0two"},
        {"empty.md": b""},
        {"change.md": b"new\n", "README.md": b"hello"},
    ],
    ids=["renamed", "binary", "empty", "last line"],
)
def test_each_other_change_takes_approvals_away(files: dict[str, bytes | None]) -> None:
    world = make_world()
    mr = open_mr(world)
    push(world, "author", "change", {"picture.png": b"\0one"})
    actions.approve(world, world.user("developer"), mr)
    push(world, "author", "change", files)
    assert not mr.approvals


def test_another_mode_takes_approvals_away() -> None:
    world = make_world()
    mr = open_mr(world)
    actions.approve(world, world.user("developer"), mr)
    draft = CommitDraft(message="Run", changes={"change.md": b"new\n"}, mode=MODE_EXECUTABLE)
    actions.push(world, mr.author, mr.project, "change", draft)
    assert not mr.approvals


def test_what_was_pushed_while_it_was_closed_becomes_a_version_when_it_is_reopened() -> None:
    world = make_world()
    mr = open_mr(world)
    author = world.user("author")
    actions.close(world, author, mr)
    push(world, "author", "change", {"more": b"1"})
    assert len(mr.versions) == 1
    actions.reopen(world, author, mr)
    assert len(mr.versions) == 2
    assert [event.state for event in mr.state_events] == ["closed", "reopened"]


def test_a_state_can_be_set_after_the_merge_and_a_request_for_changes_leaves_a_note() -> None:
    world = make_world()
    mr = open_mr(world)
    developer = world.user("developer")
    actions.set_reviewers(world, world.user("author"), mr, [developer])
    actions.approve(world, developer, mr)
    actions.submit_review(world, developer, mr, "reviewed")
    assert mr.reviewers[0].state == "approved"  # who has approved has more than reviewed
    actions.merge(world, world.user("owner"), mr)
    actions.submit_review(world, developer, mr, "requested_changes")
    assert (mr.reviewers[0].state, mr.approvals) == ("requested_changes", {})
    assert (mr.notes[-1].system, mr.notes[-1].body) == (True, "requested changes")


def test_an_update_tells_what_changed_and_nothing_else() -> None:
    world = make_world()
    mr = open_mr(world)
    reviewer = world.user("developer")
    update = MergeRequestUpdate(
        title="Draft: new", reviewers=(reviewer,), assignees=(reviewer,), labels=("a", "a")
    )
    actions.update_merge_request(world, world.user("author"), mr, update)
    changes = world.events[-1].changes
    assert set(changes) == {"title", "draft", "reviewers", "assignees", "labels", "updated_at"}
    assert [label.name for label in mr.labels] == ["a"]
    assert mr.draft
    count = len(world.events)
    actions.update_merge_request(world, world.user("author"), mr, update)
    assert len(world.events) == count


def test_people_changes_leave_system_notes() -> None:
    world = make_world()
    mr = open_mr(world)
    author, one, other = (world.user(name) for name in ("author", "owner", "reporter"))
    actions.assign(world, author, mr, [one])
    actions.assign(world, author, mr, [other])
    actions.set_reviewers(world, author, mr, [one])
    assert [note.body for note in mr.notes if note.system] == [
        "assigned to @owner",
        "assigned to @reporter and removed @owner",
        "requested review from @owner",
    ]
    assert mr.comments == []


def test_a_new_target_branch_gives_a_new_diff() -> None:
    world = make_world()
    mr = open_mr(world)
    author, project = world.user("author"), world.project(PROJECT)
    actions.create_branch(world, author, project, "next", "main")
    actions.update_merge_request(world, author, mr, MergeRequestUpdate(target_branch="next"))
    assert len(mr.versions) == 2
    assert refused(
        lambda: actions.update_merge_request(world, author, mr, MergeRequestUpdate(title=" "))
    ) == (400, {"title": ["can't be blank"]})


def test_strangers_change_nothing() -> None:
    world = make_world()
    mr = open_mr(world)
    stranger, project = world.user("outsider"), world.project(PROJECT)
    acts: list[Callable[[], object]] = [
        lambda: actions.close(world, stranger, mr),
        lambda: actions.update_merge_request(world, stranger, mr, MergeRequestUpdate(title="x")),
        lambda: push(world, "outsider", "change", {"x": b"1"}),
        lambda: actions.create_branch(world, stranger, project, "b", "main"),
        lambda: actions.delete_branch(world, stranger, project, "change"),
        lambda: actions.add_member(world, stranger, project, stranger, 50),
    ]
    assert {refused(act)[0] for act in acts} == {403}


def test_closed_and_reopened_once() -> None:
    world = make_world()
    mr = open_mr(world)
    author = world.user("author")
    for act, state in ((actions.close, "closed"), (actions.reopen, "opened")):
        act(world, author, mr)
        count = len(world.events)
        act(world, author, mr)
        assert (mr.state, len(world.events)) == (state, count)


def test_branches_are_made_from_refs_and_deleted() -> None:
    world = make_world()
    author, project = world.user("author"), world.project(PROJECT)
    actions.create_branch(world, author, project, "b", "main")
    assert refused(lambda: actions.create_branch(world, author, project, "b", "main"))[0] == 400
    assert refused(lambda: actions.create_branch(world, author, project, "c", "no"))[0] == 400
    actions.delete_branch(world, author, project, "b")
    assert refused(lambda: actions.delete_branch(world, author, project, "b"))[0] == 404
    draft = CommitDraft(message="x", changes={}, start_branch="nowhere")
    assert refused(lambda: actions.push(world, author, project, "d", draft))[0] == 400


# merging


def test_a_merge_joins_the_trees_and_ends_the_request() -> None:
    world = make_world()
    mr = open_mr(world)
    push(world, "maintainer", "main", {"other": b"1"})
    actions.merge(world, world.user("maintainer"), mr, mr.head_sha)
    head = mr.project.repository.find_commit("main")
    assert head is not None
    assert head.sha == mr.merge_commit_sha
    assert {"other", "change.md"} <= set(head.tree)
    assert (mr.state, last_action(world)) == ("merged", "merge")


@pytest.mark.parametrize(
    ("name", "sha", "status"), [("developer", None, 401), ("maintainer", "0" * 40, 409)]
)
def test_a_merge_needs_rights_and_the_right_head(name: str, sha: str | None, status: int) -> None:
    world = make_world()
    mr = open_mr(world)
    assert refused(lambda: actions.merge(world, world.user(name), mr, sha))[0] == status


def test_a_conflict_cannot_be_merged() -> None:
    world = make_world()
    mr = open_mr(world)
    push(world, "maintainer", "main", {"change.md": b"other\n"})
    assert assess_merge(world, mr) == "conflict"
    assert refused(lambda: actions.merge(world, world.user("owner"), mr))[0] == 422


def test_without_its_branch_nothing_is_merged() -> None:
    world = make_world()
    mr = open_mr(world)
    actions.delete_branch(world, world.user("author"), mr.project, "change")
    assert (assess_merge(world, mr), has_conflicts(mr)) == ("commits_status", True)
    assert refused(lambda: actions.merge(world, world.user("owner"), mr))[0] == 405


def blocked(world: World, mr: MergeRequest, **settings: bool | int | str) -> str:
    for name, value in settings.items():
        setattr(mr.project.settings, name, value)
    return assess_merge(world, mr)


def test_each_setting_blocks_with_its_own_word() -> None:
    world = make_world(tier="ultimate")
    mr = open_mr(world)
    author = world.user("author")
    assert blocked(world, mr) == "mergeable"
    assert blocked(world, mr, approvals_required=1) == "not_approved"
    assert refused(lambda: actions.merge(world, world.user("owner"), mr))[0] == 405
    assert blocked(world, mr, approvals_required=0, pipelines_must_succeed=True) == "ci_must_pass"
    mr.project.settings.pipelines_must_succeed = False
    draft = NoteDraft(body="?", type="DiscussionNote")
    actions.create_note(world, author, mr, draft)
    assert blocked(world, mr, threads_must_be_resolved=True) == "discussions_not_resolved"
    actions.resolve_thread(world, author, mr, mr.notes[-1].discussion_id, resolved=True)
    assert assess_merge(world, mr) == "mergeable"
    actions.set_reviewers(world, author, mr, [world.user("developer")])
    actions.submit_review(world, world.user("developer"), mr, "requested_changes")
    assert assess_merge(world, mr) == "requested_changes"
    actions.update_merge_request(world, author, mr, MergeRequestUpdate(title="Draft: x"))
    assert assess_merge(world, mr) == "draft_status"
    mr.unprepared_reads = 1
    assert assess_merge(world, mr) == "preparing"
    actions.close(world, author, mr)
    assert assess_merge(world, mr) == "not_open"


# reviews


def test_an_approval_counts_once_and_never_the_author_s() -> None:
    world = make_world()
    mr = open_mr(world)
    developer = world.user("developer")
    actions.approve(world, developer, mr)
    assert last_action(world) == "approved"
    for name in ("developer", "author", "reporter"):
        assert refused(partial(actions.approve, world, world.user(name), mr))[0] == 401
    actions.unapprove(world, developer, mr)
    assert last_action(world) == "unapproval"
    assert refused(lambda: actions.unapprove(world, developer, mr))[0] == 404
    assert refused(lambda: actions.approve(world, developer, mr, "0" * 40))[0] == 409


def test_the_last_required_approval_is_told_apart() -> None:
    world = make_world()
    mr = open_mr(world)
    mr.project.settings.approvals_required = 2
    told = []
    for name in ("developer", "maintainer"):
        actions.approve(world, world.user(name), mr)
        told.append(last_action(world))
    actions.unapprove(world, world.user("developer"), mr)
    assert [*told, last_action(world)] == ["approval", "approved", "unapproved"]


def test_a_review_sets_the_reviewer_s_state_and_a_new_request_resets_it() -> None:
    world = make_world()
    mr = open_mr(world)
    developer, author = world.user("developer"), world.user("author")
    actions.set_reviewers(world, author, mr, [developer])
    (asked,) = mr.reviewers
    states = []
    for state in ("reviewed", "requested_changes", "approved"):
        actions.submit_review(world, developer, mr, state, "a comment")
        states.append(asked.state)
    actions.unapprove(world, developer, mr)
    states.append(asked.state)
    actions.request_review_again(world, author, mr, developer)
    assert [*states, asked.state] == [
        "reviewed",
        "requested_changes",
        "approved",
        "unapproved",
        "unreviewed",
    ]
    assert len(mr.comments) == 3
    assert refused(lambda: actions.request_review_again(world, author, mr, author))[0] == 404


def test_a_review_by_somebody_not_asked_is_only_a_comment() -> None:
    world = make_world()
    mr = open_mr(world)
    actions.submit_review(world, world.user("reporter"), mr, "reviewed", "fine")
    assert (mr.reviewers, len(mr.comments)) == ([], 1)
    with pytest.raises(ValueError, match="no review can end"):
        actions.submit_review(world, world.user("reporter"), mr, "liked")


# people


def place(world: World, path: str, level: int | None, parent: Group | None = None) -> Group:
    group = Group(id=world.next_id("group"), full_path=path, name=path, created_at=NOW)
    group.parent = parent
    if level is not None:
        person = world.user("outsider")
        group.members[person.id] = Member(user=person, level=level, created_at=NOW)
    return world.add_group(group)


def test_the_highest_of_direct_inherited_and_invited_levels_counts() -> None:
    world = make_world()
    project, person = world.project(PROJECT), world.user("outsider")
    project.group = place(world, "top/low", Level.GUEST, place(world, "top", Level.REPORTER))
    assert find_level(person, project, NOW.date()) == Level.REPORTER
    guests = place(world, "guests", Level.OWNER)
    project.shared_with.append(GroupLink(group=guests, level=Level.DEVELOPER))
    assert find_level(person, project, NOW.date()) == Level.DEVELOPER
    assert effective_members(project, NOW.date())[person.id].level == Level.DEVELOPER


def test_a_membership_ends_on_its_day() -> None:
    world = make_world()
    project, owner = world.project(PROJECT), world.user("owner")
    person = world.user("developer")
    today = NOW.date()
    actions.set_expiry(world, owner, project, person, today + timedelta(days=1))
    assert find_level(person, project, today) == Level.DEVELOPER
    assert find_level(person, project, today + timedelta(days=1)) == Level.NO_ACCESS
    stranger = world.user("outsider")
    assert refused(lambda: actions.set_expiry(world, owner, project, stranger, None))[0] == 404


def test_a_blocked_account_has_no_rights() -> None:
    world = make_world()
    owner = world.user("owner")
    actions.set_account_state(world, owner, "blocked")
    assert find_level(owner, world.project(PROJECT), NOW.date()) == Level.NO_ACCESS


def test_a_renamed_account_frees_its_name() -> None:
    world = make_world()
    person, other = world.user("developer"), world.user("outsider")
    actions.rename_account(world, person, "Developer")
    actions.rename_account(world, person, "writer")
    actions.rename_account(world, other, "developer")
    assert (world.user("writer"), world.user("developer")) == (person, other)
    with pytest.raises(ValueError, match="taken"):
        actions.rename_account(world, other, "writer")


def test_what_a_deleted_account_wrote_becomes_the_ghosts() -> None:
    world = make_world()
    project, person = world.project(PROJECT), world.user("developer")
    mr = open_mr(world)
    note = actions.create_note(world, person, mr, NoteDraft(body="Well")).note
    assert note is not None
    actions.edit_note(world, person, mr, note, "Well done")
    actions.delete_account(world, person)
    ghost = world.user("ghost")
    assert (note.author, note.last_edited_by) == (ghost, ghost)
    assert (world.find_user("developer"), person.id in project.members) == (None, False)
    actions.delete_account(world, world.user("maintainer"))
    assert world.user("ghost") is ghost


def test_members_are_added_changed_and_removed_by_the_right_people() -> None:
    world = make_world()
    person, owner = world.user("outsider"), world.user("owner")
    group = place(world, "top", None)
    group.members[owner.id] = Member(user=owner, level=Level.OWNER, created_at=NOW)
    maintainer = world.user("maintainer")
    assert refused(lambda: actions.add_member(world, maintainer, group, person, 30))[0] == 403
    actions.add_member(world, owner, group, person, 30)
    actions.add_member(world, owner, group, person, 40)
    assert world.events[-1].changes == {"outsider": (30, 40)}
    actions.remove_member(world, person, group, person)
    assert person.id not in group.members
    assert refused(lambda: actions.remove_member(world, owner, group, person))[0] == 404
    project = world.project(PROJECT)
    actions.remove_member(world, owner, project, maintainer)
    assert maintainer.id not in project.members


def test_the_tier_decides_which_features_work() -> None:
    tiers = {tier: ProjectSettings(tier=tier) for tier in ("free", "premium", "ultimate")}
    assert [(each.premium, each.ultimate) for each in tiers.values()] == [
        (False, False),
        (True, False),
        (True, True),
    ]


# one open merge request for each pair of branches


def test_no_second_one_is_opened_reopened_or_retargeted_onto_the_same_branches() -> None:
    world = make_world()
    mr, author, project = open_mr(world), world.user("author"), world.project(PROJECT)
    said = f"Another open merge request already exists for this source branch: !{mr.iid + 1}"
    draft = MergeRequestDraft(title="More", source_branch=mr.source_branch, target_branch="next")
    actions.create_branch(world, author, project, "next", project.default_branch)
    other = actions.open_merge_request(world, author, project, draft)
    onto_mr = MergeRequestUpdate(target_branch=mr.target_branch)
    status, told = refused(lambda: actions.update_merge_request(world, author, other, onto_mr))
    assert (status, told) == (409, [said.replace(f"!{mr.iid + 1}", f"!{mr.iid}")])
    actions.close(world, author, mr)
    actions.update_merge_request(world, author, other, onto_mr)
    assert refused(lambda: actions.reopen(world, author, mr)) == (409, [said])
    assert mr.state == "closed"
