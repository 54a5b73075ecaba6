"""Webhooks leave the sandbox in GitLab's documented shape, and fail as GitLab's do."""

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from bot.sandbox.acts import actions
from bot.sandbox.acts.actions import CommitDraft, MergeRequestUpdate, NoteDraft
from bot.sandbox.webhooks.deliveries import Hooks
from bot.sandbox.webhooks.delivery import write_letter
from bot.sandbox.webhooks.parts import merge_status, write_time
from bot.sandbox.world.entities import MergeRequest, ProjectSettings, StatusCheck, Webhook
from bot.sandbox.world.hooks import FOREVER
from bot.sandbox.world.state import World
from tests.sandbox_worlds import PROJECT, make_world, open_mr

Body = dict[str, Any]
USER = {"id", "name", "username", "avatar_url", "email"}
PROJECT_KEYS = {
    "id", "name", "description", "web_url", "avatar_url", "git_ssh_url", "git_http_url",
    "namespace", "visibility_level", "path_with_namespace", "default_branch", "ci_config_path",
}  # fmt: skip
OLDER = {"homepage", "url", "ssh_url", "http_url"}
ATTRIBUTES = {
    "author_id", "created_at", "description", "draft", "head_pipeline_id", "id", "iid",
    "last_edited_at", "last_edited_by_id", "merge_commit_sha", "merged_at", "merge_error",
    "merge_params", "merge_status", "merge_user_id", "merge_when_pipeline_succeeds",
    "milestone_id", "source_branch", "source_project_id", "squash_commit_sha", "state_id",
    "target_branch", "target_branch_protected", "target_project_id", "time_estimate", "title",
    "updated_at", "updated_by_id", "prepared_at", "assignee_ids", "blocking_discussions_resolved",
    "detailed_merge_status", "first_contribution", "human_time_change", "human_time_estimate",
    "human_total_time_spent", "labels", "last_commit", "reviewer_ids", "source", "state",
    "system", "target", "time_change", "total_time_spent", "url", "approval_rules", "action",
    "actioned_at",
}  # fmt: skip
ONLY_NEWER = {
    "action", "actioned_at", "approval_rules", "draft", "merged_at", "prepared_at",
    "squash_commit_sha", "system", "target_branch_protected",
}  # fmt: skip
NOTE = {
    "id", "internal", "note", "noteable_type", "author_id", "created_at", "updated_at",
    "project_id", "attachment", "line_code", "commit_id", "noteable_id", "system", "st_diff",
    "action", "url", "type", "discussion_id",
}  # fmt: skip
NOTED_MERGE_REQUEST = {
    "id", "target_branch", "source_branch", "source_project_id", "author_id", "assignee_id",
    "title", "created_at", "updated_at", "milestone_id", "state", "merge_status",
    "target_project_id", "iid", "description", "position", "labels", "source", "target",
    "last_commit", "work_in_progress", "draft", "assignee", "detailed_merge_status",
}  # fmt: skip
APPROVAL_RULE = {
    "id", "approvals_required", "name", "rule_type", "report_type", "merge_request_id", "section",
    "modified_from_project_rule", "orchestration_policy_idx", "vulnerabilities_allowed",
    "scanners", "severity_levels", "vulnerability_states", "scan_result_policy_id",
    "security_orchestration_policy_configuration_id", "applicable_post_merge", "project_id",
    "approval_policy_rule_id", "updated_at", "created_at",
}  # fmt: skip
LABEL = {
    "id", "title", "color", "project_id", "created_at", "updated_at", "template", "description",
    "type", "group_id",
}  # fmt: skip


@dataclass(slots=True)
class Receiver:
    """What an address of ours was sent, and what it answers next."""

    url: str
    answers: list[int] = field(default_factory=list)
    got: list[tuple[Mapping[str, str], Body]] = field(default_factory=list)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Run a receiver of webhooks on loopback."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            known.got.append((dict(self.headers), json.loads(body)))
            self.send_response(known.answers.pop(0) if known.answers else 201)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Stay silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    known = Receiver(f"http://127.0.0.1:{server.server_port}/hook?token=glptt-secret")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield known
    server.shutdown()
    thread.join()
    server.server_close()


@dataclass(slots=True)
class Scene:
    """A world with hooks at work and an open merge request."""

    world: World
    hooks: Hooks
    hook: Webhook
    mr: MergeRequest

    def note(self, body: str, by: str = "developer", *, internal: bool = False) -> None:
        """Write a note as a person."""
        draft = NoteDraft(body=body, internal=internal)
        actions.create_note(self.world, self.world.user(by), self.mr, draft)


@pytest.fixture
def scene(receiver: Receiver) -> Iterator[Scene]:
    """Set the scene; what opening the merge request sent is forgotten."""
    world = make_world()
    hook = Webhook(id=1, url=receiver.url, token="not-a-real-one")  # noqa: S106 - a stand-in's
    world.project(PROJECT).webhooks.append(hook)
    hooks = Hooks(world)
    mr = open_mr(world)
    world.subscribers.append(hooks.notice)
    yield Scene(world, hooks, hook, mr)
    hooks.close()


def last(receiver: Receiver, scene: Scene) -> Body:
    """Wait for deliveries and return the newest body."""
    assert scene.hooks.drain(10)
    return receiver.got[-1][1]


def test_an_opened_merge_request_has_the_documented_shape(receiver: Receiver, scene: Scene) -> None:
    mr = open_mr(scene.world, "second")
    body = last(receiver, scene)
    assert body.keys() == {
        "object_kind", "event_type", "user", "project", "object_attributes", "labels", "changes",
    }  # fmt: skip
    assert body["object_attributes"].keys() == ATTRIBUTES
    assert body["object_attributes"]["approval_rules"][0].keys() == APPROVAL_RULE
    assert body["user"].keys() == USER
    assert body["project"].keys() == PROJECT_KEYS
    assert body["object_attributes"]["source"].keys() == PROJECT_KEYS
    assert body["object_attributes"]["action"] == "open"
    assert body["object_attributes"]["iid"] == mr.iid
    assert body["object_attributes"]["last_commit"]["id"] == mr.head_sha
    assert body["changes"]["prepared_at"]["current"] == write_time(mr.prepared_at)


PUSHED = ("added", "modified", "removed")


def test_a_push_tells_its_commits_and_files(receiver: Receiver, scene: Scene) -> None:
    scene.hook.push_events, world = True, scene.world
    project, owner = world.project(PROJECT), world.user("owner")
    before = project.repository.branches["main"]
    content = b"".join(b"line %d\n" % number for number in range(20))
    for changes in ({"a.txt": content}, {"a.txt": None, "b.txt": content}, {"b.txt": b"x\n"}):
        draft = CommitDraft(message="Edit", changes=changes)
        actions.push(world, owner, project, "main", draft)
    body = last(receiver, scene)
    told = [[each[1]["commits"][0][kind] for kind in PUSHED] for each in receiver.got[-3:]]
    # Of a moved file GitLab tells only where it went.
    assert told == [[["a.txt"], [], []], [["b.txt"], [], []], [[], ["b.txt"], []]]
    assert (body["ref"], body["total_commits_count"]) == ("refs/heads/main", 1)
    assert receiver.got[-1][0]["X-Gitlab-Event"] == "Push Hook"
    actions.reset_branch(world, owner, project, "main", before)
    assert last(receiver, scene)["commits"] == []
    actions.create_branch(world, owner, project, "new", "main")
    assert last(receiver, scene)["before"] == "0" * 40
    actions.delete_branch(world, owner, project, "new")
    assert last(receiver, scene)["after"] == "0" * 40


@pytest.mark.parametrize(
    ("pattern", "strategy", "heard"),
    [
        ("", "wildcard", True),
        ("main", "wildcard", True),
        ("ma*", "wildcard", True),
        ("mai", "wildcard", False),
        ("^ma", "regex", True),
        ("n.$", "regex", False),
        ("other", "all_branches", True),
    ],
)
def test_pushes_are_filtered_by_branch(pattern: str, strategy: str, heard: bool) -> None:
    hook = Webhook(id=1, url="", push_events_branch_filter=pattern, branch_filter_strategy=strategy)
    assert hook.hears_of("main") is heard


def test_headers_are_gitlabs(receiver: Receiver, scene: Scene) -> None:
    scene.note("hello")
    last(receiver, scene)
    headers = {name.lower(): value for name, value in receiver.got[-1][0].items()}
    assert headers["x-gitlab-event"] == "Note Hook"
    assert headers["x-gitlab-token"] == scene.hook.token
    assert headers["idempotency-key"] == headers["webhook-id"]
    assert {"x-gitlab-instance", "x-gitlab-webhook-uuid", "x-gitlab-event-uuid"} <= headers.keys()
    assert headers["content-type"] == "application/json"


Act = Callable[[World, MergeRequest], object]


def update(by: str, **fields: Any) -> Act:
    """Build an act that changes fields of the merge request."""
    return lambda world, mr: actions.update_merge_request(
        world, world.user(by), mr, MergeRequestUpdate(**fields)
    )


@pytest.mark.parametrize(
    ("act", "action", "changed"),
    [
        (lambda w, mr: actions.approve(w, w.user("developer"), mr), "approved", set()),
        (lambda w, mr: actions.close(w, w.user("author"), mr), "close", {"state_id"}),
        (lambda w, mr: actions.merge(w, w.user("maintainer"), mr), "merge", {"state_id"}),
        (update("author", title="Draft: x"), "update", {"title", "draft"}),
        (update("author", labels=("bug",)), "update", {"labels"}),
        (update("author", discussion_locked=True), "update", set()),
    ],
)
def test_what_people_do_arrives_with_its_changes(
    receiver: Receiver, scene: Scene, act: Act, action: str, changed: set[str]
) -> None:
    act(scene.world, scene.mr)
    body = last(receiver, scene)
    assert body["object_attributes"]["action"] == action
    assert body["changes"].keys() == changed | {"updated_at"}
    assert all(each.keys() == {"previous", "current"} for each in body["changes"].values())


def test_people_are_told_before_and_after(receiver: Receiver, scene: Scene) -> None:
    people = (scene.world.user("owner"),)
    update("author", assignees=people, reviewers=people)(scene.world, scene.mr)
    body = last(receiver, scene)
    assert body["changes"]["assignees"]["previous"] == []
    assert [each["username"] for each in body["changes"]["assignees"]["current"]] == ["owner"]
    before, after = body["changes"]["reviewers"]
    assert before == []
    assert after[0].keys() == USER | {"state", "re_requested"}
    assert body["assignees"][0].keys() == USER
    assert body["reviewers"] == after
    assert body["object_attributes"]["reviewer_ids"] == [after[0]["id"]]


def test_labels_have_the_documented_shape(receiver: Receiver, scene: Scene) -> None:
    update("author", labels=("bug",))(scene.world, scene.mr)
    body = last(receiver, scene)
    assert body["labels"][0].keys() == LABEL
    assert body["changes"]["labels"]["current"] == body["labels"]


def test_a_push_tells_the_old_head_and_dropped_approvals(receiver: Receiver, scene: Scene) -> None:
    world, old = scene.world, scene.mr.head_sha
    scene.mr.project.settings.reset_approvals_on_push = True
    scene.mr.project.settings.approvals_required = 1
    actions.approve(world, world.user("developer"), scene.mr)
    draft = actions.CommitDraft(message="More", changes={"change.md": b"newer\n"})
    actions.push(world, world.user("author"), scene.mr.project, "change", draft)
    last(receiver, scene)
    pushed, dropped = (body["object_attributes"] for _, body in receiver.got[-2:])
    assert pushed["oldrev"] == old
    assert (dropped["action"], dropped["system"]) == ("unapproved", True)
    assert dropped["system_action"] == "approvals_reset_on_push"


def test_a_deleted_head_is_no_commit(receiver: Receiver, scene: Scene) -> None:
    scene.mr.versions.clear()
    scene.mr.source_project = None
    actions.close(scene.world, scene.world.user("author"), scene.mr)
    attributes = last(receiver, scene)["object_attributes"]
    assert attributes["last_commit"] is None
    assert attributes["source"] is None


def test_a_comment_has_the_documented_shape(receiver: Receiver, scene: Scene) -> None:
    update("author", assignees=(scene.world.user("owner"),))(scene.world, scene.mr)
    scene.note("/nomination recheck")
    body = last(receiver, scene)
    assert body.keys() == {
        "object_kind", "event_type", "user", "project_id", "project", "repository",
        "object_attributes", "merge_request",
    }  # fmt: skip
    assert body["object_attributes"].keys() == NOTE
    assert body["object_attributes"]["action"] == "create"
    assert body["object_attributes"]["note"] == "/nomination recheck"
    assert body["project"].keys() == PROJECT_KEYS - {"ci_config_path"} | OLDER
    assert body["merge_request"].keys() == NOTED_MERGE_REQUEST
    assert body["merge_request"]["assignee"].keys() == USER - {"id", "email"}
    assert body["merge_request"]["source"].keys() == PROJECT_KEYS - {"id", "ci_config_path"} | OLDER


def test_an_edit_names_the_author_not_the_editor(receiver: Receiver, scene: Scene) -> None:
    scene.note("hello")
    note = scene.mr.comments[-1]
    actions.edit_note(scene.world, scene.world.user("maintainer"), scene.mr, note, "changed")
    body = last(receiver, scene)
    assert body["object_attributes"]["action"] == "update"
    assert body["user"]["username"] == "developer"
    assert body["merge_request"]["assignee"] is None


def test_deleting_system_notes_and_emoji_send_nothing(receiver: Receiver, scene: Scene) -> None:
    world, developer = scene.world, scene.world.user("developer")
    scene.note("hello")
    last(receiver, scene)
    count = len(receiver.got)
    note = scene.mr.comments[-1]
    actions.award_emoji(world, developer, scene.mr, "tada", note)
    actions.delete_note(world, developer, scene.mr, note)
    system = actions.create_note(world, developer, scene.mr, NoteDraft(body="x")).note
    assert system is not None
    system.system = True
    world.record("note_edited", actor=developer, merge_request=scene.mr, note=system)
    world.record("member_changed", actor=developer)
    scene.hooks.drain(10)
    assert len(receiver.got) == count + 1


@pytest.mark.parametrize("wanted", [True, False])
def test_internal_notes_need_the_confidential_scope(
    receiver: Receiver, scene: Scene, *, wanted: bool
) -> None:
    scene.hook.confidential_note_events = wanted
    scene.note("secret", internal=True)
    scene.hooks.drain(10)
    assert [body["event_type"] for _, body in receiver.got] == ["confidential_note"] * wanted


def test_a_status_check_is_asked_on_ultimate_only(receiver: Receiver, scene: Scene) -> None:
    check = StatusCheck(id=3, name="nomination", external_url=receiver.url)
    scene.mr.project.status_checks.append(check)
    scene.hook.merge_requests_events = False
    actions.close(scene.world, scene.world.user("author"), scene.mr)
    scene.hooks.drain(10)
    assert receiver.got == []
    scene.mr.project.settings = ProjectSettings(tier="ultimate")
    actions.reopen(scene.world, scene.world.user("author"), scene.mr)
    body = last(receiver, scene)
    assert body["external_approval_rule"] == {
        "id": 3, "name": "nomination", "external_url": receiver.url,
    }  # fmt: skip
    older = {"assignee_id", "work_in_progress"}
    assert body["object_attributes"].keys() == (ATTRIBUTES - ONLY_NEWER) | older
    assert {"project", "repository", "changes", "labels", "user"} <= body.keys()


def test_four_failures_disable_the_hook_until_it_is_enabled(
    receiver: Receiver, scene: Scene
) -> None:
    receiver.answers = [404, 500, 400, 400]
    for number in range(5):
        scene.note(f"note {number}")
        scene.hooks.drain(10)
    assert [each.status for each in scene.hook.events] == [404, 500, 400, 400]
    assert len(receiver.got) == 4
    scene.hooks.test(scene.mr.project, scene.hook, "note_events")
    scene.note("again")
    scene.hooks.drain(10)
    assert scene.hook.events[-1].status == 201
    assert scene.hook.failures == 0


def test_a_disabled_hook_comes_back_by_itself_for_longer_each_time(
    receiver: Receiver, scene: Scene
) -> None:
    scene.hook.failures = 5
    receiver.answers = [500]
    scene.note("one")
    scene.hooks.drain(10)
    assert scene.hook.disabled_until == scene.world.now + timedelta(minutes=4)
    scene.world.tick(300)
    scene.note("two")
    scene.hooks.drain(10)
    assert scene.hook.events[-1].status == 201
    assert scene.hook.disabled_until is None


def test_the_fortieth_failure_is_the_last(receiver: Receiver, scene: Scene) -> None:
    scene.hook.failures = 39
    receiver.answers = [500]
    scene.note("one")
    scene.hooks.drain(10)
    assert scene.hook.disabled_until == FOREVER


def test_an_unreachable_receiver_is_a_failure(scene: Scene) -> None:
    scene.hook.url = "http://127.0.0.1:9/none?token=glptt-secret"
    scene.note("one")
    scene.hooks.drain(10)
    delivery = scene.hook.events[-1]
    assert (scene.hook.failures, delivery.status) == (1, None)
    assert delivery.url.partition("?")[0] == "http://127.0.0.1:9/none"
    letter = write_letter(scene.world, scene.hook.address, delivery.name, {}, scene.hook)
    assert "glptt" not in repr((delivery, letter))


def test_a_path_is_an_address_on_this_gitlab(receiver: Receiver, scene: Scene) -> None:
    scene.world.external_url = receiver.url.partition("/hook")[0]
    scene.hook.url = "/plain"
    scene.note("one")
    assert last(receiver, scene)["object_kind"] == "note"


@pytest.mark.parametrize(
    ("fault", "arrived"),
    [
        ("", ["a", "b", "c"]),
        ("lost", []),
        ("doubled", ["a", "a", "b", "b", "c", "c"]),
        ("reordered", ["b", "a", "c"]),
    ],
)
def test_faults_lose_double_and_reorder(
    receiver: Receiver, scene: Scene, fault: str, arrived: list[str]
) -> None:
    scene.hooks.fault = fault
    for text in "abc":
        scene.note(text)
    assert scene.hooks.drain(10)
    assert [body["object_attributes"]["note"] for _, body in receiver.got] == arrived
    keys = [headers["Idempotency-Key"] for headers, _ in receiver.got]
    assert len(set(keys)) == len(set(arrived))


def test_a_delayed_delivery_is_waited_for_and_dropped_on_close(
    receiver: Receiver, scene: Scene
) -> None:
    scene.hooks.delay = 0.2
    scene.note("late")
    assert not scene.hooks.activity.quiet
    assert last(receiver, scene)["object_kind"] == "note"
    scene.hooks.delay = 60
    scene.note("never")
    scene.hooks.close()
    assert len(receiver.got) == 1


def test_all_threads_resolved_is_an_update(receiver: Receiver, scene: Scene) -> None:
    world, author = scene.world, scene.world.user("author")
    scene.note("hello")
    actions.resolve_thread(world, author, scene.mr, scene.mr.comments[-1].discussion_id, True)
    body = last(receiver, scene)
    assert body["object_attributes"]["action"] == "update"
    assert body["changes"] == {}


@pytest.mark.parametrize(
    ("detailed", "plain"),
    [
        ("mergeable", "can_be_merged"),
        ("preparing", "checking"),
        ("conflict", "cannot_be_merged"),
        ("commits_status", "cannot_be_merged"),
        ("not_open", "can_be_merged"),
    ],
)
def test_the_deprecated_merge_status_follows(detailed: str, plain: str) -> None:
    assert merge_status(detailed) == plain


def test_no_time_is_written_as_none() -> None:
    assert write_time(None) is None
