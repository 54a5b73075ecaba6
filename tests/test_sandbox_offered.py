"""What the REST interface offers besides: rows of requests, in order, with what they answer."""

import hashlib
import json
import threading
from collections.abc import Callable
from http.client import HTTPConnection
from typing import Any

import pytest

from bot.sandbox.scenarios import EMPTY
from bot.sandbox.story.serve import serve
from bot.sandbox.world.entities import Group, Level, Member
from bot.sandbox.world.state import World
from tests.raw_server import free_port
from tests.sandbox_client import MR, Api
from tests.sandbox_worlds import NOW, make_world, open_mr

P = "/projects/7"
DRAFTS = f"{MR}/draft_notes"
FILE = f"{P}/repository/files/new.md"
THREAD = hashlib.sha1(b"discussion 1", usedforsecurity=False).hexdigest()
ON_CHANGE = {"branch": "change", "commit_message": "m"}
Row = tuple[str, str, Any, int, Callable[[Any], object] | None]


def names(key: str, *expected: object) -> Callable[[Any], object]:
    """Expect a list whose rows have these values."""
    return lambda body: [row[key] for row in body] == list(expected)


def says(**expected: object) -> Callable[[Any], object]:
    """Expect an object with these values."""
    return lambda body: {name: body[name] for name in expected} == expected


ROTATE = "/personal_access_tokens/self/rotate"
ROWS: dict[str, list[Row]] = {
    "a token rotated to a day": [
        ("POST", ROTATE, {"expires_at": "tomorrow"}, 400, says(error="expires_at is invalid")),
        ("POST", ROTATE, {"expires_at": "2027-02-03"}, 400, None),
        ("POST", ROTATE, {"expires_at": "2027-02-02"}, 200, says(expires_at="2027-02-02")),
        ("POST", ROTATE, None, 401, says(error="invalid_token")),
    ],
    "drafts of a review": [
        ("POST", DRAFTS, {"note": "one"}, 201, says(note="one", id=1)),
        ("POST", DRAFTS, {"note": "two"}, 201, None),
        ("POST", DRAFTS, {"note": "gone"}, 201, None),
        ("PUT", f"{DRAFTS}/1", {"note": "ONE"}, 200, says(note="ONE")),
        ("DELETE", f"{DRAFTS}/3", None, 204, None),
        ("GET", f"{DRAFTS}/3", None, 404, None),
        ("GET", f"{DRAFTS}/2", None, 200, says(note="two")),
        ("GET", f"{MR}/notes", None, 200, names("body")),
        ("PUT", f"{DRAFTS}/1/publish", None, 204, None),
        ("GET", DRAFTS, None, 200, names("note", "two")),
        ("POST", f"{DRAFTS}/bulk_publish", None, 204, None),
        ("GET", f"{MR}/notes?sort=asc", None, 200, names("body", "ONE", "two")),
    ],
    "drafts that answer": [
        ("POST", f"{MR}/discussions", {"body": "Why?"}, 201, None),
        (
            "POST",
            DRAFTS,
            {"note": "So", "resolve_discussion": True, "in_reply_to_discussion_id": THREAD},
            201,
            says(resolve_discussion=True, discussion_id=THREAD),
        ),
        ("PUT", f"{DRAFTS}/1/publish", None, 204, None),
        (
            "GET",
            f"{MR}/discussions/{THREAD}",
            None,
            200,
            lambda body: [each["resolved"] for each in body["notes"]] == [True, True],
        ),
    ],
    "files": [
        ("POST", FILE, {**ON_CHANGE, "content": "x", "encoding": "base64"}, 400, None),
        ("POST", FILE, {**ON_CHANGE, "content": "x"}, 201, None),
        ("DELETE", FILE, {**ON_CHANGE, "last_commit_id": "0" * 40}, 400, None),
        ("DELETE", FILE, ON_CHANGE, 204, None),
        ("DELETE", FILE, ON_CHANGE, 400, None),
        ("DELETE", FILE, {**ON_CHANGE, "branch": "main"}, 400, None),
        ("GET", f"{FILE}?ref=change", None, 404, None),
    ],
    "branches": [
        ("POST", f"{P}/protected_branches", {"name": "x", "push_access_level": 60}, 400, None),
        ("GET", f"{P}/protected_branches", None, 200, names("name", "main")),
        ("DELETE", f"{P}/repository/branches/main", None, 403, None),
        ("DELETE", f"{P}/repository/branches/change", None, 204, None),
        ("DELETE", f"{P}/repository/branches/change", None, 404, None),
    ],
    "tags and releases": [
        ("POST", f"{P}/releases", {"tag_name": "v1"}, 422, None),
        ("POST", f"{P}/repository/tags", {"tag_name": "v0", "ref": "main"}, 201, says(name="v0")),
        ("POST", f"{P}/repository/tags", {"tag_name": "v0", "ref": "main"}, 400, None),
        ("POST", f"{P}/repository/tags", {"tag_name": "v9", "ref": "nothing"}, 400, None),
        (
            "POST",
            f"{P}/releases",
            {"tag_name": "v1", "ref": "main", "assets": {"links": [{"name": "a", "url": "b"}]}},
            201,
            says(name="v1"),
        ),
        ("POST", f"{P}/releases", {"tag_name": "v1"}, 409, None),
        ("PUT", f"{P}/releases/v1", {"description": "Words"}, 200, says(description="Words")),
        ("GET", f"{P}/repository/tags/v1", None, 200, lambda body: body["release"]),
        ("GET", f"{P}/repository/commits/v1", None, 200, says(title="Begin")),
        ("GET", f"{P}/releases", None, 200, names("tag_name", "v1")),
        ("DELETE", f"{P}/releases/v1", None, 200, says(tag_name="v1")),
        ("GET", f"{P}/releases/v1", None, 404, None),
        ("GET", f"{P}/repository/tags", None, 200, names("name", "v1", "v0")),
        ("DELETE", f"{P}/repository/tags/v1", None, 204, None),
        ("DELETE", f"{P}/repository/tags/v1", None, 404, None),
        ("GET", f"{P}/repository/tags/v1", None, 404, None),
        ("POST", f"{P}/releases", {"tag_name": "v0", "assets": {"links": ["a"]}}, 400, None),
        ("POST", f"{P}/releases", {"tag_name": "v0", "assets": {"links": None}}, 201, None),
        ("DELETE", f"{P}/repository/tags/v0", None, 204, None),
        ("GET", f"{P}/releases", None, 200, names("tag_name")),
    ],
    "pipelines and jobs": [
        ("POST", f"{P}/pipeline", {"ref": "change"}, 201, says(ref="change", status="success")),
        ("POST", f"{P}/pipeline", {"ref": "nothing"}, 400, None),
        ("POST", f"{MR}/pipelines", None, 200, says(source="merge_request_event")),
        ("GET", f"{P}/pipelines", None, 200, names("id", 2, 1)),
        ("GET", f"{P}/pipelines?ref=change&status=success", None, 200, names("id", 1)),
        ("GET", f"{P}/pipelines?scope=running", None, 200, names("id")),
        ("GET", f"{P}/pipelines?scope=finished&sort=asc", None, 200, names("id", 1, 2)),
        ("GET", f"{P}/pipelines/latest", None, 200, says(id=2)),
        ("GET", f"{P}/pipelines/9", None, 404, None),
        ("GET", f"{P}/pipelines/1/jobs?scope[]=success", None, 200, names("name", "test")),
        ("GET", f"{P}/pipelines/1/jobs?scope[]=manual", None, 200, names("name")),
        ("POST", f"{P}/pipelines/1/cancel", None, 201, says(status="success")),
        ("GET", f"{P}/jobs", None, 200, names("id", 2, 1)),
        ("GET", f"{P}/jobs/1", None, 200, says(name="test", stage="test")),
        ("GET", f"{P}/jobs/9", None, 404, None),
    ],
    "labels": [
        ("POST", f"{P}/labels", {"name": "bug", "color": "#f00"}, 201, says(name="bug", id=1)),
        ("POST", f"{P}/labels", {"name": "bug", "color": "#f00"}, 409, None),
        ("PUT", MR, {"labels": "bug"}, 200, says(labels=["bug"])),
        ("PUT", f"{P}/labels/bug", {"new_name": "fault"}, 200, says(name="fault")),
        ("GET", f"{P}/labels/1", None, 200, says(name="fault", color="#f00")),
        ("GET", MR, None, 200, says(labels=["fault"])),
        ("DELETE", f"{P}/labels/fault", None, 204, None),
        ("DELETE", f"{P}/labels/fault", None, 404, None),
        ("GET", MR, None, 200, says(labels=[])),
    ],
    "forks and ranges": [
        ("POST", f"{P}/fork", {}, 201, says(path_with_namespace="maintainer/team")),
        ("POST", f"{P}/fork", {}, 409, None),
        ("GET", f"{P}/forks", None, 200, names("path_with_namespace", "maintainer/team")),
        ("PUT", f"{MR}/reset_approvals", None, 401, None),
        (
            "GET",
            f"{P}/repository/commits?ref_name=main..change",
            None,
            200,
            names("title", "Change"),
        ),
    ],
    "what a person follows": [
        ("GET", MR, None, 200, says(subscribed=False)),
        ("POST", f"{MR}/subscribe", None, 201, says(subscribed=True)),
        ("POST", f"{MR}/subscribe", None, 304, None),
        ("POST", f"{MR}/unsubscribe", None, 201, says(subscribed=False)),
        ("POST", f"{MR}/todo", None, 201, says(action_name="marked", state="pending")),
        ("POST", f"{MR}/todo", None, 304, None),
        ("GET", "/todos?action=marked", None, 200, names("state", "pending")),
        ("POST", "/todos/mark_as_done", None, 204, None),
        ("GET", "/todos", None, 200, names("state")),
    ],
    "merge requests": [
        ("GET", f"{MR}/closes_issues", None, 200, names("id")),
        ("GET", f"{MR}/merge_ref", None, 200, lambda body: len(body["commit_id"]) == 40),
        ("GET", f"{P}/approvals", None, 200, says(approvals_before_merge=0)),
        ("GET", f"{P}/issues", None, 200, names("id")),
        ("GET", "/issues", None, 200, names("id")),
    ],
    "projects and groups": [
        ("GET", "/projects", None, 200, names("id", 7)),
        ("GET", "/projects?simple=true&owned=true", None, 200, names("id")),
        ("GET", "/projects?membership=true&search=TEAM", None, 200, names("id", 7)),
        ("GET", "/projects?min_access_level=50", None, 200, names("id")),
        ("GET", "/users/1/projects", None, 200, names("id")),
        ("GET", "/users/owner/projects", None, 200, names("id")),
        ("GET", "/users/nobody/projects", None, 404, None),
        ("GET", "/users/%C2%B2/projects", None, 404, None),
        ("GET", "/users/999/projects", None, 404, None),
        ("GET", f"{P}/forks", None, 200, names("id")),
        ("GET", "/groups", None, 200, names("full_path", "group", "group/sub")),
        ("GET", "/groups?top_level_only=true", None, 200, names("full_path", "group")),
        ("GET", "/groups/group", None, 200, lambda body: body["projects"][0]["id"] == 7),
        ("GET", "/groups/group?with_projects=false", None, 200, says(full_name="Group")),
        ("GET", "/groups/group/subgroups", None, 200, names("full_path", "group/sub")),
        ("GET", "/groups/group/projects", None, 200, names("id", 7)),
    ],
}


def make_scene() -> tuple[World, Api]:
    """Build a world with a merge request, a group and another below it."""
    world = make_world()
    group = Group(id=1, full_path="group", name="Group", created_at=NOW)
    world.add_group(group)
    world.add_group(Group(id=2, full_path="group/sub", name="Sub", created_at=NOW, parent=group))
    mr = open_mr(world)
    mr.project.group = group
    owner = world.user("owner")
    group.members[owner.id] = Member(user=owner, level=Level.OWNER, created_at=NOW)
    return world, Api(world, "maintainer")


@pytest.mark.parametrize("story", ROWS)
def test_it_is_offered(story: str) -> None:
    world, api = make_scene()
    for method, path, body, status, check in ROWS[story]:
        told = {"json": body} if body is not None else {}
        reply = api.send(method, f"/api/v4{path}", **told)
        assert reply.status == status, (method, path, reply.body)
        assert check is None or check(reply.body), (method, path, reply.body)
    assert world.violations == []


def test_the_notes_of_a_thread_are_read_edited_resolved_and_deleted() -> None:
    """lib/api/discussions.rb, `GET`, `PUT` and `DELETE` below `/discussions/:id/notes`."""
    world, api = make_scene()
    thread = api.post(f"{MR}/discussions", body="why?").body
    other = api.post(f"{MR}/discussions", body="else?").body
    path = f"{MR}/discussions/{thread['id']}/notes/{thread['notes'][0]['id']}"
    assert api.get(path).body["body"] == "why?"
    assert api.put(path, body="why not?").body["body"] == "why not?"
    assert api.put(path, resolved=True).body["resolved"] is True
    assert [api.put(path).status, api.put(path, body="x", resolved=True).status] == [400, 400]
    stray = f"{MR}/discussions/{other['id']}/notes/{thread['notes'][0]['id']}"
    tried = [api.get(stray), api.put(stray, body="x"), api.put(stray, resolved=True)]
    assert {each.status for each in [*tried, api.delete(stray)]} == {404}
    assert Api(world, "reporter").put(path, body="x").status == 403
    assert api.delete(path).status == 204
    assert len(api.get(f"{MR}/discussions").body) == 1


def test_a_draft_that_answers_is_published_as_an_answer() -> None:
    """As app/services/draft_notes/publish_service.rb does, which replies as anybody does."""
    world, api = make_scene()
    for given in ({"internal": True}, {}):
        api.post(f"{MR}/notes", body="Why?", **given)
        asked = world.project("7").merge_requests[1].notes[-1]
        reply = {"note": "Well", "in_reply_to_discussion_id": asked.discussion_id}
        assert api.post(DRAFTS, **reply).status == 201
        assert api.post(f"{DRAFTS}/bulk_publish").status == 204
        answer = world.project("7").merge_requests[1].notes[-1]
        assert (answer.internal, asked.type) == (asked.internal, "DiscussionNote")
    assert api.post(DRAFTS, note="x", in_reply_to_discussion_id="0" * 40).status == 201
    assert api.post(f"{DRAFTS}/bulk_publish").status == 404


def test_a_rebase_replays_the_commits_or_says_why_not() -> None:
    world, api = make_scene()
    mr = world.project("7").merge_requests[1]
    owner = Api(world, "owner")
    change = {"branch": "main", "commit_message": "m", "content": "x\n"}
    assert owner.post(FILE, **change).status == 201
    assert api.put(f"{MR}/rebase").status == 202
    commit = mr.project.repository.store.commits[str(mr.head_sha)]
    assert commit.parents == (mr.project.repository.branches["main"],)
    assert (commit.author.name, commit.committer.name) == ("Author", "Maintainer")
    assert Api(world, "reporter").put(f"{MR}/rebase").status == 403
    clash = f"{P}/repository/files/change.md"
    assert owner.post(clash, **change).status == 201
    assert [api.put(f"{MR}/rebase").status, api.get(f"{MR}/merge_ref").status] == [409, 400]


def test_a_served_world_passes_over_what_it_does_not_know_and_says_so(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """`nomination-bot sandbox` is lenient as GitLab is, and its terminal tells."""
    port = free_port()
    stop = threading.Event()
    served = threading.Thread(target=serve, args=(EMPTY, port, stop), daemon=True)
    served.start()
    try:
        assert _ask(port, "/api/v4/projects?oddity=1") == (200, None)
        told = "the sandbox does not offer GET /api/v4/unheard-of"
        assert _ask(port, "/api/v4/unheard-of") == (404, told)
    finally:
        stop.set()
        served.join(30)
    errors = capsys.readouterr().err
    assert "unknown parameter: oddity" in errors
    assert "does not offer GET /api/v4/unheard-of" in errors


def _ask(port: int, path: str) -> tuple[int, str | None]:
    for _ in range(300):
        connection = HTTPConnection("127.0.0.1", port, timeout=10)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            body = json.loads(answer.read())
        except ConnectionError:
            threading.Event().wait(0.05)
            continue
        finally:
            connection.close()
        return answer.status, body["message"] if isinstance(body, dict) else None
    raise TimeoutError(path)
