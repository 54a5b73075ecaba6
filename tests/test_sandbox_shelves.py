"""What programs nobody here wrote asked for: rows of requests by the owner, in order."""

import io
import json
import tarfile
import zipfile
from base64 import b64decode
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import pytest

from bot.sandbox.acts import actions
from bot.sandbox.acts.actions import CommitDraft
from bot.sandbox.rest.shelves import NONE_HERE, SHELVES
from bot.sandbox.world.entities import Group, Level, Member
from bot.sandbox.world.state import World
from tests.sandbox_client import MR, Api
from tests.sandbox_worlds import NOW, make_world, open_mr
from tests.test_sandbox_offered import Row, names, says

P, G = "/projects/7", "/groups/50"
COMMITS, ISSUE = f"{P}/repository/commits", f"{P}/issues/1"
OUTSIDER = 6


def has(*keys: object) -> Callable[[Any], object]:
    """Expect that these come in what is answered, in this order, at whatever place."""

    def find(body: Any) -> bool:
        told = json.dumps(body)
        places = [told.find(json.dumps(key)[1:-1]) for key in keys]
        return -1 not in places and places == sorted(places)

    return find


ROWS: dict[str, list[Row]] = {
    "milestones": [
        ("POST", f"{P}/milestones", {"title": "1.0", "due_date": "2026-05-01"}, 201,
         says(iid=1, state="active", project_id=7, due_date="2026-05-01", description=None)),
        ("POST", f"{P}/milestones", {"title": "1.0"}, 400, None),
        ("POST", f"{P}/milestones", {}, 400, None),
        ("POST", f"{G}/milestones", {"title": "all"}, 201, says(group_id=50, id=2)),
        ("PUT", MR, {"milestone_id": 2}, 200, lambda body: body["milestone"]["group_id"] == 50),
        ("GET", f"{G}/milestones/2/merge_requests", None, 200, names("iid", 1)),
        ("GET", f"{P}/milestones/2/merge_requests", None, 404, None),
        ("GET", f"{P}/milestones?search=active", None, 200, names("title")),
        ("DELETE", f"{G}/milestones/2", None, 204, None),
        ("GET", MR, None, 200, says(milestone=None)),
        ("PUT", f"{P}/milestones/1", {"state_event": "close"}, 200, says(state="closed")),
        ("GET", f"{P}/milestones?state=active", None, 200, names("title")),
        ("GET", f"{P}/milestones?search=1.", None, 200, names("title", "1.0")),
        ("PUT", MR, {"milestone_id": 1}, 200, lambda body: body["milestone"]["title"] == "1.0"),
        ("GET", f"{P}/milestones/1/merge_requests", None, 200, names("iid", 1)),
        ("GET", "/projects/99/milestones/1/merge_requests", None, 404, None),
        ("POST", f"{P}/issues", {"title": "I", "milestone_id": 1}, 201, has("milestone", "1.0")),
        ("GET", f"{P}/issues?milestone=1.0", None, 200, names("iid", 1)),
        ("PUT", MR, {"milestone_id": 0}, 200, says(milestone=None)),
        ("DELETE", f"{P}/milestones/1", None, 204, None),
        ("GET", f"{P}/milestones/1", None, 404, None),
    ],
    "issues": [
        ("POST", f"{P}/issues", {"title": "One", "labels": "a,b", "assignee_ids": [1]}, 201,
         says(labels=["a", "b"], user_notes_count=0)),
        ("POST", f"{P}/issues", {"title": "Two", "confidential": True}, 201, says(iid=2)),
        ("PUT", ISSUE, {"add_labels": "c", "remove_labels": "a"}, 200, says(labels=["b", "c"])),
        ("POST", f"{ISSUE}/notes", {"body": "Hello"}, 201, says(body="Hello", noteable_iid=1)),
        ("PUT", f"{ISSUE}/notes/1", {"body": "Bye"}, 200, says(body="Bye")),
        ("POST", f"{ISSUE}/discussions", {"body": "More"}, 201, has("notes", "More")),
        ("GET", f"{ISSUE}/discussions", None, 200, has("Bye", "More")),
        ("GET", ISSUE, None, 200, says(user_notes_count=2, title="One")),
        ("GET", f"{P}/issues/9/notes", None, 404, None),
        ("GET", f"{P}/issues?labels=b&assignee_username=owner", None, 200, names("iid", 1)),
        ("GET", f"{P}/issues?iids[]=2&state=opened", None, 200, names("iid", 2)),
        ("GET", f"{P}/issues?search=one&in=title&author_username=owner", None, 200,
         names("iid", 1)),
        ("GET", f"{P}/issues?assignee_id=1&confidential=false&author_id=1", None, 200,
         names("iid", 1)),
        ("GET", "/issues?scope=assigned_to_me", None, 200, names("iid", 1)),
        ("GET", "/issues", None, 200, names("iid", 2, 1)),
        ("GET", f"{G}/issues?sort=asc", None, 200, names("iid", 1, 2)),
        ("PUT", f"{P}/labels/b", {"new_name": "B", "priority": 2}, 200, says(name="B", priority=2)),
        ("GET", ISSUE, None, 200, says(labels=["B", "c"])),
        ("DELETE", f"{P}/labels/c", None, 204, None),
        ("GET", ISSUE, None, 200, says(labels=["B"])),
        ("PUT", P, {"issues_access_level": "disabled"}, 200, says(issues_enabled=False)),
        ("GET", ISSUE, None, 404, None),
        ("GET", f"{P}/issues", None, 200, names("iid")),
        ("PUT", P, {"issues_access_level": "private"}, 200, says(issues_enabled=True)),
        ("DELETE", ISSUE, None, 204, None),
        ("GET", ISSUE, None, 404, None),
        ("DELETE", f"{P}/issues/2", None, 204, None),
        ("POST", f"{P}/issues", {"title": "Three"}, 201, says(iid=3)),
    ],
    "members of projects and groups": [
        ("POST", f"{G}/members", {"user_id": OUTSIDER, "access_level": 30}, 201,
         says(access_level=30)),
        ("POST", f"{G}/members", {"user_id": OUTSIDER, "access_level": 30}, 409, None),
        ("PUT", f"{G}/members/6", {"access_level": 20, "expires_at": "2026-12-01"}, 200,
         says(access_level=20, expires_at="2026-12-01")),
        ("PUT", f"{G}/members/2", {"access_level": 20}, 404, None),
        ("GET", f"{P}/users?search=outs", None, 200, names("username", "outsider")),
        ("DELETE", f"{G}/members/6", None, 204, None),
        ("DELETE", f"{P}/members/5", None, 204, None),
        ("GET", f"{P}/members/5", None, 404, None),
    ],
    "projects and groups": [
        ("POST", "/projects", {"name": "New one", "initialize_with_readme": True}, 201,
         says(path_with_namespace="owner/new-one", visibility="private", empty_repo=False)),
        ("POST", "/projects", {"name": "New one"}, 400, None),
        ("POST", "/projects", {}, 400, None),
        ("POST", "/projects", {"path": "x", "namespace_id": 50, "topics": ["a"]}, 201,
         says(path_with_namespace="group/x", topics=["a"])),
        ("POST", "/projects", {"name": "x", "namespace_id": 999}, 404, None),
        ("PUT", P, {"description": "Words", "topics": "a,b", "merge_requests_access_level":
                    "private"}, 200, says(description="Words", topics=["a", "b"])),
        ("PUT", P, {"default_branch": "nowhere"}, 400, None),
        ("POST", f"{P}/archive", None, 201, says(archived=True)),
        ("POST", f"{P}/unarchive", None, 201, says(archived=False)),
        ("DELETE", "/projects/owner%2Fnew-one", None, 202, None),
        ("GET", "/projects/owner%2Fnew-one", None, 404, None),
        ("POST", f"{P}/fork", {"namespace_path": "group", "path": "twin", "name": "Twin"}, 201,
         lambda body: (body["path_with_namespace"], body["name"],
                       body["forked_from_project"]["id"]) == ("group/twin", "Twin", 7)),
        ("POST", "/groups", {"name": "Sub", "path": "sub", "parent_id": 50}, 201,
         says(full_path="group/sub", parent_id=50)),
        ("POST", "/groups", {"name": "Sub", "path": "sub", "parent_id": 50}, 400, None),
        ("POST", "/groups", {"name": "Sub", "path": "sub", "parent_id": 999}, 404, None),
        ("POST", "/groups", {"name": "X", "path": "x", "parent_id": 50}, 400, None),
        ("POST", "/projects", {"path": "sub", "namespace_id": 50}, 400, None),
        ("POST", f"{P}/fork", {"namespace_path": "group", "path": "sub"}, 409, None),
        ("PUT", f"{G}", {"description": "Ours"}, 200, says(description="Ours")),
        ("GET", f"{G}/descendant_groups", None, 200, names("full_path", "group/sub")),
        ("GET", "/namespaces", None, 200, names("kind", "user", "group", "group")),
        ("GET", "/namespaces?search=kind", None, 200, names("path")),
        ("GET", "/namespaces?search=SUB", None, 200, names("path", "sub")),
        ("GET", "/namespaces/group", None, 200, says(id=50, kind="group")),
        ("GET", "/namespaces/nobody", None, 404, None),
        ("GET", "/namespaces/group/exists", None, 200, says(exists=True, suggests=["group1"])),
        ("GET", f"{G}/merge_requests?state=opened", None, 200, names("iid", 1)),
    ],
    "what a commit is in, and copies of it": [
        ("GET", f"{COMMITS}/change/refs", None, 200, names("name", "change")),
        ("GET", f"{COMMITS}/main/refs?type=branch", None, 200, names("name", "main", "change")),
        ("GET", f"{COMMITS}/change/sequence", None, 200, says(count=2)),
        ("GET", f"{COMMITS}/change/signature", None, 404, says(message="404 Signature Not Found")),
        ("POST", f"{COMMITS}/change/comments", {"note": "Hm"}, 201, says(note="Hm", path=None)),
        ("POST", f"{P}/repository/branches", {"branch": "twin", "ref": "main"}, 201, None),
        ("POST", f"{COMMITS}/change/cherry_pick", {"branch": "twin", "dry_run": True}, 200, None),
        ("POST", f"{COMMITS}/change/cherry_pick", {"branch": "twin"}, 201,
         has("Change", "(cherry picked from commit")),
        ("POST", f"{COMMITS}/change/cherry_pick", {"branch": "twin"}, 400,
         says(error_code="empty")),
        ("POST", f"{COMMITS}/twin/revert", {"branch": "twin"}, 201, says(title='Revert "Change"')),
        ("POST", f"{COMMITS}/change/revert", {"branch": "nowhere"}, 404, None),
        ("GET", f"{P}/repository/tree?ref=twin&pagination=none", None, 200,
         names("path", "README.md")),
        ("GET", f"{P}/repository/contributors?ref=change&sort=desc", None, 200,
         names("commits", 1, 1)),
        ("GET", f"{P}/repository/branches?regex=^t", None, 200, names("name", "twin")),
        ("GET", f"{P}/repository/branches?search=^ma", None, 200, names("name", "main")),
        ("GET", f"{P}/repository/branches?search=ge$", None, 200, names("name", "change")),
        ("GET", f"{P}/repository/branches?regex=(", None, 400, None),
        ("GET", f"{P}/repository/blobs/{'0' * 40}", None, 404, None),
    ],
    "one action upon another": [
        ("POST", COMMITS, {"branch": "change", "commit_message": "m", "actions": [
            {"action": "create", "file_path": "a", "content": "x"},
            {"action": "move", "file_path": "b", "previous_path": "a"},
            {"action": "chmod", "file_path": "b", "execute_filemode": True},
        ]}, 201, None),
        ("GET", f"{P}/repository/files/b?ref=change", None, 200,
         says(execute_filemode=True, size=1)),
        ("GET", f"{P}/repository/files/a?ref=change", None, 404, None),
        ("POST", COMMITS, {"branch": "change", "commit_message": "m", "actions": [
            {"action": "create", "file_path": "b", "content": "x"}]}, 400, None),
        ("POST", COMMITS, {"branch": "change", "commit_message": "m", "actions": [
            {"action": "chmod", "file_path": "c", "execute_filemode": True}]}, 400, None),
    ],
    "settings of CI": [
        ("POST", f"{P}/variables", {"key": "K", "value": "v"}, 201, None),
        ("DELETE", f"{P}/variables/K", None, 204, None),
        ("DELETE", f"{P}/variables/K", None, 404, None),
        ("POST", f"{G}/variables", {"key": "K", "value": "v"}, 201,
         says(key="K", masked=False, environment_scope="*")),
        ("PUT", f"{G}/variables/K", {"value": "w"}, 200, says(value="w")),
        ("POST", f"{P}/pipeline_schedules/1/variables", {"key": "A", "value": "b"}, 404, None),
        ("POST", f"{P}/pipeline_schedules",
         {"description": "d", "ref": "main", "cron": "0 1 * * *"}, 201, says(id=1)),
        ("POST", f"{P}/pipeline_schedules/1/variables", {"key": "A", "value": "b"}, 201, None),
        ("POST", f"{P}/pipeline_schedules/1/play", None, 201, None),
        ("POST", f"{P}/pipeline_schedules/1/take_ownership", None, 201, says(id=1)),
        ("GET", f"{P}/pipeline_schedules/1", None, 200, has("last_pipeline", "success", "A")),
        ("GET", f"{P}/pipelines?source=schedule", None, 200, names("ref", "main")),
        ("DELETE", f"{P}/pipeline_schedules/1", None, 204, None),
        ("POST", f"{P}/triggers", {"description": "t"}, 201, None),
        ("PUT", f"{P}/triggers/1", {"description": "u"}, 200, says(description="u")),
        ("GET", f"{P}/triggers/1", None, 200, says(description="u")),
        ("POST", f"{P}/ci/lint", {"content": "a: {script: x}"}, 200, says(valid=True)),
        ("POST", f"{P}/ci/lint", {"content": "nothing"}, 200, says(valid=False)),
        ("POST", f"{P}/protected_tags", {"name": "v*"}, 201, has("create_access_levels", "Maint")),
        ("POST", f"{P}/environments", {"name": "Prod"}, 201, says(slug="prod", state="available")),
        ("DELETE", f"{P}/environments/1", None, 403, None),
        ("POST", f"{P}/environments/1/stop", None, 200, says(state="stopped")),
        ("DELETE", f"{P}/environments/1", None, 204, None),
        ("POST", f"{P}/protected_tags", {"name": "n*", "create_access_level": 0}, 201,
         has("create_access_levels", "No one")),
        ("POST", f"{P}/protected_tags", {"name": "x", "create_access_level": 7}, 400, None),
        ("POST", f"{P}/repository/tags", {"tag_name": "n1", "ref": "main"}, 400,
         says(message="You are not allowed to create this tag as it is protected.")),
        ("POST", f"{P}/releases", {"tag_name": "n1", "ref": "main"}, 400, None),
        ("POST", f"{P}/repository/tags", {"tag_name": "v1", "ref": "main"}, 201, None),
        ("POST", f"{P}/deploy_keys", {"title": "t", "key": "ssh"}, 201, says(can_push=False)),
        ("POST", f"{G}/labels", {"name": "l", "color": "#fff"}, 201, says(is_project_label=False)),
        ("POST", f"{P}/protected_branches", {"name": "rel", "allow_force_push": True}, 201,
         says(allow_force_push=True)),
        ("DELETE", f"{P}/protected_branches/rel", None, 204, None),
        ("POST", f"{P}/protected_branches", {"name": "rel"}, 201, says(allow_force_push=False)),
        ("PATCH", f"{P}/protected_branches/rel", {"allow_force_push": True}, 200,
         says(allow_force_push=True)),
        ("PATCH", f"{P}/protected_branches/rel", {"allow_force_push": False}, 200,
         says(allow_force_push=False)),
        ("POST", f"{P}/labels", {"name": "old", "color": "#fff"}, 201, None),
        ("PUT", f"{P}/labels", {"name": "old", "new_name": "new"}, 200, says(name="new")),
        ("DELETE", f"{P}/labels?name=new", None, 204, None),
        ("DELETE", f"{P}/labels?name=new", None, 404, None),
    ],
    "pipelines": [
        ("POST", f"{P}/pipeline", {"ref": "change"}, 201,
         lambda body: body["detailed_status"]["text"] == "Passed"),
        ("GET", f"{P}/jobs/1/trace", None, 200, None),
        ("POST", f"{P}/jobs/1/cancel", None, 201, says(status="success")),
        ("POST", f"{P}/pipelines/1/retry", None, 201, says(status="success")),
        ("GET", f"{P}/pipelines/1/test_report", None, 200, says(total_count=0)),
        ("GET", f"{P}/pipelines/1/test_report_summary", None, 200, says(test_suites=[])),
        ("GET", f"{P}/pipelines/latest?ref=main", None, 404, None),
        ("POST", f"{P}/pipeline", {"ref": "change"}, 201, says(id=2, iid=2)),
        ("DELETE", f"{P}/pipelines/1", None, 204, None),
        ("POST", f"{P}/pipeline", {"ref": "change"}, 201, says(id=3, iid=3)),
        ("GET", f"{P}/pipelines/1", None, 404, None),
    ],
    "what the world knows of itself": [
        ("POST", f"{P}/issues", {"title": "One"}, 201, None),
        ("POST", "/groups", {"name": "Friends", "path": "friends"}, 201, says(id=51)),
        ("POST", f"{P}/share", {"group_id": 51, "group_access": 30}, 201, says(group_access=30)),
        ("POST", f"{P}/share", {"group_id": 51, "group_access": 30}, 409, None),
        ("POST", f"{P}/share", {"group_id": 99, "group_access": 30}, 404, None),
        ("GET", P, None, 200, lambda body: (
            body["open_issues_count"], body["issues_enabled"], body["can_create_merge_request_in"],
            body["shared_with_groups"][0]["group_full_path"],
            body["permissions"]["group_access"]["access_level"],
        ) == (1, True, True, "friends", 50)),
        ("GET", "/groups/51/projects/shared", None, 200, names("id", 7)),
        ("GET", "/groups/51/projects", None, 200, names("id", 7)),
        ("GET", "/groups/51/projects?with_shared=false", None, 200, names("id")),
        ("GET", "/groups/51", None, 200, has("shared_projects", "group/team")),
        ("DELETE", f"{P}/share/51", None, 204, None),
        ("DELETE", f"{P}/share/51", None, 404, None),
        ("POST", f"{P}/repository/tags", {"tag_name": "v1", "ref": "main", "message": "One"}, 201,
         says(message="One", protected=False)),
        ("POST", f"{P}/protected_tags", {"name": "v*"}, 201, None),
        ("GET", f"{P}/repository/tags/v1", None, 200, says(protected=True)),
        ("POST", f"{P}/repository/branches", {"branch": "old", "ref": "main"}, 201,
         says(merged=True)),
        ("GET", f"{P}/repository/branches/change", None, 200, says(merged=False)),
        ("POST", f"{P}/protected_branches", {"name": "chang[e]"}, 201, None),
        ("GET", f"{P}/repository/branches/change", None, 200, says(protected=False)),
        ("POST", f"{P}/protected_branches", {"name": "ch*ge"}, 201, None),
        ("GET", f"{P}/repository/branches/change", None, 200, says(protected=True)),
        ("POST", COMMITS, {"branch": "old", "commit_message": "m\n\nx\n\nChangelog: added\nRef: 1",
                           "actions": [{"action": "create", "file_path": "a", "content": "x"}]},
         201, says(trailers={"Changelog": "added", "Ref": "1"})),
        ("GET", f"{MR}/approval_rules", None, 200, names("rule_type", "any_approver")),
    ],
    "when a release is, and of what": [
        ("POST", f"{P}/milestones", {"title": "1.0"}, 201, None),
        ("POST", f"{P}/releases", {
            "tag_name": "v1", "ref": "main", "tag_message": "One", "milestones": ["1.0"],
            "released_at": "2030-01-01T00:00:00Z"}, 201,
         lambda body: (body["released_at"], body["upcoming_release"],
                       body["milestones"][0]["title"])
         == ("2030-01-01T00:00:00.000Z", True, "1.0")),
        ("GET", f"{P}/repository/tags/v1", None, 200, says(message="One")),
        ("POST", f"{P}/releases", {"tag_name": "v2", "ref": "main", "milestones": "2.0"}, 400,
         says(message="Milestone(s) not found: 2.0")),
        ("GET", f"{P}/repository/tags/v2", None, 404, None),
        ("POST", f"{P}/releases", {"tag_name": "v2", "ref": "main"}, 201,
         lambda body: not body["upcoming_release"] and "milestones" not in body),
        ("GET", f"{P}/releases", None, 200, names("tag_name", "v1", "v2")),
        ("GET", f"{P}/releases?order_by=created_at", None, 200, names("tag_name", "v2", "v1")),
        ("PUT", f"{P}/releases/v1", {"released_at": "2020-01-01T00:00:00Z", "milestones": []},
         200, says(upcoming_release=False)),
        ("GET", f"{P}/releases?sort=asc", None, 200, names("tag_name", "v1", "v2")),
    ],
    "links of a release": [
        ("POST", f"{P}/releases", {"tag_name": "v1", "ref": "main", "assets": {
            "links": [{"name": "a", "url": "http://a/"}]}}, 201, has("link_type", "other")),
        ("POST", f"{P}/releases/v1/assets/links", {"name": "b", "url": "http://b/"}, 201,
         says(id=2, link_type="other")),
        ("POST", f"{P}/releases/v1/assets/links", {"name": "a", "url": "http://c/"}, 400, None),
        ("POST", f"{P}/releases/v1/assets/links", {"name": "c", "url": "http://b/"}, 400, None),
        ("GET", f"{P}/releases/v1", None, 200, has("assets", "http://a/", "http://b/")),
        ("DELETE", f"{P}/releases/v1/assets/links/1", None, 204, None),
        ("GET", f"{P}/releases/v1/assets/links", None, 200, names("name", "b")),
        ("GET", f"{P}/releases/v2/assets/links", None, 404, None),
        ("POST", f"{P}/releases/v2/assets/links", {"name": "a", "url": "http://a/"}, 404, None),
    ],
    "a search": [
        ("POST", f"{P}/issues", {"title": "Seek me"}, 201, None),
        ("POST", f"{P}/milestones", {"title": "Seek"}, 201, None),
        ("POST", f"{MR}/notes", {"body": "seek"}, 201, None),
        *(
            ("GET", f"{place}/search?scope={scope}&search={word}", None, 200, has(*found))
            for place in (P, G, "")
            for scope, word, found in (
                ("issues", "seek", ["Seek me"]), ("milestones", "SEEK", ["Seek"]),
                ("notes", "seek", ["seek"]), ("merge_requests", "chang", ["Change"]),
                ("users", "outs" if place == "" else "deve", ["username"]),
                ("commits", "begin", ["Begin"]), ("blobs", "hello", ["README.md"]),
            )
        ),
        ("GET", "/search?scope=projects&search=tea", None, 200, names("id", 7)),
        ("GET", f"{P}/search?scope=blobs&search=x&ref=nowhere", None, 404, None),
        ("GET", "/search?scope=wikis&search=x", None, 400, None),
        ("POST", "/markdown", {"text": "# Hi"}, 201, says(html="<h1>Hi</h1>\n")),
    ],
    "events": [
        ("POST", f"{MR}/notes", {"body": "hello"}, 201, None),
        ("PUT", MR, {"state_event": "close"}, 200, None),
        ("GET", f"{P}/events?per_page=2", None, 200,
         names("action_name", "closed", "commented on")),
        ("GET", "/events?sort=asc", None, 200, names("action_name", "commented on", "closed")),
        ("GET", "/users/4/events", None, 200, names("action_name", "opened", "pushed to")),
        ("GET", f"{P}/events?target_type=merge_request&action=opened", None, 200,
         names("target_iid", 1)),
        ("GET", f"{P}/events?after=2030-01-01", None, 200, names("id")),
    ],
    "how a project merges": [
        ("PUT", P, {"merge_method": "ff", "squash_option": "always"}, 200,
         says(merge_method="ff", squash_option="always")),
        ("POST", f"{P}/repository/files/x", {"branch": "main", "commit_message": "m",
                                             "content": "x"}, 201, None),
        ("GET", MR, None, 200, says(detailed_merge_status="need_rebase")),
        ("PUT", f"{MR}/merge", None, 405, None),
        ("PUT", f"{MR}/rebase", None, 202, None),
        ("PUT", f"{MR}/merge", {"squash_commit_message": "One"}, 200,
         says(merge_commit_sha=None, squash=True)),
        ("GET", f"{COMMITS}/main", None, 200,
         lambda body: (body["title"], len(body["parent_ids"])) == ("One", 1)),
    ],
    "who may merge and not push": [
        ("DELETE", f"{P}/protected_branches/main", None, 204, None),
        ("POST", f"{P}/protected_branches", {"name": "main", "merge_access_level": 7}, 400, None),
        ("POST", f"{P}/protected_branches",
         {"name": "main", "push_access_level": 0, "merge_access_level": 40}, 201,
         has("push_access_levels", "No one", "merge_access_levels", "Maintainers")),
        ("POST", f"{P}/protected_branches", {"name": "a"}, 201, says(id=2)),
        ("GET", f"{P}/protected_branches/main", None, 200, says(id=1)),
        ("POST", f"{P}/external_status_checks", {
            "name": "c", "external_url": "http://c/", "protected_branch_ids": [2]}, 201,
         lambda body: [(each["id"], each["name"]) for each in body["protected_branches"]]
         == [(2, "a")]),
        ("POST", f"{P}/external_status_checks", {
            "name": "d", "external_url": "http://d/", "protected_branch_ids": [3]}, 404, None),
        ("GET", f"{P}/repository/branches/main", None, 200,
         says(can_push=False, developers_can_merge=False)),
        ("POST", f"{P}/repository/files/x", {"branch": "main", "commit_message": "m",
                                             "content": "x"}, 403, None),
        ("GET", MR, None, 200, lambda body: body["user"]["can_merge"]),
        ("PUT", f"{MR}/merge", None, 200, says(state="merged")),
    ],
    "a webhook tells what was set": [
        ("POST", f"{P}/hooks", {"url": "http://a/", "description": "Ours", "job_events": True},
         201, says(description="Ours", job_events=True, releases_events=False)),
        ("PUT", f"{P}/hooks/1", {"job_events": False}, 200,
         says(description="Ours", job_events=False)),
    ],
    "what a list is asked for": [
        ("PUT", P, {"topics": "a,b", "description": "Words"}, 200, None),
        *(
            ("GET", f"/projects?{asked}", None, 200, names("id", *found))
            for asked, found in (
                ("search=word", [7]), ("search=group", []),
                ("search=group&search_namespaces=true", [7]),
                ("topic=a", [7]), ("topic=a,c", []), ("last_activity_after=2030-01-01", []),
                ("last_activity_before=2030-01-01", [7]), ("with_issues_enabled=true", [7]),
                ("with_merge_requests_enabled=true", [7]),
            )
        ),
        ("POST", "/groups", {"name": "Sub", "path": "sub", "parent_id": 50}, 201, None),
        ("GET", "/groups?search=group", None, 200, names("path", "group")),
        ("GET", "/groups?search=group/s", None, 200, names("path", "sub")),
        ("GET", "/users?created_after=2030-01-01", None, 200, names("id")),
        ("GET", "/users?created_before=2030-01-01&username=owner", None, 200, names("id", 1)),
        ("POST", f"{P}/pipeline", {"ref": "change"}, 201, says(id=1)),
        ("POST", f"{P}/pipeline", {"ref": "change"}, 201, says(id=2)),
        *(
            ("GET", f"{P}/pipelines?{asked}", None, 200, names("id", *found))
            for asked, found in (
                ("scope=branches", [2]), ("scope=tags", []), ("name=x", []),
                ("yaml_errors=true", []), ("updated_after=2030-01-01", []),
                ("created_before=2030-01-01", [2, 1]),
            )
        ),
    ],
    "deleted merge requests": [
        ("DELETE", MR, None, 204, None),
        ("GET", MR, None, 404, None),
        ("POST", f"{P}/merge_requests", {"title": "T", "source_branch": "change",
                                         "target_branch": "main"}, 201, says(iid=2)),
    ],
}  # fmt: skip


def make_scene() -> tuple[World, Api]:
    """Make a world in which the owner asks."""
    world = make_world(tier="ultimate")
    mr, owner = open_mr(world), world.user("owner")
    number = world.reserve_id("group", 50)
    group = world.add_group(Group(id=number, full_path="group", name="Group", created_at=NOW))
    group.members[owner.id] = Member(user=owner, level=Level.OWNER, created_at=NOW)
    mr.project.group = group
    return world, Api(world, "owner")


@pytest.mark.parametrize("name", ROWS)
def test_requests_are_answered_in_order(name: str) -> None:
    world, api = make_scene()
    for method, path, body, status, expected in ROWS[name]:
        data = {} if body is None else {"json": body}
        reply = api.send(method, f"/api/v4{path}", **data)
        assert reply.status == status, (path, reply.body)
        assert expected is None or expected(reply.body), (path, reply.body)
    assert world.violations == []


@pytest.mark.parametrize("path", NONE_HERE)
def test_of_what_cannot_be_made_there_is_none(path: str) -> None:
    world, api = make_scene()
    where = path.replace("{id}", "50" if path.startswith("/groups") else "7")
    open_pipeline = where.replace("{pipeline_id}", "1").replace("{issue_iid}", "1")
    assert (api.get(open_pipeline).body, world.violations) == ([], [])
    if "{id}" in path:
        assert api.get(open_pipeline.replace("50", "99").replace("7", "99")).status == 404


@pytest.mark.parametrize("shelf", SHELVES, ids=lambda shelf: shelf.at)
def test_a_stranger_changes_nothing_that_is_kept(shelf: Any) -> None:
    world, _ = make_scene()
    stranger = Api(world, "outsider")
    names_ = {"{id}": "50" if "groups" in shelf.at else "7", "{sha}": "main", "{tag_name}": "v",
              "{issue_iid}": "1", "{pipeline_schedule_id}": "1"}  # fmt: skip
    where = shelf.at
    for name, value in names_.items():
        where = where.replace(name, value)
    body = {name: "x" for name, each in shelf.fields.items() if each.required}
    assert stranger.post(where, **body).status in {403, 404}
    assert world.shelves == {}


def test_a_note_on_an_issue_is_changed_by_its_author_or_a_maintainer() -> None:
    world, owner = make_scene()
    author, stranger = Api(world, "author"), Api(world, "outsider")
    assert owner.post(f"{P}/issues", title="One").status == HTTPStatus.CREATED
    for number, (writer, other, status) in enumerate(
        [(owner, stranger, 403), (author, stranger, 403), (author, owner, 200)], 1
    ):
        assert writer.post(f"{ISSUE}/notes", body="Mine").status == HTTPStatus.CREATED
        path = f"{ISSUE}/notes/{number}"
        assert other.put(path, body="Yours").status == status
        assert writer.put(path, body="Ours").body["body"] == "Ours"
    assert stranger.delete(path).status == HTTPStatus.FORBIDDEN
    assert author.delete(path).status == HTTPStatus.NO_CONTENT


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", f"{COMMITS}/main/comments/1"),  # doc/api/commits.md: listed and made, no more
        ("PUT", f"{P}/protected_tags/v"),  # doc/api/protected_tags.md
        ("GET", f"{P}/pipeline_schedules/1/variables"),  # doc/api/pipeline_schedules.md
        ("GET", f"{P}/pipeline_schedules/1/variables/A"),
    ],
)
def test_what_gitlab_does_not_offer_is_not_offered_here(method: str, path: str) -> None:
    world, api = make_scene()
    assert api.send(method, f"/api/v4{path}").status in {404, 405}
    assert world.violations == [f"no endpoint {method} /api/v4{path}"]


def test_an_answer_without_a_body_names_no_type_of_it() -> None:
    _, api = make_scene()
    reply = api.delete(f"{P}/repository/branches/change")
    assert (reply.status, reply.raw, "Content-Type" in reply.headers) == (204, b"", False)


def test_archives_and_blobs_hold_the_files() -> None:
    world, api = make_scene()
    draft = CommitDraft(message="m", changes={"a/b.md": b"x\n"})
    actions.push(world, world.user("owner"), world.project("7"), "main", draft)
    for ending in ("", ".tar", ".tar.bz2", ".tgz"):
        raw = api.get(f"{P}/repository/archive{ending}").raw
        with tarfile.open(fileobj=io.BytesIO(raw)) as archive:
            assert archive.getnames()[-1].endswith("a/b.md")
    with zipfile.ZipFile(io.BytesIO(api.get(f"{P}/repository/archive.zip").raw)) as packed:
        assert packed.read(packed.namelist()[-1]) == b"x\n"
    sha = api.get(f"{P}/repository/files/a%2Fb.md", ref="main").body["blob_id"]
    assert b64decode(api.get(f"{P}/repository/blobs/{sha}").body["content"]) == b"x\n"
    assert api.get(f"{P}/repository/blobs/{sha}/raw").raw == b"x\n"


def test_only_lines_of_the_diff_take_threads() -> None:
    _, api = make_scene()
    refs = api.get(MR).body["diff_refs"]
    for place, status in (
        ({"new_line": 1}, 201),
        ({"new_line": 1, "old_line": 1}, 201),
        ({"new_line": 2}, 400),
        ({"new_line": 1, "new_path": "other.md"}, 400),
    ):
        position = {**refs, "position_type": "text", "new_path": "change.md", **place}
        reply = api.post(f"{MR}/discussions", body="b", position=position)
        assert reply.status == status, (place, reply.body)
