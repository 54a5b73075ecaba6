"""REST: commit statuses, external status checks, pipeline triggers."""

# One module: statuses, checks and triggers: all that others tell GitLab before a merge.

from collections.abc import Mapping

from bot.sandbox.acts import actions
from bot.sandbox.acts.pipelines import StatusDraft, check_status, find_check
from bot.sandbox.rest.code_entities import render_pipeline_detail, render_status
from bot.sandbox.rest.core import Answer, Call, endpoint, paged
from bot.sandbox.rest.kinds import Kind, offer
from bot.sandbox.rest.merge_request_entities import render_merge_request
from bot.sandbox.rest.params import PAGING, takes
from bot.sandbox.rest.people_entities import expose
from bot.sandbox.rest.settings import render_protection
from bot.sandbox.world.access import can_push, demand, find_level, required
from bot.sandbox.world.entities import (
    CommitStatus,
    Level,
    Project,
    Start,
    StatusCheck,
    TriggerToken,
)
from bot.sandbox.world.state import RefusedError

SHOWN = "id name external_url"
CHECKS = "/projects/{id}/external_status_checks"
MR_CHECKS = "/projects/{id}/merge_requests/{merge_request_iid}/status_checks"
RESPONSES = "/projects/{id}/merge_requests/{merge_request_iid}/status_check_responses"
# Who may pass pipeline variables, by the setting's words.
PASSING = {
    "no_one_allowed": 1_000,
    "developer": Level.DEVELOPER,
    "maintainer": Level.MAINTAINER,
    "owner": Level.OWNER,
}
PAYLOAD_EXEMPT = (18, 5)


@endpoint(
    "POST",
    "/projects/{id}/statuses/{sha}",
    short="ref name context target_url description",
    integer="pipeline_id",
    number="coverage",
    required="state",
    choices={"state": "pending running success failed canceled skipped"},
)
def set_status(call: Call) -> object:
    """Post a commit status."""
    given = dict(call.params)
    name = given.pop("context", "")
    draft = StatusDraft(**given | {"name": given.get("name") or name or "default"})
    job = actions.set_commit_status(call.world, call.actor, call.project, call.path["sha"], draft)
    return render_status(call.world, job)


@endpoint(
    "GET",
    "/projects/{id}/repository/commits/{sha}/statuses",
    PAGING,
    text="ref stage name",
    integer="pipeline_id",
    flag="all",
    choices={"order_by": "id pipeline_id", "sort": "asc desc"},
)
def list_statuses(call: Call) -> Answer:
    """List the statuses of a commit; those done over only with `all`.

    Not even those of a public project are for everybody (GitLab, lib/api/commit_statuses.rb).
    """
    demand(call.user is not None, 401)
    commit, given = call.commit(call.path["sha"]), call.params
    jobs = [
        job
        for pipeline in call.project.pipelines
        if pipeline.sha == commit.sha and given.get("pipeline_id", pipeline.id) == pipeline.id
        for job in pipeline.jobs
    ]
    found = [job for job in jobs if _is_wanted(job, given)]
    order = given.get("order_by", "id")
    found.sort(
        key=lambda job: (job.pipeline.id if order == "pipeline_id" else job.id, job.id),
        reverse=given.get("sort") == "desc",
    )
    return paged(call, found, lambda job: render_status(call.world, job))


def _is_wanted(job: CommitStatus, given: Mapping[str, object]) -> bool:
    named = all(
        getattr(job, name) == given[name] for name in ("ref", "stage", "name") if name in given
    )
    return named and (bool(given.get("all")) or not job.retried)


def _demand_checks(call: Call) -> None:
    demand(call.actor is not None and call.level >= Level.DEVELOPER)
    demand(call.project.settings.ultimate, 404)


def _render_check(call: Call, check: StatusCheck) -> dict[str, object]:
    return {
        **expose(check, SHOWN),
        "project_id": call.project.id,
        "protected_branches": [render_protection(call, each) for each in check.branches],
        "hmac": check.shared_secret is not None,
    }


def _keep_checks(call: Call) -> list[StatusCheck]:
    _demand_checks(call)
    return call.project.status_checks


def _make_check(call: Call) -> StatusCheck:
    given = call.params
    asked, project = given.get("protected_branch_ids", []), call.project
    ids = {render_protection(call, each)["id"]: each for each in project.protected_branches}
    demand(set(asked) <= set(ids), 404)
    return StatusCheck(
        id=call.world.next_id("status_check"),
        branches=tuple(ids[each] for each in asked),
        name=given["name"],
        external_url=given["external_url"],
        shared_secret=given.get("shared_secret"),
    )


offer(
    Kind(
        at=CHECKS,
        key="check_id",
        fields=takes(
            text="shared_secret",
            short="name external_url",
            integers="protected_branch_ids",
            required="name external_url",
        ),
        keep=_keep_checks,
        make=_make_check,
        tell=_render_check,
        ways=("list", "create"),
        reads=Level.DEVELOPER,
        writes=Level.MAINTAINER,
        unique="name external_url",
    )
)


@endpoint("GET", MR_CHECKS, PAGING, open=False)
def list_merge_request_checks(call: Call) -> Answer:
    """List how the checks stand at the head of a merge request, in pages (ee status_checks.rb)."""
    _demand_checks(call)

    def render(check: StatusCheck) -> object:
        status = check_status(call.world, call.merge_request, check)
        return expose(check, SHOWN) | {"status": status}

    return paged(call, call.project.status_checks, render)


@endpoint(
    "POST",
    RESPONSES,
    text="sha",
    integer="external_status_check_id",
    required="external_status_check_id sha status",
    choices={"status": "passed failed pending"},
)
def answer_check(call: Call) -> object:
    """Answer an external status check."""
    _demand_checks(call)
    given, mr = call.params, call.merge_request
    check = find_check(call.project, given["external_status_check_id"])
    said = (given["sha"], given["status"])
    answer = actions.answer_check(call.world, call.actor, mr, check, said)
    return {
        "id": answer.id,
        "merge_request": render_merge_request(call.world, mr, call.user),
        "external_status_check": expose(check, SHOWN),
    }


@endpoint("POST", MR_CHECKS + "/{external_status_check_id}/retry")
def retry_check(call: Call) -> Answer:
    """Set a failed check to pending again."""
    _demand_checks(call)
    check = find_check(call.project, call.number("external_status_check_id"))
    actions.retry_check(call.world, call.actor, call.merge_request, check)
    return Answer(status=202, body={"message": "202 Accepted"})


@endpoint("POST", "/projects/{id}/trigger/pipeline", open=True, free=True)
@endpoint("POST", "/projects/{id}/ref/{ref}/trigger/pipeline", open=True, free=True)
def trigger_pipeline(call: Call) -> object:
    """Start a pipeline by trigger token; all other parameters become TRIGGER_PAYLOAD."""
    if call.headers.get("X-Gitlab-Event") == "Pipeline Hook":
        raise RefusedError(403, "403 Forbidden")
    given = dict(call.params)
    token = given.pop("token", None)
    if not isinstance(token, str):
        raise RefusedError(400, "token is missing", key="error")
    project = required(call.world.find_project(call.path["id"]))
    trigger = required(next((each for each in project.triggers if each.value == token), None))
    ref = call.path.get("ref") or given.get("ref")
    if not isinstance(ref, str):
        raise RefusedError(400, "ref is missing", key="error")
    variables = _read_variables(given.get("variables"))
    _admit(call, project, trigger, ref, variables)
    required(project.repository.find_commit(ref), {"base": ["Reference not found"]}, 400)
    start = required(call.world.trigger, {"base": ["The stand-in runs no pipelines"]}, 400)
    trigger.last_used = call.world.now
    asked = Start(
        project=project,
        ref=ref,
        source="trigger",
        user=trigger.owner,
        variables=variables,
        payload={**given, "id": call.path["id"], "ref": ref},
        short_token=trigger.value[:4],
    )
    return render_pipeline_detail(call.world, start(asked))


def _admit(
    call: Call, project: Project, trigger: TriggerToken, ref: str, variables: Mapping[str, str]
) -> None:
    """Refuse what the owner of the trigger token may not do.

    lib/gitlab/ci/pipeline/chain/validate/abilities.rb, chain/build/associations.rb, and
    gitlab-org/gitlab#557381: until 18.5 even TRIGGER_PAYLOAD counted as a passed variable.
    """
    owner, today = trigger.owner, call.today
    if owner.state != "active" or find_level(owner, project, today) < Level.DEVELOPER:
        raise RefusedError(400, {"base": ["Insufficient permissions to create a new pipeline"]})
    if not can_push(owner, project, ref, today):
        words = f"You do not have sufficient permission to run a pipeline on '{ref}'. "
        words += "Please select a different branch or contact your administrator for assistance."
        raise RefusedError(400, {"base": [words]})
    least = PASSING[project.settings.pipeline_variables_role]
    guarded = bool(variables) or _version(call) < PAYLOAD_EXEMPT
    if guarded and find_level(owner, project, today) < least:
        raise RefusedError(400, {"base": ["Insufficient permissions to set pipeline variables"]})


def _version(call: Call) -> tuple[int, int]:
    major, minor, *_ = call.world.version.split(".")
    return int(major), int(minor)


def _read_variables(given: object) -> Mapping[str, str]:
    if given is None:
        return {}
    if not isinstance(given, dict) or not all(isinstance(each, str) for each in given.values()):
        raise RefusedError(400, "variables needs to be a map of key-valued strings")
    return given
