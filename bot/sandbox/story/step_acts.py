"""What the steps of a scenario can do: a table from name to a small act of a person."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from bot.sandbox.acts import actions
from bot.sandbox.acts.actions import CommitDraft, MergeRequestDraft, MergeRequestUpdate, NoteDraft
from bot.sandbox.story.setting import Stage
from bot.sandbox.world.entities import Level, MergeRequest, StatusCheck, User

Given = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """How a step is done: the keys it needs and may have, the one that may be written alone.

    The table of acts in docs/sandbox.md is made of these.
    """

    about: str
    run: Callable[[Stage, User, Given], object]
    needs: frozenset[str] = frozenset()
    may: frozenset[str] = frozenset()
    alone: str | None = None


def _open(stage: Stage, by: User, given: Given) -> None:
    project = stage.project(given["project"])
    source = actions.fork_project(stage.world, by, project) if given.get("fork") else project
    draft = CommitDraft(message=given["title"], changes=stage.contents(given["files"]))
    actions.push(stage.world, by, source, given["branch"], draft)
    opening = MergeRequestDraft(
        title=given["title"],
        description=given.get("description", ""),
        source_branch=given["branch"],
        target_branch=given.get("target", project.default_branch),
        source_project=source,
    )
    stage.merge_request = actions.open_merge_request(stage.world, by, project, opening)


def _comment(stage: Stage, by: User, given: Given) -> None:
    draft = NoteDraft(body=given["text"], internal=given.get("internal", False))
    actions.create_note(stage.world, by, stage.mr, draft)


def _edit_comment(stage: Stage, by: User, given: Given) -> None:
    note = stage.comment(given.get("comment", -1))
    actions.edit_note(stage.world, by, stage.mr, note, given["text"])


def _delete_comment(stage: Stage, by: User, given: Given) -> None:
    actions.delete_note(stage.world, by, stage.mr, stage.comment(given["comment"]))


def _assign(stage: Stage, by: User, given: Given) -> None:
    everybody = [*stage.mr.assignees, *stage.people(given["people"])]
    actions.assign(stage.world, by, stage.mr, everybody)


def _unassign(stage: Stage, by: User, given: Given) -> None:
    gone = stage.people(given["people"])
    left = [each for each in stage.mr.assignees if each not in gone]
    actions.assign(stage.world, by, stage.mr, left)


def _request_review(stage: Stage, by: User, given: Given) -> None:
    everybody = [*(each.user for each in stage.mr.reviewers), *stage.people(given["people"])]
    actions.set_reviewers(stage.world, by, stage.mr, everybody)


def _rename(stage: Stage, by: User, given: Given) -> None:
    update = MergeRequestUpdate(title=given["title"])
    actions.update_merge_request(stage.world, by, stage.mr, update)


def _push(stage: Stage, by: User, given: Given) -> None:
    source = stage.mr.source_project or stage.mr.project
    changes = stage.contents(given["files"])
    draft = CommitDraft(message=given.get("message", "Change"), changes=changes)
    actions.push(stage.world, by, source, stage.mr.source_branch, draft)


def _review_elsewhere(stage: Stage, by: User, given: Given) -> None:
    """Let merge requests of `author` be approved by the acting person and merged.

    With a `comment` they are not approved: to start a thread is all the review. With `push`
    the author pushes once more before the merge; with `state` the person only sets it, after
    the merge.
    """
    author, merger = stage.people([given["author"], given["merger"]])
    for _ in range(given.get("count", 1)):
        mr = stage.open_elsewhere(author, stage.project(given["project"]), given.get("target"))
        actions.set_reviewers(stage.world, author, mr, [by])
        if "comment" in given:
            draft = NoteDraft(body=given["comment"], type="DiscussionNote")
            actions.create_note(stage.world, by, mr, draft)
        elif "state" not in given:
            actions.approve(stage.world, by, mr)
        if given.get("push"):
            more = CommitDraft(message="Polish", changes={"notes/polish.md": b"A bit more.\n"})
            actions.push(stage.world, author, mr.project, mr.source_branch, more)
        actions.merge(stage.world, merger, mr)
        if "state" in given:
            actions.submit_review(stage.world, by, mr, given["state"])


def _author_elsewhere(stage: Stage, by: User, given: Given) -> None:
    """Let merge requests of the acting person be merged."""
    for _ in range(given.get("count", 1)):
        mr = stage.open_elsewhere(by, stage.project(given["project"]), given.get("target"))
        actions.merge(stage.world, stage.person(given["merger"]), mr)


def _reset_approvals(stage: Stage, _by: User, given: Given) -> None:
    """Let pushes to a project's merge requests take approvals away, which takes Premium."""
    with stage.world.writing():
        settings = stage.project(given["project"]).settings
        settings.tier, settings.reset_approvals_on_push = "premium", True


def _protect(stage: Stage, _by: User, given: Given) -> None:
    """Let Maintainers alone push to the branches of a project whose names match."""
    with stage.world.writing():
        stage.project(given["project"]).protected_branches.add(given["branch"])


def _branch(stage: Stage, by: User, given: Given) -> None:
    project = stage.project(given["project"])
    actions.create_branch(stage.world, by, project, given["name"], project.default_branch)


def _edit_file(stage: Stage, by: User, given: Given) -> None:
    project, path = stage.project(given["project"]), given["path"]
    content = stage.replaced(project, path, (given["old"], given["new"]))
    draft = CommitDraft(message=f"Change {path}", changes={path: content.encode()})
    actions.push(stage.world, by, project, project.default_branch, draft)


def _write_file(stage: Stage, by: User, given: Given) -> None:
    project = stage.project(given["project"])
    changes = stage.contents({given["path"]: given["content"]})
    draft = CommitDraft(message=f"Write {given['path']}", changes=changes)
    actions.push(stage.world, by, project, project.default_branch, draft)


def _add_member(stage: Stage, by: User, given: Given) -> None:
    level = Level[given.get("level", "maintainer").upper()]
    who = stage.person(given["person"])
    actions.add_member(stage.world, by, stage.place(given["to"]), who, level)


def _add_status_check(stage: Stage, _: User, given: Given) -> None:
    """Have an external service asked about merge requests, which takes GitLab Ultimate."""
    world, project = stage.world, stage.project(given["project"])
    number = world.next_id("status_check")
    check = StatusCheck(id=number, name=given["name"], external_url=given["url"])
    with world.writing():
        project.settings.tier = "ultimate"
        project.status_checks.append(check)


def _remove_member(stage: Stage, by: User, given: Given) -> None:
    who = stage.person(given["person"])
    actions.remove_member(stage.world, by, stage.place(given["from"]), who)


def _wait_days(stage: Stage, _by: User, given: Given) -> None:
    stage.world.tick(timedelta(days=given["days"]).total_seconds())


def _sweep(stage: Stage, by: User, _given: Given) -> None:
    stage.sandbox.runner.schedule(stage.sandbox.bot_project, by)


def _board(stage: Stage, by: User, _given: Given) -> None:
    variables = {"NOMINATION_BOARD": "true"}
    stage.sandbox.runner.schedule(stage.sandbox.bot_project, by, variables)


def _act(
    about: str,
    run: Callable[[Stage, User, Given], object],
    needs: str = "",
    may: str = "",
    alone: str = "",
) -> Act:
    return Act(
        about=about,
        run=run,
        needs=frozenset(needs.split()),
        may=frozenset(may.split()),
        alone=alone or None,
    )


def _plain(about: str, act: Callable[[Any, User, MergeRequest], object]) -> Act:
    return Act(about=about, run=lambda stage, by, _given: act(stage.world, by, stage.mr))


ACTS: Mapping[str, Act] = {
    "add_member": _act(
        "Adds a person to a group or project; the level is `maintainer` unless given",
        _add_member,
        "person to",
        "level",
    ),
    "add_status_check": _act(
        "Has an external service asked about merge requests, which takes GitLab Ultimate",
        _add_status_check,
        "project name url",
    ),
    "approve": _plain("Approves the merge request", actions.approve),
    "assign": _act("Assigns people besides those who are", _assign, "people", alone="people"),
    "author_elsewhere": _act(
        "Has merge requests of the acting person merged, `count` of them",
        _author_elsewhere,
        "project merger",
        "count target",
    ),
    "board": _act("Starts the scheduled pipeline of the bot that publishes the board", _board),
    "branch": _act("Makes a branch from the default branch", _branch, "project name"),
    "close": _plain("Closes the merge request", actions.close),
    "comment": _act(
        "Writes a comment; quick actions and commands in it work",
        _comment,
        "text",
        "internal",
        alone="text",
    ),
    "delete_comment": _act(
        "Deletes a comment by its place, from 1, or from -1 backwards",
        _delete_comment,
        "comment",
        alone="comment",
    ),
    "edit_comment": _act(
        "Edits a comment, the last one unless `comment` gives its place",
        _edit_comment,
        "text",
        "comment",
        alone="text",
    ),
    "edit_file": _act(
        "Replaces the one place of `old` in a file of the default branch",
        _edit_file,
        "project path old new",
    ),
    "merge": _plain("Merges the merge request", actions.merge),
    "open_merge_request": _act(
        "Pushes `files` to a branch, with `fork: true` in a fork of one's own, and opens a "
        "merge request",
        _open,
        "project branch title files",
        "description target fork",
    ),
    "protect": _act(
        "Lets Maintainers alone push to branches of a project, by a name or a wildcard",
        _protect,
        "project branch",
    ),
    "push": _act("Pushes `files` to the branch of the merge request", _push, "files", "message"),
    "remove_member": _act(
        "Removes a person from a group or project", _remove_member, "person from"
    ),
    "rename": _act("Changes the title of the merge request", _rename, "title", alone="title"),
    "reopen": _plain("Reopens the merge request", actions.reopen),
    "request_review": _act(
        "Asks people for a review besides those who are asked",
        _request_review,
        "people",
        alone="people",
    ),
    "reset_approvals": _act(
        "Lets pushes to a project's merge requests take approvals away",
        _reset_approvals,
        "project",
        alone="project",
    ),
    "review_elsewhere": _act(
        "Has `count` merge requests of `author` approved by the acting person and merged; with "
        "`comment` a thread is the review, with `state` it comes after the merge, with `push` "
        "the author pushes once more",
        _review_elsewhere,
        "project author merger",
        "comment count push state target",
    ),
    "sweep": _act("Starts the scheduled pipeline of the bot", _sweep),
    "unapprove": _plain("Revokes an approval", actions.unapprove),
    "unassign": _act("Takes assigned people off", _unassign, "people", alone="people"),
    "wait_days": _act("Moves the clock on", _wait_days, "days", alone="days"),
    "write_file": _act("Writes a file of the default branch", _write_file, "project path content"),
}
