"""What GitLab answers and takes, row by row; each was once answered or refused untruly here."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from bot.sandbox.acts import actions
from bot.sandbox.acts.actions import CommitDraft
from bot.sandbox.acts.quick_actions import run_quick_actions
from bot.sandbox.webhooks.bodies import build_merge_request_body
from bot.sandbox.world.entities import MergeRequest, Protection, Webhook
from bot.sandbox.world.state import World
from tests.sandbox_client import MR, Api
from tests.sandbox_worlds import make_world, open_mr

Scene = tuple[World, MergeRequest, Api]
FILE = "/projects/7/repository/files"
FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def scene() -> Scene:
    """Make a world with an open merge request, asked by its maintainer."""
    world = make_world(tier="premium")
    world.quick_actions = run_quick_actions
    mr = open_mr(world)
    return world, mr, Api(world, "maintainer")


def form(api: Api, method: str, path: str, data: str) -> Any:
    headers = {**api.headers, "Content-Type": FORM}
    return api.send(method, f"/api/v4{path}", data=data, headers=headers)


# approvals: ee/lib/ee/api/entities/approval_state.rb, app/models/concerns/approvable.rb


@pytest.mark.parametrize(
    ("version", "enterprise"), [("19.5.0-ee", True), ("19.5.0", False), ("19.5.0-pre", False)]
)
def test_approvals_have_the_shape_of_the_edition(
    scene: Scene, version: str, enterprise: bool
) -> None:
    world, mr, api = scene
    world.version, mr.project.settings.approvals_required = version, 1
    asked = [
        api.get(f"{MR}/approvals").body,
        api.post(f"{MR}/approve").body,
        api.get(f"{MR}/approvals").body,
        api.post(f"{MR}/unapprove").body,
    ]
    assert [each["user_can_approve"] for each in asked] == [True, False, False, True]
    assert [each["approved"] for each in asked] == [False, True, True, False]
    for body, left in zip(asked, (1, 0, 0, 1), strict=True):
        more = {name: body.get(name) for name in ("iid", "project_id", "title", "approvals_left")}
        assert more == (
            {"iid": 1, "project_id": 7, "title": "Change", "approvals_left": left}
            if enterprise
            else dict.fromkeys(more)
        )


def test_enterprise_needs_no_approval_where_none_is_required(scene: Scene) -> None:
    assert scene[2].get(f"{MR}/approvals").body["approved"] is True


@pytest.mark.parametrize(("resets", "left"), [(True, 0), (False, 1)])
def test_a_push_resets_approvals_as_the_project_says(scene: Scene, resets: bool, left: int) -> None:
    world, mr, api = scene
    reply = api.post("/projects/7/approvals", reset_approvals_on_push=resets)
    assert reply.body["reset_approvals_on_push"] is resets
    actions.set_reviewers(world, world.user("author"), mr, [world.user("maintainer")])
    api.post(f"{MR}/approve")
    draft = CommitDraft(message="More", changes={"more.md": b"x\n"})
    actions.push(world, world.user("author"), mr.project, "change", draft)
    assert len(api.get(f"{MR}/approvals").body["approved_by"]) == left
    (reviewer,) = api.get(f"{MR}/reviewers").body
    assert reviewer["state"] == ("approved" if left else "unapproved")


# merge requests: lib/api/entities/merge_request.rb, merge_request_basic.rb


def pass_over(world: World, mr: MergeRequest, api: Api) -> None:
    """Prepare nothing."""


def open_thread(_world: World, _mr: MergeRequest, api: Api) -> None:
    api.post(f"{MR}/discussions", body="why?")


def demand_threads(world: World, mr: MergeRequest, api: Api) -> None:
    open_thread(world, mr, api)
    mr.project.settings.threads_must_be_resolved = True


def write_tasks(_world: World, _mr: MergeRequest, api: Api) -> None:
    api.put(MR, description="- [ ] one\n* [x] two\n1. [X] three\n- [y] no\n - [ ]no\ntext [ ] no")


def run_pipeline(world: World, mr: MergeRequest, _api: Api) -> None:
    mr.project.settings.pipelines = "push"
    draft = CommitDraft(message="More", changes={"more.md": b"x\n"})
    actions.push(world, world.user("author"), mr.project, "change", draft)


@pytest.mark.parametrize(
    ("prepare", "name", "expected"),
    [
        (pass_over, "blocking_discussions_resolved", True),
        (open_thread, "blocking_discussions_resolved", True),
        (demand_threads, "blocking_discussions_resolved", False),
        (pass_over, "user", {"can_merge": True}),
        (pass_over, "task_completion_status", {"count": 0, "completed_count": 0}),
        (write_tasks, "task_completion_status", {"count": 3, "completed_count": 2}),
        (pass_over, "latest_build_started_at", None),
        (run_pipeline, "latest_build_started_at", str),
        (run_pipeline, "latest_build_finished_at", str),
        (pass_over, "force_remove_source_branch", False),
    ],
)
def test_a_merge_request_tells_the_truth(
    scene: Scene, prepare: Callable[..., None], name: str, expected: Any
) -> None:
    prepare(*scene)
    found = scene[2].get(MR).body[name]
    assert isinstance(found, str) if expected is str else found == expected


@pytest.mark.parametrize(("prepare", "expected"), [(open_thread, True), (demand_threads, False)])
def test_hooks_tell_whether_threads_allow_merging(
    scene: Scene, prepare: Callable[..., None], expected: bool
) -> None:
    world, mr, _ = scene
    prepare(*scene)
    event = world.record("merge_request_changed", actor=mr.author, merge_request=mr)
    attributes = build_merge_request_body(world, event, mr)["object_attributes"]
    assert attributes["blocking_discussions_resolved"] is expected


@pytest.mark.parametrize(
    ("who", "expected"), [("developer", False), ("maintainer", True), (None, False)]
)
def test_who_can_merge_is_told(scene: Scene, who: str | None, expected: bool) -> None:
    assert Api(scene[0], who).get(MR).body["user"] == {"can_merge": expected}


def test_a_pipeline_tells_when_it_ran(scene: Scene) -> None:
    run_pipeline(*scene)
    pipeline = scene[2].get(MR).body["head_pipeline"]
    assert pipeline["finished_at"]
    assert pipeline["duration"] == 0
    sha = scene[1].head_sha
    scene[2].post(f"/projects/7/statuses/{sha}", state="running")
    assert scene[2].get(MR).body["head_pipeline"]["finished_at"] is None


def test_patches_that_are_alike_have_one_number(scene: Scene) -> None:
    world, mr, api = scene
    (first,) = api.get(f"{MR}/versions").body
    api.put(f"{MR}/rebase")
    draft = CommitDraft(message="Elsewhere", changes={"other.md": b"x\n"})
    actions.push(world, world.user("owner"), mr.project, "main", draft)
    assert api.put(f"{MR}/rebase").status == 202
    second = api.get(f"{MR}/versions").body[0]
    assert second["head_commit_sha"] != first["head_commit_sha"]
    assert second["patch_id_sha"] == first["patch_id_sha"] is not None


def test_an_earlier_version_has_the_commits_it_had(scene: Scene) -> None:
    world, mr, api = scene
    draft = CommitDraft(message="More", changes={"more.md": b"x\n"})
    actions.push(world, mr.author, mr.project, "change", draft)
    told = [api.get(f"{MR}/versions/{each.id}").body for each in mr.versions]
    assert [[each["title"] for each in one["commits"]] for one in told] == [
        ["Change"],
        ["More", "Change"],
    ]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("view=simple", 9),
        ("with_labels_details=true", 50),
        ("search=word&in=title", 0),
        ("search=word&in=description", 50),
        ("search=word", 50),
    ],
)
def test_a_list_is_shown_as_asked(scene: Scene, query: str, names: int) -> None:
    api = scene[2]
    api.put(MR, description="a word", labels="bug")
    rows = api.get(f"/projects/7/merge_requests?{query}").body
    assert (len(rows[0]) >= names and bool(rows)) if names else rows == []
    if "simple" in query:
        assert len(rows[0]) == names
    if "details" in query:
        assert rows[0]["labels"][0]["name"] == "bug"


@pytest.mark.parametrize(
    ("flag", "name", "expected"),
    [
        ("render_html", "title_html", "Change"),
        ("render_html", "description_html", "<p><em>x</em></p>\n"),
        ("include_diverged_commits_count", "diverged_commits_count", 1),
        ("include_rebase_in_progress", "rebase_in_progress", False),
    ],
)
def test_more_is_told_where_it_is_asked_for(
    scene: Scene, flag: str, name: str, expected: object
) -> None:
    world, mr, api = scene
    api.put(MR, description="*x*")
    draft = CommitDraft(message="Elsewhere", changes={"other.md": b"x\n"})
    actions.push(world, world.user("owner"), mr.project, "main", draft)
    assert name not in api.get(MR).body
    assert api.get(f"{MR}?{flag}=true").body[name] == expected


# merging, as lib/api/merge_requests.rb has it, and doc/user/project/merge_requests of squashing


def parents(api: Api, sha: str) -> list[str]:
    found: list[str] = api.get(f"/projects/7/repository/commits/{sha}").body["parent_ids"]
    return found


@pytest.mark.parametrize(
    ("opened", "merged", "squashes"),
    [
        ({}, {}, False),
        ({"squash": True}, {}, True),
        ({}, {"squash": True}, True),
        ({"squash": True}, {"squash": False}, False),
    ],
)
def test_squashing_makes_one_commit(
    scene: Scene, opened: dict[str, Any], merged: dict[str, Any], squashes: bool
) -> None:
    _world, mr, api = scene
    run_pipeline(*scene)
    assert api.put(MR, description="x", **opened).body["squash"] is bool(opened)
    words = {"merge_commit_message": "Join", "squash_commit_message": "All in one"}
    body = api.put(f"{MR}/merge", **merged, **words).body
    assert (body["squash_commit_sha"] is not None) is squashes
    second = parents(api, body["merge_commit_sha"])[1]
    assert second == (body["squash_commit_sha"] if squashes else mr.head_sha)
    message = api.get(f"/projects/7/repository/commits/{second}").body["message"]
    assert message == ("All in one" if squashes else "More")
    last = api.get("/projects/7/repository/commits/main").body
    assert (last["id"], last["message"]) == (body["merge_commit_sha"], "Join")


def test_one_commit_with_that_message_stays_as_it_is(scene: Scene) -> None:
    _, mr, api = scene
    body = api.put(f"{MR}/merge", squash=True, squash_commit_message="Change").body
    assert body["squash_commit_sha"] == mr.head_sha


@pytest.mark.parametrize(
    ("opened", "merged", "protected", "gone"),
    [
        ({}, {}, "", False),
        ({"remove_source_branch": True}, {}, "", True),
        ({}, {"should_remove_source_branch": True}, "", True),
        ({"remove_source_branch": True}, {"should_remove_source_branch": False}, "", False),
        ({}, {"should_remove_source_branch": True}, "change", False),
        ({}, {"should_remove_source_branch": True}, "ch*", False),
    ],
)
def test_a_source_branch_is_removed_as_asked(
    scene: Scene, opened: dict[str, Any], merged: dict[str, Any], protected: str, gone: bool
) -> None:
    _, mr, api = scene
    if protected:
        mr.project.protected_branches.append(Protection(name=protected))
    assert api.put(MR, description="x", **opened).body["force_remove_source_branch"] is bool(opened)
    body = api.put(f"{MR}/merge", **merged).body
    assert body["should_remove_source_branch"] is merged.get("should_remove_source_branch")
    assert (api.get("/projects/7/repository/branches/change").status == 404) is gone


# bodies that are legal: Grape takes null, nested names, and a path's parameter once more


def line_range() -> str:
    return "".join(
        f"&position[line_range][{end}][line_code]=abc_0_1&position[line_range][{end}][type]=new"
        for end in ("start", "end")
    )


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", f"{MR}/approve", "null", 201),
        ("PUT", MR, "null", 400),
        ("POST", f"{MR}/notes", '{"body": "x", "id": "7", "noteable_id": 1}', 201),
        ("PUT", MR, '{"title": "New", "id": 7, "merge_request_iid": 1}', 200),
    ],
)
def test_a_legal_body_is_taken(
    scene: Scene, method: str, path: str, body: str, status: int
) -> None:
    api = scene[2]
    headers = {**api.headers, "Content-Type": "application/json"}
    assert api.send(method, f"/api/v4{path}", data=body, headers=headers).status == status


def test_nested_names_of_a_form_are_read(scene: Scene) -> None:
    _, mr, api = scene
    actions_ = "".join(
        f"&actions[][action]=create&actions[][file_path]={name}&actions[][content]=x"
        for name in ("one.md", "two.md")
    )
    reply = form(
        api, "POST", "/projects/7/repository/commits", f"branch=change&commit_message=m{actions_}"
    )
    assert (reply.status, reply.body["stats"]["additions"]) == (201, 2)
    version = mr.versions[-1]
    at = f"position[base_sha]={version.base_sha}&position[start_sha]={version.start_sha}"
    at += f"&position[head_sha]={version.head_sha}&position[position_type]=text"
    at += "&position[new_path]=one.md&position[new_line]=1" + line_range()
    reply = form(api, "POST", f"{MR}/discussions", f"body=here&{at}")
    start = reply.body["notes"][0]["position"]["line_range"]["start"]
    assert (reply.status, start["line_code"]) == (201, "abc_0_1")


@pytest.mark.parametrize("data", ["a[=x", "a[b]=x&a=y&a[c]=z", "a[]=x&a[b]=y", "a=x&a[b][c]=y"])
def test_a_form_that_contradicts_itself_is_refused(scene: Scene, data: str) -> None:
    assert form(scene[2], "PUT", MR, data).status == 400


# who calls: lib/gitlab/auth/auth_finders.rb


@pytest.mark.parametrize("name", ["private_token", "access_token"])
def test_a_token_may_stand_in_the_query(scene: Scene, name: str) -> None:
    world, _, api = scene
    value = api.headers["PRIVATE-TOKEN"]
    stranger = Api(world)
    assert stranger.get(f"/user?{name}={value}").body["username"] == "maintainer"
    assert stranger.get(f"/user?{name}=wrong").status == 401
    assert value not in json.dumps([each.query for each in stranger.server.world.requests])


# contract: APIEntitiesUserPublic, APIEntitiesProjectsWithAccessAndCatalogSetting


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("/user", "last_activity_on theme_id color_scheme_id projects_limit current_sign_in_at"),
        ("/projects/7", "ssh_url_to_repo readme_url owner _links merge_method squash_option"),
        ("/projects/7", "last_activity_at issues_enabled builds_access_level star_count"),
    ],
)
def test_the_fields_of_the_contract_are_there(scene: Scene, path: str, names: str) -> None:
    scene[1].project.owner = scene[0].user("owner")
    assert set(names.split()) <= set(scene[2].get(path).body)


# files and trees: lib/api/files.rb, doc/api/repositories.md


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("suffix", ["", "/raw", "/blame"])
def test_a_file_is_described_in_headers(scene: Scene, method: str, suffix: str) -> None:
    api = scene[2]
    reply = api.send(method, f"/api/v4{FILE}/README.md{suffix}?ref=main", headers=api.headers)
    told = {name: reply.headers[f"X-Gitlab-{name}"] for name in ("Size", "File-Path", "Ref")}
    assert told == {"Size": "6", "File-Path": "README.md", "Ref": "main"}
    assert len(reply.headers["X-Gitlab-Last-Commit-Id"]) == 40
    assert reply.headers["X-Gitlab-Execute-Filemode"] == "false"
    assert bool(reply.raw) is (method == "GET")


def test_a_tree_is_read_by_keyset(scene: Scene) -> None:
    world, mr, api = scene
    changes = {f"{name}/x.md": b"x\n" for name in "abcde"}
    actions.push(world, mr.author, mr.project, "change", CommitDraft(message="m", changes=changes))
    url = "/projects/7/repository/tree?ref=change&pagination=keyset&per_page=2"
    found: list[str] = []
    while url:
        reply = api.get(url)
        found += [row["path"] for row in reply.body]
        link = reply.headers.get("Link", "")
        url = link.split(">")[0].removeprefix("<").partition("/api/v4")[2]
        assert "page_token" in url or not url
    assert found == ["a", "b", "c", "d", "e", "README.md", "change.md"]
    assert api.get("/projects/7/repository/tree?pagination=keyset&page_token=none").status == 404


def test_the_numbers_are_those_of_git(scene: Scene) -> None:
    r"""`printf 'hello\\n' | git hash-object --stdin`; a tree of that alone, `git mktree`."""
    (row,) = scene[2].get("/projects/7/repository/tree").body
    assert row["id"] == "ce013625030ba8dba906f756967f9e9ca394464a"
    assert (
        scene[1].project.repository.branches["main"] == "4887f5ca970070f0b0a7d0248a6110534a43f84c"
    )


# quick actions: lib/gitlab/quick_actions/issuable_actions.rb


@pytest.mark.parametrize(
    ("text", "key", "message"),
    [
        ("/label ~bug", "add_label_ids", 'Added ~"bug" label.'),
        ('/label ~bug ~"two words"', "add_label_ids", 'Added ~"bug" ~"two words" labels.'),
        ("/relabel ~bug", "label_ids", 'Replaced all labels with ~"bug" label.'),
        ("/unlabel ~old", "remove_label_ids", 'Removed ~"old" label.'),
        ("/unlabel", "label_ids", "Removed all labels."),
    ],
)
def test_a_label_command_says_what_it_did(scene: Scene, text: str, key: str, message: str) -> None:
    api = scene[2]
    for labels in ("bug,two words", "old"):  # those of the project are made by that, too
        api.put(MR, labels=labels)
    reply = api.post(f"{MR}/notes", body=text)
    assert (reply.status, list(reply.body["commands_changes"])) == (202, [key])
    assert reply.body["summary"] == [message]


@pytest.mark.parametrize("command", ["label", "relabel"])
def test_a_label_that_nobody_made_is_passed_over(scene: Scene, command: str) -> None:
    _, mr, api = scene
    api.put(MR, labels="old")
    api.post(f"{MR}/notes", body=f"Words.\n/{command} ~unheard")
    assert [each.name for each in mr.labels] == ["old"]
    assert list(mr.project.labels) == ["old"]


def test_a_hook_s_address_is_whole(scene: Scene) -> None:
    world, mr, api = scene
    mr.project.webhooks.append(Webhook(id=1, url="/api/v4/x"))
    assert api.get("/projects/7/hooks/1").body["url"] == f"{world.external_url}/api/v4/x"


# lenient outside, strict inside: doc/api/rest (unknown parameters are ignored)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", f"{MR}/notes?sorted=asc", None),
        ("POST", f"{MR}/notes", {"body": "x", "mesage": "y"}),
        ("GET", "/projects/7/merge_requests?not[nobody]=x", None),
        (
            "POST",
            "/projects/7/repository/commits",
            {
                "branch": "change",
                "commit_message": "m",
                "actions": [
                    {"action": "create", "file_path": "z", "content": "", "odd": 1},
                ],
            },
        ),
    ],
)
@pytest.mark.parametrize("strict", [True, False])
def test_unknown_parameters_are_refused_by_tests_alone(
    scene: Scene, method: str, path: str, body: Any, strict: bool
) -> None:
    world, _, api = scene
    world.strict = strict
    reply = api.send(method, f"/api/v4{path}", json=body) if body else api.get(path)
    assert (reply.status == 400) is strict
    assert len(world.violations) == 1
    assert "unknown parameter" in world.violations[0]
