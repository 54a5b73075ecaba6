"""Commit statuses, pipelines and external status checks, as GitLab documents them."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import TypedDict, Unpack

import pytest

from bot.sandbox.acts import actions, pipelines as act_pipelines
from bot.sandbox.acts.actions import CommitDraft, MergeRequestDraft, StatusDraft
from bot.sandbox.acts.merging import assess_merge
from bot.sandbox.world.entities import CommitStatus, MergeRequest, Start, StatusCheck
from bot.sandbox.world.state import RefusedError, World
from tests.sandbox_worlds import PROJECT, make_world, open_mr


def refused(act: Callable[[], object]) -> tuple[int, str]:
    with pytest.raises(RefusedError) as caught:
        act()
    return caught.value.status, str(caught.value.body["message"])


class Where(TypedDict, total=False):
    """Where a status is to go."""

    ref: str
    pipeline_id: int


def post(
    world: World, sha: str | None, state: str, name: str = "gate", **where: Unpack[Where]
) -> CommitStatus:
    draft = StatusDraft(state=state, name=name, **where)
    user = world.user("developer")
    return actions.set_commit_status(world, user, world.project(PROJECT), str(sha), draft)


@pytest.mark.parametrize(
    ("first", "second", "problem"),
    [
        ("pending", "pending", "via :enqueue from :pending"),
        ("running", "pending", "via :enqueue from :running"),
        ("running", "running", "via :run from :running"),
        ("pending", "running", None),
        ("pending", "success", None),
        ("running", "failed", None),
        ("pending", "canceled", None),
    ],
)
def test_an_unfinished_status_only_moves_on(first: str, second: str, problem: str | None) -> None:
    world = make_world()
    mr = open_mr(world)
    job = post(world, mr.head_sha, first)
    if problem is None:
        assert post(world, mr.head_sha, second) is job
        assert job.status == second
    else:
        status, said = refused(lambda: post(world, mr.head_sha, second))
        assert (status, problem in said) == (400, True)
        assert job.status == first


@pytest.mark.parametrize("state", ["success", "failed", "canceled", "skipped"])
def test_a_finished_status_is_replaced_by_a_new_one(state: str) -> None:
    world = make_world()
    mr = open_mr(world)
    old = post(world, mr.head_sha, state)
    new = post(world, mr.head_sha, "pending")
    assert (old.retried, new.retried, new.pipeline) == (True, False, old.pipeline)
    assert new.pipeline.status == "pending"


def test_another_person_s_status_is_not_updated_but_replaced() -> None:
    world = make_world()
    mr = open_mr(world)
    old = post(world, mr.head_sha, "pending")
    draft = StatusDraft(state="success", name="gate", description="done")
    project, owner = world.project(PROJECT), world.user("owner")
    new = actions.set_commit_status(world, owner, project, str(mr.head_sha), draft)
    assert (new is old, old.retried, new.description) == (False, True, "done")


def test_a_status_joins_the_newest_pipeline_or_starts_an_external_one() -> None:
    world = make_world()
    mr = open_mr(world)
    assert post(world, mr.head_sha, "success").pipeline.source == "external"
    head = str(mr.head_sha)
    author = world.user("author")
    start = Start(project=mr.project, user=author, sha=head, ref="change", source="push")
    pipeline = actions.create_pipeline(world, start)
    assert post(world, head, "success", "other").pipeline is pipeline
    assert post(world, head, "success", "third", pipeline_id=1).pipeline.id == 1


def test_a_pipeline_that_does_not_fit_is_not_found() -> None:
    world = make_world()
    mr = open_mr(world)
    post(world, mr.head_sha, "success")
    places: list[Where] = [{"pipeline_id": 99}, {"pipeline_id": 1, "ref": "main"}]
    for where in places:
        status, said = refused(partial(post, world, mr.head_sha, "success", **where))
        assert (status, said) == (404, "404 Pipeline for pipeline_id, sha and ref Not Found")


def test_statuses_need_a_known_commit_and_a_developer() -> None:
    world = make_world()
    mr = open_mr(world)
    assert refused(lambda: post(world, "0" * 40, "success")) == (404, "404 Commit Not Found")
    draft = StatusDraft(state="success")
    reporter = world.user("reporter")
    head = str(mr.head_sha)
    act = partial(actions.set_commit_status, world, reporter, mr.project, head, draft)
    assert refused(act)[0] == 403


def test_a_developer_sets_no_status_on_a_protected_branch() -> None:
    world = make_world()
    head = world.project(PROJECT).repository.branches["main"]
    assert refused(lambda: post(world, head, "success"))[0] == 403


def fork_mr(world: World) -> MergeRequest:
    stranger, project = world.user("outsider"), world.project(PROJECT)
    fork = actions.fork_project(world, stranger, project)
    actions.push(world, stranger, fork, "mine", CommitDraft(message="m", changes={"x": b"1"}))
    draft = MergeRequestDraft(
        title="x", source_branch="mine", target_branch="main", source_project=fork
    )
    return actions.open_merge_request(world, stranger, project, draft)


def test_a_fork_s_head_has_no_reference_in_the_target_project() -> None:
    world = make_world()
    mr = fork_mr(world)
    problem = refused(lambda: post(world, mr.head_sha, "success"))
    assert problem == (404, "404 References for commit Not Found")
    job = post(world, mr.head_sha, "success", ref="made-up")
    assert job.pipeline.ref == "made-up"
    assert actions.find_head_pipeline(mr) is None


def test_a_full_pipeline_takes_no_more_jobs() -> None:
    world = make_world()
    mr = open_mr(world)
    pipeline = post(world, mr.head_sha, "success").pipeline
    pipeline.jobs *= act_pipelines.MAX_JOBS
    status, said = refused(lambda: post(world, mr.head_sha, "success", "b", pipeline_id=1))
    assert (status, said) == (422, "The number of jobs has exceeded the limit")
    assert post(world, mr.head_sha, "success", "b").pipeline is not pipeline


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ([], "created"),
        (["success"], "success"),
        (["success", "failed"], "failed"),
        (["success", "pending"], "running"),
        (["failed", "pending"], "pending"),
        (["running", "failed"], "running"),
        (["canceled", "success"], "canceled"),
        (["skipped", "success"], "success"),
        (["skipped"], "skipped"),
    ],
)
def test_a_pipeline_stands_as_its_jobs_do(states: list[str], expected: str) -> None:
    world = make_world()
    mr = open_mr(world)
    author, head = world.user("author"), str(mr.head_sha)
    start = Start(project=mr.project, user=author, sha=head, ref="change", source="push")
    pipeline = actions.create_pipeline(world, start)
    for number, state in enumerate(states):
        actions.add_job(world, pipeline, f"job {number}", state)
    assert pipeline.status == expected


def test_only_the_merge_request_s_own_pipeline_counts_where_there_is_one() -> None:
    world = make_world()
    project = world.project(PROJECT)
    project.settings.pipelines = "merge_request_event"
    project.settings.pipelines_must_succeed = True
    mr = open_mr(world)
    own = actions.find_head_pipeline(mr)
    assert own is not None
    assert (own.source, own.ref) == ("merge_request_event", "refs/merge-requests/1/head")
    assert assess_merge(world, mr) == "mergeable"
    elsewhere = post(world, mr.head_sha, "failed", ref="change").pipeline
    assert elsewhere is not own
    assert actions.find_head_pipeline(mr) is own
    assert assess_merge(world, mr) == "mergeable"
    post(world, mr.head_sha, "pending", pipeline_id=own.id)
    assert assess_merge(world, mr) == "ci_still_running"


def test_a_push_pipeline_runs_in_the_source_project_at_every_push() -> None:
    world = make_world()
    project = world.project(PROJECT)
    project.settings.pipelines = "push"
    mr = open_mr(world)
    first = actions.find_head_pipeline(mr)
    draft = CommitDraft(message="x", changes={"x": b"1"})
    actions.push(world, world.user("author"), project, "change", draft)
    second = actions.find_head_pipeline(mr)
    assert first is not None
    assert second is not None
    assert (first.sha != second.sha, second.sha) == (True, mr.head_sha)


def test_opening_a_merge_request_starts_no_second_push_pipeline() -> None:
    world = make_world()
    project = world.project(PROJECT)
    project.settings.pipelines = "push"
    open_mr(world)
    assert [each.source for each in project.pipelines] == ["push"]


def with_check(world: World) -> tuple[MergeRequest, StatusCheck]:
    mr = open_mr(world)
    check = StatusCheck(id=3, name="gate", external_url="http://example.com/")
    mr.project.status_checks.append(check)
    return mr, check


def test_a_check_is_pending_then_failed_after_two_minutes_until_answered() -> None:
    world = make_world(tier="ultimate")
    mr, check = with_check(world)
    developer = world.user("developer")
    assert actions.check_status(world, mr, check) == "pending"
    world.now += timedelta(minutes=3)
    assert actions.check_status(world, mr, check) == "failed"
    actions.answer_check(world, developer, mr, check, (str(mr.head_sha), "passed"))
    assert actions.check_status(world, mr, check) == "passed"


def test_an_answer_counts_for_the_present_head_only() -> None:
    world = make_world(tier="ultimate")
    mr, check = with_check(world)
    mr.project.settings.checks_must_succeed = True
    developer, old = world.user("developer"), str(mr.head_sha)
    actions.answer_check(world, developer, mr, check, (old, "passed"))
    assert assess_merge(world, mr) == "mergeable"
    draft = CommitDraft(message="x", changes={"x": b"1"})
    actions.push(world, world.user("author"), mr.project, "change", draft)
    assert assess_merge(world, mr) == "status_checks_must_pass"
    answer = (old, "passed")
    assert refused(lambda: actions.answer_check(world, developer, mr, check, answer))[0] == 409


def test_only_who_may_approve_answers_a_check() -> None:
    world = make_world(tier="ultimate")
    mr, check = with_check(world)
    answer = (str(mr.head_sha), "passed")
    for name in ("author", "reporter"):
        act = partial(actions.answer_check, world, world.user(name), mr, check, answer)
        assert refused(act)[0] == 403


def test_only_a_failed_check_is_retried() -> None:
    world = make_world(tier="ultimate")
    mr, check = with_check(world)
    developer = world.user("developer")
    assert refused(lambda: actions.retry_check(world, developer, mr, check))[0] == 422
    actions.answer_check(world, developer, mr, check, (str(mr.head_sha), "failed"))
    actions.retry_check(world, developer, mr, check)
    assert actions.check_status(world, mr, check) == "pending"
