"""REST: merge requests, notes and gates, one by one."""

from dataclasses import replace
from typing import Any

import pytest

from bot.sandbox.acts import actions
from bot.sandbox.world.entities import MergeRequest, Start
from bot.sandbox.world.state import QuickActionOutcome, World
from tests.sandbox_client import MR, Api
from tests.sandbox_worlds import PROJECT, make_world, open_mr

TRIGGER = "/projects/7/trigger/pipeline"


def make_api(username: str | None = "developer") -> tuple[World, MergeRequest, Api]:
    world = make_world({"a.yml": b"a: 1\n"}, tier="ultimate")
    return world, open_mr(world), Api(world, username)


# merge requests


def test_a_merge_request_is_told_whole() -> None:
    _, mr, api = make_api()
    body = api.get(MR).body
    told = {name: body[name] for name in ("iid", "state", "draft", "changes_count", "sha")}
    assert told == {
        "iid": 1,
        "state": "opened",
        "draft": False,
        "changes_count": "1",
        "sha": mr.head_sha,
    }
    assert body["author"]["username"] == "author"
    assert body["diff_refs"]["head_sha"] == mr.head_sha
    assert body["diff_refs"]["base_sha"] == mr.project.repository.branches["main"]
    assert (body["head_pipeline"], body["detailed_merge_status"]) == (None, "mergeable")


def test_right_after_its_creation_a_merge_request_has_no_diff() -> None:
    _, mr, api = make_api()
    mr.unprepared_reads = 2
    assert api.get(f"{MR}/diffs").body == []
    early, later = api.get(MR).body, api.get(MR).body
    names = ("prepared_at", "diff_refs", "changes_count", "sha")
    assert [early[name] for name in names] == [None] * 4
    assert None not in [later[name] for name in names]
    assert len(api.get(f"{MR}/diffs").body) == 1


def test_a_private_project_hides_its_discussion() -> None:
    world, _, _ = make_api()
    world.project(PROJECT).visibility = "private"
    for reply in (Api(world, "outsider").post(f"{MR}/notes", body="x"), Api(world).get(MR)):
        assert (reply.status, reply.body) == (404, {"message": "404 Project Not Found"})


def test_a_missing_merge_request_is_404() -> None:
    _, _, api = make_api()
    assert api.get("/projects/7/merge_requests/9").body == {"message": "404 Not found"}
    reply = api.get("/projects/7/merge_requests/9/notes")
    assert reply.body == {"message": "404 Noteable Not Found"}


def test_a_merge_request_is_opened_for_another_project_too() -> None:
    world, _, _ = make_api()
    stranger = world.user("outsider")
    fork = actions.fork_project(world, stranger, world.project(PROJECT))
    api = Api(world, "outsider")
    draft = actions.CommitDraft(message="m", changes={"x": b"1"})
    actions.push(world, stranger, fork, "mine", draft)
    reply = api.post(
        f"/projects/{fork.id}/merge_requests",
        title="t",
        source_branch="mine",
        target_branch="main",
        target_project_id=7,
        labels=["a"],
        reviewer_ids=[1, 999],
        assignee_id=2,
    )
    assert reply.status == 201
    told = reply.body
    assert (told["project_id"], told["source_project_id"]) == (7, fork.id)
    assert [each["id"] for each in told["reviewers"]] == [1]
    assert (told["assignee"]["id"], told["labels"]) == (2, ["a"])
    again = api.post(
        f"/projects/{fork.id}/merge_requests",
        title="t",
        source_branch="mine",
        target_branch="main",
        target_project_id=99,
    )
    assert again.status == 404


@pytest.mark.parametrize(
    ("body", "name", "expected"),
    [
        ({"title": "Draft: x"}, "draft", True),
        ({"labels": "a,b"}, "labels", ["a", "b"]),
        ({"add_labels": ["c"]}, "labels", ["old", "c"]),
        ({"remove_labels": "old"}, "labels", []),
        ({"state_event": "close"}, "state", "closed"),
        ({"discussion_locked": True}, "discussion_locked", True),
        ({"description": ""}, "description", ""),
        ({"squash": True}, "squash", True),
        ({"remove_source_branch": True}, "force_remove_source_branch", True),
    ],
)
def test_a_field_is_changed(body: dict[str, Any], name: str, expected: object) -> None:
    _, _, api = make_api()
    api.put(MR, labels="old", description="words")
    reply = api.put(MR, **body)
    assert (reply.status, reply.body[name]) == (200, expected)


def test_a_change_of_nothing_is_refused() -> None:
    _, _, api = make_api()
    assert api.put(MR).status == 400


def test_merging_and_approving() -> None:
    world, mr, api = make_api()
    mr.project.settings.approvals_required = 1
    assert api.post(f"{MR}/approve", sha=mr.head_sha).body["user_has_approved"]
    approvals = api.get(f"{MR}/approvals").body
    assert [each["user"]["username"] for each in approvals["approved_by"]] == ["developer"]
    state = api.get(f"{MR}/approval_state").body
    assert state["rules"][0]["approved"]
    assert not api.post(f"{MR}/unapprove").body["approved"]
    mr.project.settings.approvals_required = 0
    assert api.put(f"{MR}/merge").status == 401
    owner = Api(world, "owner")
    assert owner.put(f"{MR}/merge", sha="0" * 40).status == 409
    assert owner.put(f"{MR}/merge", sha=mr.head_sha).body["state"] == "merged"


def test_the_parts_of_a_merge_request() -> None:
    world, mr, api = make_api()
    actions.set_reviewers(world, world.user("author"), mr, [world.user("developer")])
    (reviewer,) = api.get(f"{MR}/reviewers").body
    assert (reviewer["user"]["username"], reviewer["state"]) == ("developer", "unreviewed")
    people = [each["username"] for each in api.get(f"{MR}/participants").body]
    assert people == ["author", "developer"]
    (commit,) = api.get(f"{MR}/commits").body
    assert commit["id"] == mr.head_sha
    changes = api.get(f"{MR}/changes").body
    assert (changes["changes"][0]["new_path"], changes["overflow"]) == ("change.md", False)
    (version,) = api.get(f"{MR}/versions").body
    assert (version["head_commit_sha"], version["real_size"]) == (mr.head_sha, "1")
    whole = api.get(f"{MR}/versions/{version['id']}").body
    assert (len(whole["commits"]), len(whole["diffs"])) == (1, 1)
    assert api.get(f"{MR}/versions/999").status == 404
    assert api.get(f"{MR}/pipelines").body == []


# notes


def test_notes_are_listed_newest_first_unless_told() -> None:
    world, mr, api = make_api()
    for body in ("one", "two"):
        api.post(f"{MR}/notes", body=body)
    actions.approve(world, world.user("developer"), mr)

    def bodies(**query: str) -> list[str]:
        return [each["body"] for each in api.get(f"{MR}/notes", **query).body]

    approved = "approved this merge request"
    assert bodies() == [approved, "two", "one"]
    assert bodies(sort="asc", activity_filter="only_comments") == ["one", "two"]
    assert bodies(activity_filter="only_activity") == [approved]
    api.put(f"{MR}/notes/1", body="one, edited")
    assert bodies(order_by="updated_at", activity_filter="only_comments")[0] == "one, edited"


def test_a_note_one_may_not_read_leaves_a_gap_in_its_page() -> None:
    world, _, api = make_api()
    api.post(f"{MR}/notes", body="secret", internal=True)
    api.post(f"{MR}/notes", body="open")
    stranger = Api(world, "outsider")
    reply = stranger.get(f"{MR}/notes", per_page=1, sort="asc")
    assert (reply.body, reply.headers["X-Next-Page"]) == ([], "2")
    assert stranger.get(f"{MR}/notes/1").body == {"message": "404 Note Not Found"}
    assert api.get(f"{MR}/notes/1").body["internal"]


def test_a_note_s_life() -> None:
    _, mr, api = make_api()
    made = api.post(f"{MR}/notes", body="x", merge_request_diff_head_sha=mr.head_sha)
    assert (made.status, made.body["noteable_iid"]) == (201, 1)
    path = f"{MR}/notes/{made.body['id']}"
    assert api.put(path, body="y").body["body"] == "y"
    reply = api.delete(path)
    assert (reply.status, reply.raw) == (204, b"")
    assert api.get(path).status == 404


def test_a_note_of_commands_only_is_202_without_a_number() -> None:
    world, mr, api = make_api()
    world.quick_actions = lambda *_: QuickActionOutcome(
        text="", commands=("close",), changes={"state_event": "close"}, messages=("Closed.",)
    )
    expected = {"commands_changes": {"state_event": "close"}, "summary": ["Closed."]}
    for reply in (
        api.post(f"{MR}/notes", body="/close"),
        api.post(f"{MR}/discussions", body="/close"),
    ):
        assert (reply.status, reply.body) == (202, expected)
    assert mr.notes == []


def test_a_thread_is_started_answered_resolved_and_reopened() -> None:
    _, mr, api = make_api()
    mr.project.settings.threads_must_be_resolved = True
    thread = api.post(f"{MR}/discussions", body="why?").body
    path = f"{MR}/discussions/{thread['id']}"
    assert api.post(f"{path}/notes", body="so").status == 201
    assert not api.get(MR).body["blocking_discussions_resolved"]
    assert api.put(path, resolved=True).body["resolved"]
    found = api.get(path).body
    assert [each["body"] for each in found["notes"]] == ["why?", "so"]
    assert found["notes"][0]["resolved_by"]["username"] == "developer"
    assert not api.put(path, resolved=False).body["resolved"]
    assert api.get(f"{MR}/discussions/none").status == 404
    other = api.post(f"{MR}/discussions", body="another").body
    assert api.get(f"{MR}/discussions/{other['id']}").body["notes"][0]["body"] == "another"
    api.delete(f"{MR}/notes/{other['notes'][0]['id']}")
    assert len(api.get(f"{MR}/discussions").body) == 1
    assert mr.notes[0].type == "DiscussionNote"


def test_a_position_makes_a_diff_note() -> None:
    _, mr, api = make_api()
    version = mr.versions[0]
    position = {
        "base_sha": version.base_sha,
        "start_sha": version.start_sha,
        "head_sha": version.head_sha,
        "position_type": "text",
        "new_path": "change.md",
        "new_line": 1,
    }
    thread = api.post(f"{MR}/discussions", body="here", position=position).body
    assert thread["notes"][0]["type"] == "DiffNote"
    assert thread["notes"][0]["position"]["new_line"] == 1
    reply = api.post(f"{MR}/discussions", body="here", position={"new_path": "x"})
    assert (reply.status, "position[base_sha] is missing" in reply.body["error"]) == (400, True)


@pytest.mark.parametrize("path", [f"{MR}/award_emoji", f"{MR}/notes/1/award_emoji"])
def test_reactions_come_and_go(path: str) -> None:
    world, _, api = make_api()
    api.post(f"{MR}/notes", body="x")
    award = api.post(path, name="eyes").body
    assert award["awardable_type"] == ("Note" if "notes" in path else "MergeRequest")
    assert api.post(path, name="eyes").status == 404
    assert [each["name"] for each in api.get(path).body] == ["eyes"]
    api.post(path, name="tada")
    one = f"{path}/{award['id']}"
    assert api.get(one).body["user"]["username"] == "developer"
    assert Api(world, "owner").delete(one).status == 401
    assert api.get(f"{path}/{award['id'] + 1}").body["name"] == "tada"
    assert api.delete(one).status == 204
    assert api.get(one).status == 404


# gates


def test_a_status_is_posted_listed_and_seen_in_the_pipeline() -> None:
    _, mr, api = make_api()
    path = f"/projects/7/statuses/{mr.head_sha}"
    made = api.post(path, state="pending", context="gate", description="wait")
    assert (made.status, made.body["name"], made.body["status"]) == (201, "gate", "pending")
    again = api.post(path, state="pending", context="gate")
    assert (again.status, "Cannot transition status" in again.body["message"]) == (400, True)
    api.post(path, state="success", context="gate", coverage=81.5)
    api.post(path, state="failed", name="gate")
    listed = f"/projects/7/repository/commits/{mr.head_sha}/statuses"
    assert [each["status"] for each in api.get(listed).body] == ["failed"]
    assert [each["status"] for each in api.get(listed, all="true", sort="desc").body] == [
        "failed",
        "success",
    ]
    assert api.get(listed, name="other", order_by="pipeline_id").body == []
    assert api.get(listed, pipeline_id=9).body == []
    assert api.get(MR).body["head_pipeline"]["status"] == "failed"
    assert len(api.get(f"{MR}/pipelines").body) == 1
    commit = api.get(f"/projects/7/repository/commits/{mr.head_sha}").body
    assert commit["last_pipeline"]["status"] == commit["status"] == "failed"


def test_a_status_without_state_or_with_a_strange_one_is_refused() -> None:
    _, mr, api = make_api()
    path = f"/projects/7/statuses/{mr.head_sha}"
    assert api.post(path).body == {"error": "state is missing"}
    assert api.post(path, state="passed").body == {"error": "state does not have a valid value"}
    for more in ({"coverage": True}, {"coverage": "high"}, {"pipeline_id": True}):
        reply = api.post(path, state="success", **more)
        assert reply.body == {"error": f"{next(iter(more))} is invalid"}


def test_external_checks_are_made_answered_and_retried() -> None:
    world, mr, api = make_api()
    owner = Api(world, "owner")
    checks = "/projects/7/external_status_checks"
    assert api.post(checks, name="gate", external_url="http://x/").status == 403
    check = owner.post(checks, name="gate", external_url="http://x/").body
    assert not check["hmac"]
    assert owner.post(checks, name="gate", external_url="http://y/").status == 400
    assert [each["id"] for each in api.get(checks).body] == [check["id"]]
    said = {"external_status_check_id": check["id"], "sha": mr.head_sha, "status": "failed"}
    answer = api.post(f"{MR}/status_check_responses", **said)
    assert (answer.status, answer.body["merge_request"]["iid"]) == (201, 1)
    assert api.get(f"{MR}/status_checks").body[0]["status"] == "failed"
    retry = f"{MR}/status_checks/{check['id']}/retry"
    assert (api.post(retry).status, api.post(retry).status) == (202, 422)
    said["sha"] = "0" * 40
    assert api.post(f"{MR}/status_check_responses", **said).status == 409
    said["external_status_check_id"] = 99
    assert api.post(f"{MR}/status_check_responses", **said).status == 404
    world.project(PROJECT).settings.tier = "premium"
    assert api.get(checks).status == 404


# triggers


def make_trigger() -> tuple[World, Api, list[Start]]:
    world, mr, api = make_api(None)
    calls: list[Start] = []

    def start(call: Start) -> Any:
        calls.append(call)
        return actions.create_pipeline(world, replace(call, sha=str(mr.head_sha)))

    world.trigger = start
    return world, api, calls


def test_a_trigger_by_route_passes_the_body_as_payload_without_the_token() -> None:
    world, api, calls = make_trigger()
    token = world.project(PROJECT).triggers[0].value
    path = f"/projects/7/ref/change/trigger/pipeline?token={token}"
    reply = api.post(path, object_kind="note", ref="elsewhere", id=5)
    assert (reply.status, reply.body["source"], reply.body["ref"]) == (201, "trigger", "change")
    assert calls[0].payload == {"object_kind": "note", "id": "7", "ref": "change"}
    assert token not in repr(world.requests)


def test_a_trigger_by_body_names_its_ref_and_variables() -> None:
    world, api, calls = make_trigger()
    token = world.project(PROJECT).triggers[0].value
    form = {"token": token, "ref": "main", "variables[KEY]": "v"}
    assert api.send("POST", f"/api/v4{TRIGGER}", data=form).status == 201
    assert (calls[0].ref, calls[0].variables) == ("main", {"KEY": "v"})


def test_a_ref_with_slashes_is_one_ref() -> None:
    world, api, calls = make_trigger()
    owner, project = world.user("owner"), world.project(PROJECT)
    actions.create_branch(world, owner, project, "a/b", "main")
    token = project.triggers[0].value
    for ref in ("a/b", "a%2Fb"):
        path = f"/projects/7/ref/{ref}/trigger/pipeline"
        assert api.post(path, token=token).status == 201
    assert [call.ref for call in calls] == ["a/b", "a/b"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"ref": "main"}, 400),
        ({"token": "wrong", "ref": "main"}, 404),
        ({"token": "glptt-not-a-real-one"}, 400),
        ({"token": "glptt-not-a-real-one", "ref": "nowhere"}, 400),
        ({"token": "glptt-not-a-real-one", "ref": "main", "variables": {"A": 1}}, 400),
    ],
)
def test_a_wrong_trigger_starts_nothing(body: dict[str, Any], status: int) -> None:
    _, api, calls = make_trigger()
    assert (api.post(TRIGGER, **body).status, calls) == (status, [])


def test_a_pipeline_hook_triggers_nothing() -> None:
    world, api, calls = make_trigger()
    api.headers["X-Gitlab-Event"] = "Pipeline Hook"
    token = world.project(PROJECT).triggers[0].value
    assert (api.post(TRIGGER, token=token, ref="main").status, calls) == (403, [])


def test_without_jobs_a_trigger_says_so() -> None:
    world, api, _ = make_trigger()
    world.trigger = None
    token = world.project(PROJECT).triggers[0].value
    assert api.post(TRIGGER, token=token, ref="main").status == 400
