"""The REST interface: routing, parameters, tokens, pages, errors."""

from datetime import timedelta

import pytest

from bot.sandbox.rest.app import ROUTES
from bot.sandbox.rest.core import ENDPOINTS
from bot.sandbox.story.seed_history import add_merge_requests
from bot.sandbox.story.seed_section import Section
from bot.sandbox.world.entities import MergeRequest
from bot.sandbox.world.state import World
from tests.sandbox_client import MR, Api, give_token
from tests.sandbox_worlds import NOW, PROJECT, make_world, open_mr


def make_api(username: str | None = "developer", *scopes: str) -> tuple[World, MergeRequest, Api]:
    world = make_world(tier="ultimate")
    mr = open_mr(world)
    return world, mr, Api(world, username, *scopes)


def add_history(world: World, count: int, author: str = "author") -> None:
    section = Section("seed", {"merge_requests": [{"author": author, "count": count}]})
    add_merge_requests(world, world.project(PROJECT), section)


# routing


@pytest.mark.parametrize("reference", ["7", "group%2Fteam", "GROUP%2Fteam"])
def test_a_project_is_named_by_number_or_encoded_path(reference: str) -> None:
    _, _, api = make_api()
    assert api.get(f"/projects/{reference}").body["id"] == 7


@pytest.mark.parametrize(
    "path", ["/projects/group/team", "/nothing", MR + "/notes/", MR + "/unheard-of"]
)
def test_an_unknown_endpoint_is_404_and_a_violation(path: str) -> None:
    world, _, api = make_api()
    reply = api.get(path)
    told = f"the sandbox does not offer GET /api/v4{path}"
    assert (reply.status, reply.body) == (404, {"message": told, "error": "404 Not Found"})
    assert world.violations == [f"no endpoint GET /api/v4{path}"]


def test_a_known_path_with_another_method_is_405_and_a_violation() -> None:
    world, _, api = make_api()
    reply = api.delete("/version")
    told = "the sandbox does not offer DELETE /api/v4/version"
    assert (reply.status, reply.body) == (405, {"message": told, "error": "405 Not Allowed"})
    assert len(world.violations) == 1


def test_a_file_path_must_be_encoded() -> None:
    world, _, api = make_api()
    assert api.get("/projects/7/repository/files/a%2Fb?ref=main").body == {
        "message": "404 File Not Found"
    }
    assert "does not offer" in api.get("/projects/7/repository/files/a/b?ref=main").body["message"]
    assert len(world.violations) == 1


def test_every_endpoint_is_reached_by_its_own_template() -> None:
    for endpoint in ENDPOINTS:
        path = "/api/v4" + endpoint.template.replace("{", "").replace("}", "")
        assert ROUTES.match(path, endpoint.method)[0] is endpoint


# parameters


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        (f"{MR}/notes?sorted=asc", "unknown parameter: sorted"),
        (f"{MR}/notes?sort=up", "sort does not have a valid value"),
        (f"{MR}/notes?page=one", "page is invalid"),
        (f"{MR}/notes?page=0", "page does not have a valid value"),
        (f"{MR}/notes?per_page=0", "per_page does not have a valid value"),
        ("/projects/7/merge_requests?draft=maybe", "draft is invalid"),
        ("/projects/7/merge_requests?created_after=soon", "created_after is invalid"),
        ("/projects/7/merge_requests?updated_after=2026-01-01T00:00:00+01:00", "is invalid"),
        ("/projects/7/merge_requests?iids=a,b", "iids is invalid"),
        ("/projects/7/merge_requests?iids[x]=1", "iids is invalid"),
        ("/projects/7/merge_requests?draft[]=true", "draft is invalid"),
        ("/projects/7/merge_requests?state[]=opened", "state is invalid"),
        ("/projects/7/merge_requests?not=x", "not is invalid"),
        ("/projects/7/merge_requests?not[state]=x", "unknown parameter: not[state]"),
        ("/projects/7/merge_requests?not[author_id]=x", "not[author_id] is invalid"),
        ("/projects/7/merge_requests?labels[a]=x", "labels is invalid"),
        ("/projects/7/merge_requests?a]b=x", "a]b is invalid"),
        ("/projects/7/merge_requests?author_id=1&author_username=a", "mutually exclusive"),
        ("/projects/7/merge_requests?reviewer_id=a", "reviewer_id is invalid"),
        ("/projects/7/repository/files/a", "ref is missing"),
        ("/projects/7/merge_requests/one", "merge_request_iid is invalid"),
        ("/projects/7/merge_requests/%C2%B2", "merge_request_iid is invalid"),
    ],
)
def test_a_wrong_parameter_is_refused_with_its_name(path: str, problem: str) -> None:
    _, _, api = make_api()
    reply = api.get(path)
    assert reply.status == 400
    assert problem in reply.body["error"]


def test_an_unknown_parameter_is_a_violation_and_writes_nothing() -> None:
    world, mr, api = make_api()
    reply = api.post(f"{MR}/notes", body="x", mesage="y")
    assert (reply.status, mr.notes) == (400, [])
    assert "unknown parameter: mesage" in world.violations[0]


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"{", "not valid JSON"),
        (b"[]", "must be an object"),
        (b'{"body": 5}', "body is invalid"),
        (b"", "body is missing"),
        (b'{"body": null}', "body is missing"),
        (b'{"body": "x", "internal": "perhaps"}', "internal is invalid"),
        (b'{"body": "x", "internal": []}', "internal is invalid"),
    ],
)
def test_a_wrong_body_is_refused(body: bytes, problem: str) -> None:
    _, _, api = make_api()
    headers = {**api.headers, "Content-Type": "application/json"}
    reply = api.send("POST", f"/api/v4{MR}/notes", data=body, headers=headers)
    assert reply.status == 400
    assert problem in reply.body["error"]


def test_forms_and_queries_are_read_as_json_is() -> None:
    _, mr, api = make_api()
    api.send("POST", f"/api/v4{MR}/notes", data={"body": "form"})
    api.send("POST", f"/api/v4{MR}/notes?body=query")
    assert [note.body for note in mr.notes] == ["form", "query"]


def test_a_text_too_long_is_refused() -> None:
    _, mr, api = make_api()
    reply = api.post(f"/projects/7/statuses/{mr.head_sha}", state="success", description="x" * 256)
    assert (reply.status, "too long" in reply.body["error"]) == (400, True)


# tokens


def test_nobody_reads_public_things_and_writes_nothing() -> None:
    _, _, api = make_api(None)
    assert api.get(MR).status == 200
    assert api.get("/user").body == {"message": "401 Unauthorized"}
    assert api.post(f"{MR}/notes", body="x").status == 401


def test_a_wrong_token_is_401_even_for_public_things() -> None:
    _, _, api = make_api(None)
    api.headers["PRIVATE-TOKEN"] = "wrong"
    assert api.get(MR).body == {"message": "401 Unauthorized"}


def test_a_token_works_as_bearer() -> None:
    world, _, api = make_api(None)
    api.headers["Authorization"] = f"Bearer {give_token(world, 'owner')}"
    assert api.get("/user").body["username"] == "owner"


def test_revoked_and_expired_tokens_say_so() -> None:
    world, _, api = make_api()
    token = world.tokens[-1]
    token.expires_at = NOW.date()
    assert "expired" in api.get("/user").body["error_description"]
    token.revoked = True
    reply = api.get("/user")
    assert (reply.status, reply.body["error"]) == (401, "invalid_token")
    assert "revoked" in reply.body["error_description"]


def test_a_blocked_account_is_refused() -> None:
    world, _, api = make_api()
    world.user("developer").state = "blocked"
    assert api.get("/user").status == 403


@pytest.mark.parametrize(
    ("scope", "path", "status"),
    [
        ("read_api", MR, 200),
        ("read_repository", MR, 403),
        ("read_repository", "/projects/7/repository/files/README.md?ref=main", 200),
        ("read_user", "/user", 200),
        ("read_user", MR, 403),
    ],
)
def test_a_scope_opens_what_it_names(scope: str, path: str, status: int) -> None:
    _, _, api = make_api("developer", scope)
    reply = api.get(path)
    assert reply.status == status
    assert status == 200 or reply.body["error"] == "insufficient_scope"


def test_a_reading_token_writes_nothing() -> None:
    _, mr, api = make_api("developer", "read_api")
    reply = api.post(f"{MR}/notes", body="x")
    assert (reply.status, reply.body["scope"], mr.notes) == (403, "api", [])


def test_a_job_token_reads_notes_and_not_much_else() -> None:
    world, _, api = make_api(None)
    world.project(PROJECT).visibility = "private"
    api.headers["JOB-TOKEN"] = give_token(world, "developer", kind="job")
    assert api.get(f"{MR}/notes").status == 200
    assert api.get("/projects/7/repository/files/README.md/raw?ref=main").raw == b"hello\n"
    assert api.get(f"{MR}/diffs").status == 404
    assert api.get("/user").status == 401
    assert api.post(f"{MR}/notes", body="x").status == 401


def test_a_job_token_is_no_private_token() -> None:
    world, _, api = make_api(None)
    api.headers["PRIVATE-TOKEN"] = give_token(world, "developer", kind="job")
    assert api.get(MR).status == 401


@pytest.mark.parametrize(
    ("visibility", "who", "status"),
    [
        ("public", None, 200),
        ("internal", None, 404),
        ("internal", "outsider", 200),
        ("private", "outsider", 404),
        ("private", "reporter", 200),
    ],
)
def test_what_one_may_not_see_is_not_there(visibility: str, who: str | None, status: int) -> None:
    world, _, api = make_api(who)
    world.project(PROJECT).visibility = visibility
    assert api.get(MR).status == status
    assert api.get("/projects/7/repository/tree").status == status


def test_a_guest_of_a_private_project_reads_no_code() -> None:
    world, _, api = make_api("reporter")
    project = world.project(PROJECT)
    project.visibility = "private"
    project.members[world.user("reporter").id].level = 10
    assert api.get(MR).status == 200
    assert api.get(f"{MR}/diffs").status == 403
    assert api.get("/projects/7/repository/tree").status == 404


# pages


def test_pages_are_linked_and_counted() -> None:
    world, _, api = make_api()
    add_history(world, 6)
    reply = api.get("/projects/7/merge_requests", per_page=3, page=2, sort="asc")
    assert len(reply.body) == 3
    headers = reply.headers
    assert [headers[f"X-{name}"] for name in ("Page", "Per-Page", "Next-Page", "Prev-Page")] == [
        "2",
        "3",
        "3",
        "1",
    ]
    assert (headers["X-Total"], headers["X-Total-Pages"]) == ("7", "3")
    base = "http://localhost/api/v4/projects/7/merge_requests?sort=asc"
    assert f'<{base}&page=3&per_page=3>; rel="next"' in headers["Link"]
    assert [part.rsplit("=", 1)[1] for part in headers["Link"].split(", ")] == [
        '"prev"',
        '"next"',
        '"first"',
        '"last"',
    ]


def test_the_last_page_names_no_next_one() -> None:
    _, _, api = make_api()
    headers = api.get("/projects/7/merge_requests").headers
    assert headers["X-Next-Page"] == ""
    assert 'rel="next"' not in headers["Link"]


def test_a_page_holds_twenty_and_at_most_a_hundred() -> None:
    world, _, api = make_api()
    add_history(world, 120)
    assert len(api.get("/projects/7/merge_requests").body) == 20
    reply = api.get("/projects/7/merge_requests", per_page=500)
    assert (len(reply.body), reply.headers["X-Per-Page"]) == (100, "100")
    assert api.get("/projects/7/merge_requests", page=9).body == []


def test_more_than_ten_thousand_are_not_counted() -> None:
    _, mr, api = make_api()
    api.post(f"{MR}/notes", body="x")
    mr.notes *= 10_001
    reply = api.get(f"{MR}/notes")
    assert "X-Total" not in reply.headers
    assert 'rel="last"' not in reply.headers["Link"]
    assert reply.headers["X-Next-Page"] == "2"


def test_every_answer_tells_the_rate_limit() -> None:
    _, _, api = make_api()
    first, second = api.get("/user").headers, api.get("/user").headers
    assert first["RateLimit-Limit"] == "2000"
    assert int(second["RateLimit-Observed"]) == int(first["RateLimit-Observed"]) + 1


# the list of merge requests


def listed(api: Api, query: str) -> list[int]:
    reply = api.get(f"/projects/7/merge_requests?sort=asc&{query}")
    assert reply.status == 200, reply.body
    return [each["iid"] for each in reply.body]


def make_list() -> tuple[World, Api]:
    """Three requests: an open draft, one merged with everything, one closed."""
    world, draft, api = make_api()
    draft.title = "Draft: first words"
    content = {
        "merge_requests": [
            {
                "author": "owner",
                "from": NOW + timedelta(days=1),
                "title": "Second words",
                "people": {"developer": "approved", "reporter": "assigned"},
            },
            {"author": "reporter", "state": "closed", "from": NOW + timedelta(days=2)},
        ]
    }
    project = world.project(PROJECT)
    add_merge_requests(world, project, Section("seed", content))
    api.put("/projects/7/merge_requests/2", labels="a,b", assignee_ids=[1])
    api.post("/projects/7/merge_requests/2/award_emoji", name="eyes")
    return world, api


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", [1, 2, 3]),
        ("state=all", [1, 2, 3]),
        ("state=merged", [2]),
        ("state=opened", [1]),
        ("author_username=OWNER", [2]),
        ("author_id=1", [2]),
        ("not[author_username]=owner", [1, 3]),
        ("reviewer_username=reporter", [2]),
        ("reviewer_username=Any", [2]),
        ("reviewer_username=none", [1, 3]),
        ("reviewer_id=3", [2]),
        ("reviewer_id=None", [1, 3]),
        ("assignee_id=1", [2]),
        ("assignee_id=Any", [2]),
        ("assignee_username[]=owner", [2]),
        ("assignee_username=developer", []),
        ("approved_by_usernames=developer", [2]),
        ("approved_by_usernames[]=developer&approved_by_usernames[]=owner", []),
        ("approved_by_usernames=Any", [2]),
        ("approved_by_ids=3", [2]),
        ("merge_user_username=owner", [2]),
        ("merge_user_id=1", [2]),
        ("labels=a", [2]),
        ("labels=a,c", []),
        ("labels=None", [1, 3]),
        ("labels=any", [2]),
        ("iids=1,3", [1, 3]),
        ("iids[]=3", [3]),
        ("draft=true", [1]),
        ("wip=no", [2, 3]),
        ("search=words%20first", [1]),
        ("source_branch=change", [1]),
        ("source_project_id=7", [1, 2, 3]),
        ("target_branch=other", []),
        ("merged_after=2026-02-03T00:00:00Z", [2]),
        ("merged_before=2026-02-03", []),
        ("created_after=2026-02-04", [3]),
        ("updated_before=2026-02-02T10:00:00%2B01:00", []),
        ("order_by=title", [3, 1, 2]),
        ("order_by=merged_at", [1, 3, 2]),
        ("order_by=popularity", [1, 2, 3]),
        ("my_reaction_emoji=eyes", [2]),
        ("scope=created_by_me", []),
        ("scope=reviews_for_me", [2]),
        ("scope=assigned_to_me", []),
        ("view=simple&in=title&with_merge_status_recheck=true", [1, 2, 3]),
    ],
)
def test_a_filter_selects(query: str, expected: list[int]) -> None:
    _, api = make_list()
    assert listed(api, query) == expected


def test_filters_by_approver_are_premium_and_limited() -> None:
    world, api = make_list()
    reply = api.get("/projects/7/merge_requests?approved_by_ids=1,2,3,4,5,6")
    assert (reply.status, "at most 5" in reply.body["error"]) == (400, True)
    world.project(PROJECT).settings.tier = "free"
    assert listed(api, "approved_by_usernames=developer") == [1, 2, 3]


def test_the_list_of_all_projects_is_one_s_own_unless_told() -> None:
    world, api = make_list()
    assert api.get("/merge_requests").body == []
    assert len(api.get("/merge_requests", scope="all").body) == 3
    world.project(PROJECT).visibility = "private"
    outsider = Api(world, "outsider")
    assert outsider.get("/merge_requests", scope="all").body == []
