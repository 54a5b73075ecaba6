"""What the steps of a scenario can do: a table from name to a small act of a person."""

# One module: one act after another, each with what it does and takes beside it.

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from bot.sandbox.acts import actions
from bot.sandbox.acts.actions import CommitDraft, MergeRequestDraft, MergeRequestUpdate, NoteDraft
from bot.sandbox.story.setting import Stage
from bot.sandbox.world.entities import Level, MergeRequest, Protection, StatusCheck, User

Given = Mapping[str, Any]
Run = Callable[[Stage, User, Given], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """How a step is done: the keys it needs and may have, the one that may be written alone.

    The table of acts in docs/sandbox.md is made of these.
    """

    about: str
    run: Run
    needs: frozenset[str] = frozenset()
    may: frozenset[str] = frozenset()
    alone: str | None = None


ACTS: dict[str, Act] = {}


def _act(
    about: str, *, needs: str = "", may: str = "", alone: str | None = None
) -> Callable[[Run], Run]:
    """Let a function be the act that it is called like."""

    def keep(run: Run) -> Run:
        ACTS[run.__name__.removeprefix("_")] = Act(
            about=about,
            run=run,
            needs=frozenset(needs.split()),
            may=frozenset(may.split()),
            alone=alone,
        )
        return run

    return keep


@_act(
    "Pushes `files` to a branch, with `fork: true` in a fork of one's own, and opens a merge "
    "request",
    needs="project branch title files",
    may="description target fork",
)
def _open_merge_request(stage: Stage, by: User, given: Given) -> None:
    project = stage.world.project(given["project"])
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


@_act(
    "Writes a comment; quick actions and commands in it work",
    needs="text",
    may="internal",
    alone="text",
)
def _comment(stage: Stage, by: User, given: Given) -> None:
    draft = NoteDraft(body=given["text"], internal=given.get("internal", False))
    actions.create_note(stage.world, by, stage.mr, draft)


@_act("Begins a thread on the merge request", needs="text", alone="text")
def _thread(stage: Stage, by: User, given: Given) -> None:
    draft = NoteDraft(body=given["text"], type="DiscussionNote")
    actions.create_note(stage.world, by, stage.mr, draft)


@_act("Resolves the newest thread of the merge request once more")
def _resolve(stage: Stage, by: User, _given: Given) -> None:
    thread = [note for note in stage.mr.notes if note.resolvable][-1]
    for resolved in (False, True):
        actions.resolve_thread(stage.world, by, stage.mr, thread.discussion_id, resolved)


@_act(
    "Edits a comment, the last one unless `comment` gives its place",
    needs="text",
    may="comment",
    alone="text",
)
def _edit_comment(stage: Stage, by: User, given: Given) -> None:
    note = stage.comment(given.get("comment", -1))
    actions.edit_note(stage.world, by, stage.mr, note, given["text"])


@_act(
    "Deletes a comment by its place, from 1, or from -1 backwards",
    needs="comment",
    alone="comment",
)
def _delete_comment(stage: Stage, by: User, given: Given) -> None:
    actions.delete_note(stage.world, by, stage.mr, stage.comment(given["comment"]))


@_act("Assigns people besides those who are", needs="people", alone="people")
def _assign(stage: Stage, by: User, given: Given) -> None:
    everybody = [*stage.mr.assignees, *stage.people(given["people"])]
    actions.assign(stage.world, by, stage.mr, everybody)


@_act("Takes assigned people off", needs="people", alone="people")
def _unassign(stage: Stage, by: User, given: Given) -> None:
    gone = stage.people(given["people"])
    left = [each for each in stage.mr.assignees if each not in gone]
    actions.assign(stage.world, by, stage.mr, left)


@_act("Asks people for a review besides those who are asked", needs="people", alone="people")
def _request_review(stage: Stage, by: User, given: Given) -> None:
    everybody = [*(each.user for each in stage.mr.reviewers), *stage.people(given["people"])]
    actions.set_reviewers(stage.world, by, stage.mr, everybody)


@_act("Changes the title of the merge request", needs="title", alone="title")
def _rename(stage: Stage, by: User, given: Given) -> None:
    update = MergeRequestUpdate(title=given["title"])
    actions.update_merge_request(stage.world, by, stage.mr, update)


@_act("Pushes `files` to the branch of the merge request", needs="files", may="message")
def _push(stage: Stage, by: User, given: Given) -> None:
    source = stage.mr.source_project or stage.mr.project
    changes = stage.contents(given["files"])
    draft = CommitDraft(message=given.get("message", "Change"), changes=changes)
    actions.push(stage.world, by, source, stage.mr.source_branch, draft)


@_act(
    "Has `count` merge requests of `author` approved by the acting person and merged; with "
    "`comment` a thread is the review, with `state` it comes after the merge, with `push` the "
    "author pushes once more",
    needs="project author merger",
    may="comment count push state target",
)
def _review_elsewhere(stage: Stage, by: User, given: Given) -> None:
    """Let merge requests of `author` be approved by the acting person and merged.

    With a `comment` they are not approved: to start a thread is all the review. With `push`
    the author pushes once more before the merge; with `state` the person only sets it, after
    the merge.
    """
    author, merger = stage.people([given["author"], given["merger"]])
    for _ in range(given.get("count", 1)):
        mr = stage.open_elsewhere(
            author, stage.world.project(given["project"]), given.get("target")
        )
        actions.set_reviewers(stage.world, author, mr, [by])
        if "comment" in given:
            draft = NoteDraft(body=given["comment"], type="DiscussionNote")
            actions.create_note(stage.world, by, mr, draft)
        elif "state" not in given:
            actions.approve(stage.world, by, mr)
        if given.get("push"):
            path = f"notes/polish-{mr.iid}.md"
            more = CommitDraft(message="Polish", changes={path: b"A bit more.\n"})
            actions.push(stage.world, author, mr.project, mr.source_branch, more)
        actions.merge(stage.world, merger, mr)
        if "state" in given:
            actions.submit_review(stage.world, by, mr, given["state"])


@_act(
    "Has merge requests of the acting person merged, `count` of them",
    needs="project merger",
    may="count target",
)
def _author_elsewhere(stage: Stage, by: User, given: Given) -> None:
    for _ in range(given.get("count", 1)):
        mr = stage.open_elsewhere(by, stage.world.project(given["project"]), given.get("target"))
        actions.merge(stage.world, stage.world.user(given["merger"]), mr)


@_act(
    "Lets pushes to a project's merge requests take approvals away",
    needs="project",
    alone="project",
)
def _reset_approvals(stage: Stage, _by: User, given: Given) -> None:
    with stage.world.writing():
        settings = stage.world.project(given["project"]).settings
        settings.tier, settings.reset_approvals_on_push = "premium", True


@_act(
    "Lets Maintainers alone push to branches of a project, by a name or a wildcard",
    needs="project branch",
)
def _protect(stage: Stage, _by: User, given: Given) -> None:
    with stage.world.writing():
        project = stage.world.project(given["project"])
        project.protected_branches.append(Protection(name=given["branch"]))


@_act("Makes a branch from the default branch", needs="project name")
def _branch(stage: Stage, by: User, given: Given) -> None:
    project = stage.world.project(given["project"])
    actions.create_branch(stage.world, by, project, given["name"], project.default_branch)


@_act(
    "Replaces the one place of `old` in a file of the default branch",
    needs="project path old new",
)
def _edit_file(stage: Stage, by: User, given: Given) -> None:
    project, path = stage.world.project(given["project"]), given["path"]
    content = stage.replaced(project, path, (given["old"], given["new"]))
    draft = CommitDraft(message=f"Change {path}", changes={path: content.encode()})
    actions.push(stage.world, by, project, project.default_branch, draft)


@_act("Writes a file of the default branch", needs="project path content")
def _write_file(stage: Stage, by: User, given: Given) -> None:
    project = stage.world.project(given["project"])
    changes = stage.contents({given["path"]: given["content"]})
    draft = CommitDraft(message=f"Write {given['path']}", changes=changes)
    actions.push(stage.world, by, project, project.default_branch, draft)


@_act(
    "Adds a person to a group or project, or to several; `maintainer` unless `level` is given",
    needs="person to",
    may="level",
)
def _add_member(stage: Stage, by: User, given: Given) -> None:
    level = Level[given.get("level", "maintainer").upper()]
    who, places = stage.world.user(given["person"]), given["to"]
    for each in [places] if isinstance(places, str) else places:
        actions.add_member(stage.world, by, stage.place(each), who, level)


@_act(
    "Has an external service asked about merge requests, which takes GitLab Ultimate",
    needs="project name url",
)
def _add_status_check(stage: Stage, _: User, given: Given) -> None:
    world, project = stage.world, stage.world.project(given["project"])
    number = world.next_id("status_check")
    check = StatusCheck(id=number, name=given["name"], external_url=given["url"])
    with world.writing():
        project.settings.tier = "ultimate"
        project.status_checks.append(check)


@_act("Removes a person from a group or project", needs="person from")
def _remove_member(stage: Stage, by: User, given: Given) -> None:
    who = stage.world.user(given["person"])
    actions.remove_member(stage.world, by, stage.place(given["from"]), who)


@_act("Moves the clock on", needs="days", alone="days")
def _wait_days(stage: Stage, _by: User, given: Given) -> None:
    stage.world.tick(timedelta(days=given["days"]).total_seconds())


@_act("Starts the scheduled pipeline of the bot")
def _sweep(stage: Stage, by: User, _given: Given) -> None:
    stage.sandbox.runner.schedule(stage.sandbox.bot_project, by)


@_act("Starts the scheduled pipeline of the bot that publishes the board")
def _board(stage: Stage, by: User, _given: Given) -> None:
    variables = {"NOMINATION_BOARD": "true"}
    stage.sandbox.runner.schedule(stage.sandbox.bot_project, by, variables)


@_act(
    "Runs a command of the bot as its operator does, such as `drift`; it ends with "
    "`exit_code`, 0 unless given",
    needs="command",
    may="exit_code",
    alone="command",
)
def _run(stage: Stage, _by: User, given: Given) -> None:
    expected = given.get("exit_code", 0)
    with tempfile.TemporaryDirectory(prefix="terminal-") as place:
        folder = Path(place)
        done = stage.sandbox.runner.run_command(f"nomination-bot {given['command']}", folder)
        board = folder / "public" / "board.json"
        stage.board = board.read_bytes() if board.exists() else b""
    stage.terminal = done.log
    if done.exit_code != expected:
        raise ValueError(f"exit code {done.exit_code}, not {expected}:\n{done.log}")


def _plain(act: Callable[[Any, User, MergeRequest], object]) -> Run:
    return lambda stage, by, _given: act(stage.world, by, stage.mr)


ACTS |= {
    "approve": Act(about="Approves the merge request", run=_plain(actions.approve)),
    "close": Act(about="Closes the merge request", run=_plain(actions.close)),
    "merge": Act(about="Merges the merge request", run=_plain(actions.merge)),
    "reopen": Act(about="Reopens the merge request", run=_plain(actions.reopen)),
    "unapprove": Act(about="Revokes an approval", run=_plain(actions.unapprove)),
}
