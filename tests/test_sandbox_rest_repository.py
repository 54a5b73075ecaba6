"""REST: files, commits, branches, comparisons, people, groups, projects."""

import base64

import pytest

from bot.sandbox.acts import actions
from bot.sandbox.world.entities import Group, Label, Level, Member, Protection, User, Webhook
from bot.sandbox.world.repository import Signature
from bot.sandbox.world.state import World
from tests.sandbox_client import MR, Api
from tests.sandbox_worlds import NOW, PROJECT, make_world, open_mr

FILES = "/projects/7/repository/files"
COMMITS = "/projects/7/repository/commits"


def make_api(username: str | None = "developer") -> tuple[World, Api]:
    world = make_world({"d/a.yml": b"a: 1\nb: 1\n", "top.md": b"hello\n"})
    return world, Api(world, username)


def commit(api: Api, content: str, branch: str = "work", path: str = "d%2Fa.yml") -> None:
    body = {"branch": branch, "commit_message": f"Say {content[:5]}", "content": content}
    assert api.put(f"{FILES}/{path}", **body).status == 200


# files


def test_a_file_comes_in_base64_with_its_shas() -> None:
    world, api = make_api()
    found = api.get(f"{FILES}/d%2Fa.yml", ref="main").body
    assert base64.b64decode(found["content"]) == b"a: 1\nb: 1\n"
    assert (found["file_name"], found["size"], found["ref"]) == ("a.yml", 10, "main")
    assert found["commit_id"] == world.project(PROJECT).repository.branches["main"]
    assert api.get(f"{FILES}/d%2Fa.yml", ref="HEAD").body["blob_id"] == found["blob_id"]
    assert api.get(f"{FILES}/top.md/raw").raw == b"hello\n"
    assert api.get(f"{FILES}/d%2Fa.yml", ref="nowhere").body == {"message": "404 Commit Not Found"}


def test_the_last_commit_of_a_file_is_the_one_that_changed_it() -> None:
    world, api = make_api()
    commit(api, "a: 2\n")
    head = world.project(PROJECT).repository.branches["work"]
    commit(api, "later", path="top.md")
    assert api.get(f"{FILES}/d%2Fa.yml", ref="work").body["last_commit_id"] == head


def test_files_are_made_and_changed() -> None:
    _, api = make_api()
    new = {
        "branch": "work",
        "commit_message": "m",
        "content": base64.b64encode(b"\0x").decode(),
        "encoding": "base64",
        "execute_filemode": True,
        "author_name": "Somebody",
    }
    assert api.post(f"{FILES}/new", **new).body == {"file_path": "new", "branch": "work"}
    found = api.get(f"{FILES}/new", ref="work").body
    assert (found["execute_filemode"], base64.b64decode(found["content"])) == (True, b"\0x")
    assert api.get(COMMITS, ref_name="work").body[0]["author_name"] == "Somebody"
    assert api.post(f"{FILES}/new", **new).status == 400
    assert api.put(f"{FILES}/absent", **new).status == 400


def test_blame_credits_each_run_of_lines_to_its_commit() -> None:
    _, api = make_api()
    commit(api, "a: 1\nb: 2\nc: 3\n")
    runs = api.get(f"{FILES}/d%2Fa.yml/blame", ref="work").body
    assert [(run["commit"]["message"], run["lines"]) for run in runs] == [
        ("Begin", ["a: 1"]),
        ("Say a: 1\n", ["b: 2", "c: 3"]),
    ]
    part = f"{FILES}/d%2Fa.yml/blame?ref=work&range[start]=3&range[end]=3"
    assert [run["lines"] for run in api.get(part).body] == [["c: 3"]]


def test_blame_tells_apart_lines_that_are_alike() -> None:
    _, api = make_api()
    commit(api, "a: 1\nb: 2\na: 1\n")
    runs = api.get(f"{FILES}/d%2Fa.yml/blame", ref="work").body
    assert [(run["commit"]["message"], run["lines"]) for run in runs] == [
        ("Begin", ["a: 1"]),
        ("Say a: 1\n", ["b: 2", "a: 1"]),
    ]


def test_a_tree_lists_directories_before_files() -> None:
    _, api = make_api()

    def names(**query: str) -> list[tuple[str, str]]:
        rows = api.get("/projects/7/repository/tree", **query).body
        return [(row["type"], row["path"]) for row in rows]

    assert names() == [("tree", "d"), ("blob", "top.md")]
    assert names(path="d") == [("blob", "d/a.yml")]
    assert names(recursive="true") == [("tree", "d"), ("blob", "d/a.yml"), ("blob", "top.md")]


# commits


def test_commits_are_never_counted() -> None:
    _, api = make_api()
    commit(api, "a: 2\n")
    reply = api.get(COMMITS, ref_name="work", per_page=1)
    assert "X-Total" not in reply.headers
    assert reply.headers["X-Next-Page"] == "2"


def test_commits_are_filtered_by_path_time_and_author() -> None:
    world, api = make_api()
    world.tick(3600)
    commit(api, "a: 2\n")

    def titles(**query: str) -> list[str]:
        return [each["title"] for each in api.get(COMMITS, ref_name="work", **query).body]

    assert titles() == ["Say a: 2", "Begin"]
    assert titles(path="top.md") == ["Begin"]
    assert titles(author="developer") == ["Say a: 2"]
    assert titles(since="2026-02-02T09:30:00Z") == ["Say a: 2"]
    assert titles(until="2026-02-02T09:30:00Z") == ["Begin"]
    stats = api.get(COMMITS, ref_name="work", with_stats="true").body[0]["stats"]
    assert stats == {"additions": 1, "deletions": 2, "total": 3}


def test_a_commit_is_told_with_its_numbers_diff_and_merge_requests() -> None:
    world, api = make_api()
    mr = open_mr(world)
    found = api.get(f"{COMMITS}/{mr.head_sha}").body
    assert found["stats"]["additions"] == 1
    assert "stats" not in api.get(f"{COMMITS}/change", stats="false").body
    (change,) = api.get(f"{COMMITS}/{mr.head_sha}/diff", unidiff="true").body
    assert change["diff"].startswith("--- /dev/null")
    brought = f"{COMMITS}/{mr.head_sha}/merge_requests"
    assert [each["iid"] for each in api.get(brought).body] == [1]
    assert api.get(brought, state="merged").body == []
    actions.merge(world, world.user("owner"), mr)
    merged = api.get(f"{COMMITS}/{mr.merge_commit_sha}/merge_requests").body
    assert [each["state"] for each in merged] == ["merged"]
    assert api.get(f"{COMMITS}/{'0' * 40}").status == 404


def test_several_changes_are_one_commit() -> None:
    _, api = make_api()
    steps = [
        {"action": "create", "file_path": "new", "content": "eA==", "encoding": "base64"},
        {"action": "delete", "file_path": "top.md"},
        {"action": "move", "file_path": "e.yml", "previous_path": "d/a.yml"},
    ]
    made = api.post(COMMITS, branch="work", commit_message="m", actions=steps, start_branch="main")
    assert made.status == 201
    rows = api.get("/projects/7/repository/tree", ref="work").body
    assert [row["path"] for row in rows] == ["e.yml", "new"]
    compared = api.get("/projects/7/repository/compare", **{"from": "main", "to": "work"}).body
    renamed = [each["old_path"] for each in compared["diffs"] if each["renamed_file"]]
    assert renamed == ["d/a.yml"]


@pytest.mark.parametrize(
    "step",
    [
        "text",
        {"action": "create"},
        {"action": "burn", "file_path": "x"},
        {"action": "move", "file_path": "x"},
        {"action": "move", "file_path": "x", "previous_path": "absent"},
        {"action": "create", "file_path": "x", "colour": "red"},
    ],
)
def test_a_strange_change_is_refused(step: object) -> None:
    world, api = make_api()
    reply = api.post(COMMITS, branch="work", commit_message="m", actions=[step])
    assert reply.status == 400
    assert "work" not in world.project(PROJECT).repository.branches


def test_branches_are_listed_shown_and_made() -> None:
    world, api = make_api()
    path = "/projects/7/repository/branches"
    made = api.post(path, branch="next", ref="main")
    assert (made.status, made.body["protected"]) == (201, False)
    assert api.post(path, branch="next", ref="main").body == {"message": "Branch already exists"}
    assert [each["name"] for each in api.get(path).body] == ["main", "next"]
    assert [each["name"] for each in api.get(path, search="ai").body] == ["main"]
    main = api.get(f"{path}/main").body
    assert (main["default"], main["protected"]) == (True, True)
    assert main["commit"]["id"] == world.project(PROJECT).repository.branches["main"]
    assert api.get(f"{path}/absent").status == 404


def test_refs_are_compared_from_their_merge_base() -> None:
    world, api = make_api()
    commit(api, "a: 2\n")
    owner = Api(world, "owner")
    commit(owner, "hi\n", branch="main", path="top.md")

    def changed(**query: str) -> list[str]:
        query |= {"from": "main", "to": "work"}
        body = api.get("/projects/7/repository/compare", **query).body
        assert [each["title"] for each in body["commits"]] == ["Say a: 2"]
        return [each["new_path"] for each in body["diffs"]]

    assert changed() == ["d/a.yml"]
    assert changed(straight="true") == ["d/a.yml", "top.md"]
    base = api.get("/projects/7/repository/merge_base?refs[]=main&refs[]=work").body
    assert base["title"] == "Begin"
    assert api.get("/projects/7/repository/merge_base?refs[]=main").status == 400
    same = api.get("/projects/7/repository/compare", **{"from": "main", "to": "main"}).body
    assert (same["commit"], same["compare_same_ref"]) == (None, True)


def test_strangers_have_no_merge_base() -> None:
    world, api = make_api()
    repository = world.project(PROJECT).repository
    author = Signature(name="A", email="a@example.com", at=NOW)
    repository.commit_tree("orphan", {}, "alone", author)
    path = "/projects/7/repository/merge_base?refs[]=main&refs[]=orphan"
    assert api.get(path).body == {"message": "404 Merge Base Not Found"}


# people and places


def test_the_instance_tells_its_version_to_the_signed_in() -> None:
    world, api = make_api()
    assert api.get("/version").body["version"] == api.get("/metadata").body["version"]
    assert Api(world).get("/version").status == 401


def test_accounts_are_found_by_name_and_number() -> None:
    world, api = make_api()
    bot = User(id=90, username="project_7_bot", name="Robot", created_at=NOW, bot=True)
    world.add_user(bot)
    world.user("reporter").state = "blocked"

    def names(**query: str) -> set[str]:
        return {each["username"] for each in api.get("/users", **query).body}

    assert names(username="OWNER") == {"owner"}
    assert names(username="own") == set()
    assert names(search="robot") == names(exclude_humans="true") == {"project_7_bot"}
    assert names(blocked="true") == names(exclude_active="true") == {"reporter"}
    assert "project_7_bot" not in names(humans="true") | names(without_project_bots="true")
    assert "reporter" not in names(active="true")
    assert api.get("/users", order_by="username", sort="asc").body[0]["username"] == "author"
    assert api.get("/users/90").body["bot"]
    assert api.get("/users/91").body == {"message": "404 User Not Found"}


def test_strangers_do_not_list_accounts() -> None:
    world, _ = make_api()
    stranger = Api(world)
    assert stranger.get("/users").status == 403
    assert len(stranger.get("/users", username="owner").body) == 1
    assert stranger.get("/users/1").status == 403


def make_group(world: World) -> Group:
    group = Group(id=5, full_path="top", name="Top", created_at=NOW, visibility="private")
    child = Group(id=6, full_path="top/low", name="Low", created_at=NOW, parent=group)
    for place, name, level in (
        (group, "owner", Level.OWNER),
        (group, "developer", Level.REPORTER),
        (child, "developer", Level.MAINTAINER),
    ):
        user = world.user(name)
        place.members[user.id] = Member(
            user=user, level=level, created_at=NOW, created_by=world.user("owner")
        )
    world.add_group(group)
    return world.add_group(child)


def test_members_are_direct_or_all_with_their_highest_level() -> None:
    world, api = make_api()
    make_group(world)

    def levels(path: str, **query: str) -> dict[str, int]:
        rows = api.get(path, **query).body
        return {row["username"]: row["access_level"] for row in rows}

    assert levels("/groups/6/members") == {"developer": 40}
    assert levels("/groups/top%2Flow/members/all") == {"owner": 50, "developer": 40}
    assert levels("/groups/6/members/all", query="own") == {"owner": 50}
    assert levels("/groups/6/members/all", user_ids="3") == {"developer": 40}
    assert levels("/groups/6/members?skip_users[]=3") == {}
    assert api.get("/groups/6/members/3").body["created_by"]["username"] == "owner"
    assert api.get("/groups/6/members/1").status == 404
    assert api.get("/groups/6/members/all/1").body["access_level"] == 50
    assert levels("/projects/7/members")["reporter"] == 20
    assert levels("/projects/7/members/all")["reporter"] == 20
    assert api.get("/projects/7/members/5").status == 200
    assert api.get("/projects/7/members/all/99").status == 404


def test_a_private_group_is_not_there_for_strangers() -> None:
    world, _ = make_api()
    make_group(world)
    stranger = Api(world, "outsider")
    assert stranger.get("/groups/5/members").body == {"message": "404 Group Not Found"}
    assert stranger.get("/groups/404/members").status == 404


def test_a_project_tells_what_it_is() -> None:
    world, api = make_api()
    found = api.get("/projects/7").body
    assert (found["path"], found["default_branch"], found["empty_repo"]) == ("team", "main", False)
    assert found["permissions"]["project_access"]["access_level"] == 30
    assert "permissions" not in Api(world).get("/projects/7").body
    stranger = world.user("outsider")
    fork = actions.fork_project(world, stranger, world.project(PROJECT))
    told = api.get(f"/projects/{fork.id}").body
    assert (told["forked_from_project"]["id"], told["namespace"]["kind"]) == (7, "user")
    assert told["permissions"]["project_access"] is None
    world.project(PROJECT).group = make_group(world)
    assert api.get("/projects/7").body["namespace"]["kind"] == "group"


def test_labels_are_listed_by_name() -> None:
    world, api = make_api()
    for number, name in enumerate(("b", "a")):
        world.project(PROJECT).labels[name] = Label(id=number, name=name)
    rows = api.get("/projects/7/labels", search="", with_counts="true").body
    assert [row["name"] for row in rows] == ["a", "b"]
    assert len(api.get("/projects/7/labels", search="B").body) == 1


def test_webhooks_are_for_maintainers_and_hide_what_is_masked() -> None:
    world, api = make_api()
    url = "http://example.com/trigger?token={token}"
    masked = {"token": "very-secret"}
    world.project(PROJECT).webhooks.append(Webhook(id=1, url=url, url_variables=masked))
    assert api.get("/projects/7/hooks").status == 403
    reply = Api(world, "maintainer").get("/projects/7/hooks")
    assert reply.body[0]["url"] == url
    assert reply.body[0]["url_variables"] == [{"key": "token"}]
    assert b"very-secret" not in reply.raw


def test_no_secret_is_in_the_log_of_requests() -> None:
    world, api = make_api()
    open_mr(world)
    secret = world.project(PROJECT).triggers[0].value
    token = api.headers["PRIVATE-TOKEN"]
    api.post(f"{MR}/notes", body=f"my token is {token} and {secret}")
    api.get(f"{MR}?private_token=unknown-one")
    api.send("POST", f"/api/v4{MR}/notes", data="token=unknown-one", headers=api.headers)
    logged = repr([(each.path, each.query, each.body) for each in world.requests])
    assert "[FILTERED]" in logged
    assert not [each for each in (token, secret, "private_token': ['unknown") if each in logged]


@pytest.mark.parametrize(
    ("fields", "status", "words"),
    [
        ({"branch": "fresh", "start_sha": "HEAD"}, 201, None),
        ({"branch": "main", "start_sha": "HEAD"}, 400, "already exists"),
        ({"branch": "fresh", "start_sha": "0" * 40}, 400, "Cannot find start_sha"),
        ({"branch": "fresh", "start_sha": "HEAD", "start_branch": "main"}, 400, "exclusive"),
        ({"branch": "fresh", "start_branch": "main", "action": "create"}, 400, "already exists"),
        ({"branch": "fresh", "start_branch": "main", "path": "none.md"}, 400, "doesn't exist"),
    ],
)
def test_a_branch_begins_with_a_commit_only_where_there_is_none(
    fields: dict[str, str], status: int, words: str | None
) -> None:
    world, api = make_api()
    head = world.project(PROJECT).repository.branches["main"]
    given = {name: head if value == "HEAD" else value for name, value in fields.items()}
    action = {
        "action": given.pop("action", "update"),
        "file_path": given.pop("path", "top.md"),
        "content": "new",
    }
    answer = api.post(COMMITS, **given, commit_message="m", actions=[action])
    assert answer.status == status
    assert (words or "") in str(answer.body)
    if status == 201:
        assert answer.body["parent_ids"] == [head]


def test_nobody_pushes_to_an_archived_project_or_to_what_a_pattern_protects() -> None:
    world, api = make_api()
    project = world.project(PROJECT)
    fields = {"branch": "bot/x", "commit_message": "m", "start_branch": "main"}
    action = {"action": "update", "file_path": "top.md", "content": "new"}
    rule = Protection(name="bot/*")
    project.protected_branches.append(rule)
    assert api.post(COMMITS, **fields, actions=[action]).status == 403
    rule.push_level = Level.NO_ACCESS
    assert api.post(COMMITS, **fields, actions=[action]).status == 403
    rule.push_level = Level.DEVELOPER
    mr = open_mr(world)
    project.archived = True
    assert api.post(COMMITS, **fields, actions=[action]).status == 403
    assert api.put(f"/projects/7/merge_requests/{mr.iid}", title="x").status == 403
    project.archived = False
    assert api.post(COMMITS, **fields, actions=[action]).status == 201


def test_a_branch_that_a_pattern_protects_is_said_to_be_and_stays() -> None:
    world, api = make_api("owner")
    commit(api, "a: 2\n")
    world.project(PROJECT).protected_branches.append(Protection(name="wo*"))
    branch = "/projects/7/repository/branches/work"
    assert api.get(branch).body["protected"] is True
    assert api.delete(branch).status == 403
