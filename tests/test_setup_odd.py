"""What no sound GitLab answers, and what only some tiers and versions do."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest

from bot.config import parse_settings
from bot.errors import AbsentError, GitLabError, RefusedError
from bot.evidence import Listed, Merged, Work, WorkOf
from bot.gitlab.transport import Transport
from bot.merge_request import Person
from bot.rulebook.loading import load_policies
from bot.setup import (
    account,
    asking,
    doctor,
    gates,
    hosting,
    probes,
    reading,
    rotate,
    starting,
    variables,
    webhook,
)
from bot.setup.ground import Ground
from bot.setup.values import Found, Point, State

NOW = datetime(2026, 2, 2, 9, tzinfo=UTC)
URL = "https://gitlab.example.com"
TRIGGER = f"{URL}/api/v4/projects/8/ref/main/trigger/pipeline?token={{trigger_token}}"
HOST: Mapping[str, Any] = {"id": 8, "path_with_namespace": "a/bot", "default_branch": "main"}
OPERATOR: Mapping[str, Any] = {"id": 1, "username": "olga"}
HOOK: Mapping[str, Any] = {"id": 5, "url": TRIGGER}
BASE: Mapping[str, Any] = {
    "/user": OPERATOR,
    "/version": {"version": "19.5.0"},
    "/projects/a%2Fbot": HOST,
    "/projects/a%2Fteam": {"id": 7, "path_with_namespace": "a/team", "default_branch": "main"},
    "/projects/a%2Fteam/hooks": [HOOK],
    "/projects/a%2Fteam/merge_requests": [],
}


def refused(code: int) -> RefusedError:
    return (AbsentError if code == 404 else RefusedError)(code, "no", "GET /x")


class Door:
    """Answers as it is told, and keeps what was written."""

    server_time = None
    calls = 0

    def __init__(self, answers: Mapping[str, Any]) -> None:
        self.answers = dict(BASE) | dict(answers)
        self.written: list[tuple[str, str]] = []

    def _answer(self, path: str) -> Any:
        found = self.answers.get(path, refused(404))
        if isinstance(found, Exception):
            raise found
        return found

    def reach(self) -> None:
        """Be there."""

    def fetch_object(self, path: str) -> Any:
        """Answer an object."""
        return self._answer(path)

    def fetch_rows(self, path: str, _: object) -> tuple[list[Any], None]:
        """Answer a list of one page."""
        return self._answer(path), None

    def fetch_raw(self, path: str, _: object) -> Any:
        """Answer a file."""
        return self._answer(f"get {path}")

    def change(self, verb: str, path: str, _: object) -> Any:
        """Take a write."""
        self.written.append((verb, path))
        return self._answer(f"{verb} {path}")

    def remove(self, path: str) -> None:
        """Take a deletion."""
        self.change("delete", path, {})

    def create(self, path: str, fields: object) -> Any:
        """Take a request that makes something."""
        return self.change("post", path, fields)


def stand(door: Door, **changes: Any) -> Ground:
    given = {
        "NOMINATION_BOT_TOKEN": "glpat-very-secret-indeed",
        "NOMINATION_BOT_GITLAB_URL": URL,
        "NOMINATION_BOT_TEAM_PROJECT": "a/team",
        "NOMINATION_BOT_PROJECT": "a/bot",
    }
    settings = replace(parse_settings(given), **changes)
    both = cast(Transport, door)
    return Ground(settings, {}, (load_policies(), ()), (both, both), NOW)


def point(points: Any, name: str) -> Point:
    (found,) = [each for each in points if each.id == name]
    return cast(Point, found)


def look(points: Any, name: str, answers: Mapping[str, Any], **changes: Any) -> Found:
    ground = stand(Door(answers), **changes)
    return doctor.look(point(points, name), ground).found


TOKEN_SELF = "/personal_access_tokens/self"  # noqa: S105  an address
TEAM = "/projects/a%2Fteam"
RED = {"iid": 1, "project_id": 7}
STATUS = {"status": "failed", "name": "nomination-bot"}
RED_ANSWERS = {
    f"{TEAM}/merge_requests": [RED],
    f"{TEAM}/merge_requests/1": {"sha": "abc", "detailed_merge_status": "draft_status"},
    "/projects/7/repository/commits/abc/statuses": [STATUS],
}
CASES: list[tuple[Any, str, Mapping[str, Any], Mapping[str, Any], State, str]] = [
    (account.POINTS, "token-scope", {}, {}, State.UNKNOWN, "does not tell of this token"),
    (account.POINTS, "token-scope", {TOKEN_SELF: refused(403)}, {}, State.UNKNOWN, "403"),
    (account.POINTS, "token-scope", {TOKEN_SELF: {}}, {}, State.WRONG, "scopes none"),
    (account.POINTS, "token-scope", {TOKEN_SELF: []}, {}, State.UNKNOWN, "another shape"),
    (account.POINTS, "token-expiry", {TOKEN_SELF: {"expires_at": None}}, {}, State.OK, "never"),
    (account.POINTS, "role", {f"{TEAM}/members/all/1": refused(500)}, {}, State.UNKNOWN, "500"),
    (account.POINTS, "role", {}, {"gate": "none"}, State.OK, "level 0"),
    (
        gates.POINTS,
        "gate-setting",
        {
            TEAM: {
                "only_allow_merge_if_pipeline_succeeds": True,
                "allow_merge_on_skipped_pipeline": True,
            }
        },
        {},
        State.WRONG,
        "skipped",
    ),
    (
        gates.POINTS,
        "status-check",
        {},
        {"gate": "external-status-check"},
        State.WRONG,
        "this tier",
    ),
    (gates.POINTS, "guard", {f"{TEAM}/ci/lint": {"valid": True}}, {}, State.WRONG, "no job fails"),
    (gates.POINTS, "guard", {}, {"gate": "none"}, State.OK, "not needed"),
    (gates.POINTS, "gate-blocks", RED_ANSWERS, {}, State.UNKNOWN, "GitLab says draft_status"),
    (
        gates.POINTS,
        "gate-blocks",
        {**RED_ANSWERS, "/projects/7/repository/commits/abc/statuses": []},
        {},
        State.UNKNOWN,
        "no opened merge request has a failed gate",
    ),
    (
        gates.POINTS,
        "gate-blocks",
        {
            f"{TEAM}/merge_requests": [RED],
            f"{TEAM}/merge_requests/1": {"detailed_merge_status": "status_checks_must_pass"},
            "/projects/7/merge_requests/1/status_checks": [
                {"id": 1, "name": "nomination-bot", "status": "failed"}
            ],
        },
        {"gate": "external-status-check"},
        State.OK,
        "!1",
    ),
    *(
        (
            gates.POINTS,
            "status-check",
            {
                TEAM: {**BASE[TEAM]},
                f"{TEAM}/external_status_checks": [
                    {
                        "id": 3,
                        "name": "nomination-bot",
                        "external_url": url,
                        "protected_branches": [{"name": name} for name in limits],
                    }
                ],
            },
            {"gate": "external-status-check"},
            state,
            said,
        )
        for url, limits, state, said in (
            (TRIGGER, (), State.OK, "nomination-bot"),
            (TRIGGER, ("ma*", "x"), State.OK, "nomination-bot"),
            (TRIGGER, ("stable-*",), State.WRONG, "limited to stable-*"),
            (TRIGGER.replace("/8/", "/9/"), (), State.WRONG, "not call the trigger of a/bot"),
            (f"{URL}/somewhere", (), State.WRONG, "not call the trigger of a/bot"),
            (TRIGGER.replace("main", "old"), (), State.WRONG, "starts old"),
        )
    ),
    (
        gates.POINTS,
        "guard",
        {f"{TEAM}/ci/lint": {"valid": True, "merged_yaml": "a: [*b]"}},
        {},
        State.WRONG,
        "no job fails",
    ),
    (
        gates.POINTS,
        "guard",
        # As some versions write the keys, and with rules that hold for all changes.
        {
            f"{TEAM}/ci/lint": {
                "valid": True,
                "merged_yaml": "---\n:nomination-gate:\n  :script:\n  - x\n  :rules:\n"
                "  - :if: $CI_MERGE_REQUEST_IID\n    :changes:\n      :paths:\n"
                "      - data/team_members/**/*\n",
            }
        },
        {},
        State.OK,
        "there",
    ),
    (
        hosting.POINTS,
        "host-project",
        {"/projects/a%2Fbot/members/all/1": {"access_level": 40}},
        {"project": "a/bot"},
        State.OK,
        "a/bot",
    ),
    (
        hosting.POINTS,
        "host-project",
        {
            "/projects/a%2Fbot": {**HOST, "path_with_namespace": "b/bot"},
            "/projects/a%2Fbot/members/all/1": {"access_level": 40},
        },
        {},
        State.WRONG,
        "moved to b/bot",
    ),
    (
        hosting.POINTS,
        "host-project",
        {"/projects/a%2Fbot/members/all/1": refused(500)},
        {},
        State.WRONG,
        "500",
    ),
    (hosting.POINTS, "host-project", {}, {"project": None}, State.UNKNOWN, "not said"),
    (
        variables.POINTS,
        "pipeline-variables",
        {"/version": {"version": "17.0.1"}},
        {},
        State.UNKNOWN,
        "no such setting",
    ),
    (
        webhook.POINTS,
        "webhook",
        {f"{TEAM}/hooks": [{"id": 1, "url": f"{URL}/x"}]},
        {},
        State.WRONG,
        "none",
    ),
    (webhook.POINTS, "webhook-events", {f"{TEAM}/hooks": []}, {}, State.UNKNOWN, "no webhook"),
    (
        webhook.POINTS,
        "webhook-address",
        {
            f"{TEAM}/hooks": [
                {"id": 1, "url": f"{URL}/api/v4/projects/a%2Fbot/trigger/pipeline?token=x&ref=main"}
            ]
        },
        {},
        State.OK,
        "main",
    ),
    (
        webhook.POINTS,
        "webhook-address",
        {f"{TEAM}/hooks": [{"id": 1, "url": f"{URL}/api/v4/projects/8/trigger/pipeline?token=x"}]},
        {},
        State.WRONG,
        "no branch",
    ),
    (webhook.POINTS, "webhook-ssl", {}, {}, State.WRONG, "off"),
    (
        webhook.POINTS,
        "webhook-ssl",
        {f"{TEAM}/hooks": [{**HOOK, "enable_ssl_verification": True}]},
        {},
        State.OK,
        "on",
    ),
    (
        webhook.POINTS,
        "webhook-token",
        {"/version": {"version": "15.1"}},
        {},
        State.UNKNOWN,
        "cannot mask",
    ),
    (
        webhook.POINTS,
        "webhook-deliveries",
        {"/version": {"version": "17.2"}},
        {},
        State.UNKNOWN,
        "does not tell",
    ),
    (webhook.POINTS, "webhook-deliveries", {}, {}, State.UNKNOWN, "does not tell"),
    (
        webhook.POINTS,
        "webhook-deliveries",
        {f"{TEAM}/hooks/5/events": refused(403)},
        {},
        State.UNKNOWN,
        "403",
    ),
    (
        webhook.POINTS,
        "webhook-deliveries",
        {f"{TEAM}/hooks/5/events": []},
        {},
        State.UNKNOWN,
        "nothing was delivered",
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[1]}: {case[5]}")
def test_odd_answers_are_judged(case: Any) -> None:
    points, name, answers, changes, state, said = case
    found = look(points, name, answers, **changes)
    assert (found.state, said in found.found) == (state, True), found.found


TREE = f"{TEAM}/repository/tree"
AI = "/projects/gitlab-org%2Fmodelops%2Fapplied-ml%2Fcode-suggestions%2Fai-assist"


@pytest.mark.parametrize(
    ("name", "answers", "state", "said"),
    [
        ("team-project", {TEAM: {"path_with_namespace": "b/team"}}, State.WRONG, "moved to b/team"),
        ("entries data", {TREE: refused(403)}, State.UNKNOWN, "403"),
        ("entries data", {}, State.WRONG, "is not there"),
        ("entries data", {TREE: [{}]}, State.OK, "data"),
        (
            "project gitlab-org",
            {
                AI: {"path_with_namespace": "x/y", "default_branch": "main"},
                f"{AI}/repository/branches/main": {},
            },
            State.WRONG,
            "moved to x/y",
        ),
    ],
)
def test_odd_places_are_judged(
    name: str, answers: Mapping[str, Any], state: State, said: str
) -> None:
    ground = stand(Door(answers))
    (found,) = [p for p in reading.find_points(ground) if p.id.startswith(name)]
    told = doctor.look(found, ground).found
    assert (told.state, said in told.found) == (state, True), told.found


@pytest.mark.parametrize(
    "mend",
    [
        lambda ground: point(account.POINTS, "role").look(ground).mend,
        lambda ground: point(webhook.POINTS, "webhook-ssl").look(ground).mend,
    ],
)
def test_what_is_refused_on_the_way_is_an_error(mend: Callable[[Ground], Any]) -> None:
    ground = stand(
        Door({f"post {TEAM}/members": refused(400), f"put {TEAM}/hooks/5": refused(422)})
    )
    with pytest.raises(RefusedError):
        mend(ground)(ground)


def test_a_webhook_that_is_off_gets_a_test_delivery() -> None:
    hook = {**HOOK, "alert_status": "temporarily_disabled", "disabled_until": "2026-02-03"}
    path = f"{TEAM}/hooks/5/test/merge_requests_events"
    door = Door({f"{TEAM}/hooks": [hook], f"post {path}": None})
    ground = stand(door)
    found = point(webhook.POINTS, "webhook-enabled").look(ground)
    assert "temporarily disabled until 2026-02-03" in found.found
    assert found.mend
    found.mend(ground)
    assert door.written == [("post", path)]


def test_a_schedule_of_another_branch_is_not_ours() -> None:
    path = "/projects/a%2Fbot/pipeline_schedules"
    door = Door({path: [{"id": 1, "ref": "ain", "active": True}], f"post {path}": {}})
    ground = stand(door)
    found = point(starting.POINTS, "schedule").look(ground)
    assert found.mend
    found.mend(ground)
    assert door.written == [("post", path)]


def test_a_trigger_token_of_somebody_else_is_not_used() -> None:
    path = "/projects/a%2Fbot/triggers"
    other = {"id": 1, "description": "nomination-bot", "owner": {"id": 9}, "token": "glpt"}
    door = Door({path: [other], f"post {path}": {"token": "mine"}})
    assert starting.own_trigger(stand(door)) == "mine"


def test_a_trigger_token_made_by_hand_is_as_good() -> None:
    path = "/projects/a%2Fbot/triggers"
    owner = {"id": 1, "username": "olga", "state": "active"}
    answers = {
        path: [{"id": 1, "description": "by hand", "owner": owner, "expires_at": None}],
        "/projects/a%2Fbot/members/all/1": {"access_level": 40},
    }
    assert look(starting.POINTS, "trigger", answers).state is State.OK


def test_a_rotated_token_that_cannot_be_stored_is_told_without_the_token() -> None:
    class Failing(Door):
        def change(self, verb: str, path: str, fields: Any) -> Any:
            """Take only what was there before."""
            if verb == "put" and "very-secret" not in fields["value"]:
                raise refused(500)
            return super().change(verb, path, fields)

    path = "/projects/a%2Fbot/variables/NOMINATION_BOT_TOKEN"
    made = {"token": "glpat-new", "expires_at": None}
    door = Failing({f"put {path}": {}, f"post {TOKEN_SELF}/rotate": made})
    with pytest.raises(GitLabError, match="could not be stored") as told:
        rotate("token", stand(door), print)
    assert "glpat-new" not in str(told.value)


def merged(**values: Any) -> Merged:
    return cast(Merged, SimpleNamespace(author="x", assigned=False, approved=False, **values))


@pytest.mark.parametrize(
    ("authored", "reviewed", "said"),
    [
        ((merged(),), (), "`authorUsername`"),
        ((), (merged(),), "`reviewerUsername`"),
        ((), (), None),
    ],
)
def test_a_list_that_does_not_follow_its_filter_is_told(
    authored: Any, reviewed: Any, said: str | None
) -> None:
    work = Work(
        account=Person(id=7, username="bot", active=True, bot=True),
        authored=Listed(items=authored, total=len(authored)),
        reviewed=Listed(items=reviewed, total=len(reviewed)),
    )
    assert asking.find_ignored(WorkOf("a/b", "bot", 1, "main"), work) == said


def test_without_policies_there_is_nothing_to_ask() -> None:
    ground = stand(Door({}))
    ground.policies = ()
    found = [doctor.look(each, ground).found for each in probes.find_points(ground)]
    assert {each.state for each in found} == {State.UNKNOWN}
    assert all(each.excused for each in found)


def test_an_answer_of_another_shape_is_told() -> None:
    ground = stand(Door({f"{TEAM}/repository/branches/main": {"commit": {"id": "abc"}}}))
    asked = {each.id: doctor.look(each, ground).found for each in probes.find_points(ground)}
    assert "another shape" in asked["query merge request"].found
    assert asked["query versions of a merge request"].excused
    assert asked["query file as bytes"].state is State.OK


def test_a_file_that_is_refused_is_told() -> None:
    path = "get /projects/7/repository/files/nomination-bot%2Fnone/raw"
    branch = {f"{TEAM}/repository/branches/main": {"commit": {"id": "abc"}}}
    ground = stand(Door({**branch, path: refused(403)}))
    found = point(probes.find_points(ground), "query file as bytes")
    assert "403" in doctor.look(found, ground).found.found
