"""REST: the parts of a merge request: approvals, reviewers, diffs, commits, pipelines."""

# One module: one row or short endpoint for each address below a merge request.

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from bot.sandbox.acts import actions
from bot.sandbox.acts.merging import has_conflicts
from bot.sandbox.acts.pipelines import merge_request_pipelines
from bot.sandbox.rest.code_entities import render_commit, render_pipeline
from bot.sandbox.rest.core import Answer, Call, endpoint, paged
from bot.sandbox.rest.merge_request_entities import (
    commits_of,
    render_merge_request,
    render_version,
    shown_diff,
)
from bot.sandbox.rest.params import PAGING, takes
from bot.sandbox.rest.people_entities import expose, render_issuable, render_user, stamp
from bot.sandbox.world.access import can_approve, demand, required
from bot.sandbox.world.diffs import MAX_FILES, FileChange, diff_of, render_diff
from bot.sandbox.world.entities import Level, MergeRequest, Reviewer, StateEvent, User

MR = "/projects/{id}/merge_requests/{merge_request_iid}"


@endpoint("POST", MR + "/approve", text="sha")
def approve(call: Call) -> object:
    """Approve."""
    actions.approve(call.world, call.actor, call.merge_request, call.params.get("sha"))
    return show_approvals(call)


@endpoint("POST", MR + "/unapprove")
def unapprove(call: Call) -> object:
    """Take an approval back."""
    actions.unapprove(call.world, call.actor, call.merge_request)
    return show_approvals(call)


@endpoint("GET", MR + "/approvals")
def show_approvals(call: Call) -> object:
    """Tell who approved, in the shape of the edition."""
    mr = call.merge_request
    has_approved = call.user in mr.approvals
    state: dict[str, object] = {
        "user_has_approved": has_approved,
        # `eligible_for_approval_by?` of app/models/concerns/approvable.rb.
        "user_can_approve": can_approve(call.user, mr, call.today) and not has_approved,
        "approved": bool(mr.approvals),
        "approved_by": [
            {"user": render_user(call.world, person), "approved_at": stamp(at)}
            for person, at in mr.approvals.items()
        ],
    }
    return state | _render_enterprise(mr) if call.world.version.endswith("-ee") else state


def _render_enterprise(mr: MergeRequest) -> dict[str, object]:
    """Render what every Enterprise edition, licensed or not, tells besides.

    ee/lib/ee/api/entities/approval_state.rb; the merge request itself comes first.
    """
    settings = mr.project.settings
    required = settings.approvals_required if settings.premium else 0
    left = max(0, required - len(mr.approvals))
    return {
        **render_issuable(mr, mr.project),
        "merge_status": "cannot_be_merged" if has_conflicts(mr) else "can_be_merged",
        "approved": not left,
        "approvals_required": required,
        "approvals_left": left,
        "require_password_to_approve": False,
        "suggested_approvers": [],
        "approvers": [],
        "approver_groups": [],
        "approval_rules_left": [],
        "has_approval_rules": False,
        "merge_request_approvers_available": settings.premium,
        "multiple_approval_rules_available": settings.premium,
        "invalid_approvers_rules": [],
    }


@endpoint("PUT", MR + "/reset_approvals")
def reset_approvals(call: Call) -> Answer:
    """Drop all approvals; only bots with a token may (ee/lib/ee/api/merge_request_approvals.rb)."""
    mr = call.merge_request
    demand(call.actor.bot and call.level >= Level.DEVELOPER, 401)
    with call.world.writing():
        mr.approvals.clear()
    return Answer(status=202, body={"message": "202 Accepted"})


# ee/lib/ee/api/entities/approval_settings.rb; what the settings here call it.
CONFIGURATION = {
    "approvals_before_merge": "approvals_required",
    "reset_approvals_on_push": "reset_approvals_on_push",
    "merge_requests_author_approval": "author_approval",
}


@endpoint("GET", "/projects/{id}/approvals", open=False)
def show_approval_settings(call: Call) -> object:
    """Tell how a project handles approvals."""
    demand(call.level >= Level.MAINTAINER)
    settings = call.project.settings
    told = {name: getattr(settings, attribute) for name, attribute in CONFIGURATION.items()}
    fixed = [
        "disable_overriding_approvers_per_merge_request", "require_password_to_approve",
        "merge_requests_disable_committers_approval", "selective_code_owner_removals",
    ]  # fmt: skip
    return {"approvers": [], "approver_groups": [], **told, **dict.fromkeys(fixed, False)}


CONFIGURED = takes(flag=" ".join(CONFIGURATION), integer="approvals_before_merge")


@endpoint("POST", "/projects/{id}/approvals", CONFIGURED)
def edit_approval_settings(call: Call) -> object:
    """Change how a project handles approvals."""
    demand(call.level >= Level.MAINTAINER)
    with call.world.writing():
        for name, value in call.params.items():
            setattr(call.project.settings, CONFIGURATION[name], value)
    return show_approval_settings(call)


@endpoint("PUT", MR + "/rebase", flag="skip_ci")
def rebase(call: Call) -> Answer:
    """Rebase the source branch onto the target; GitLab does it later, and here it is done."""
    actions.rebase(call.world, call.actor, call.merge_request)
    return Answer(status=202, body={"rebase_in_progress": False})


@endpoint("GET", MR + "/merge_ref")
def show_merge_ref(call: Call) -> object:
    """Tell of the commit that a merge with the target gives now (lib/api/merge_requests.rb)."""
    return {"commit_id": actions.make_merge_ref(call.code_merge_request)}


@endpoint("POST", MR + "/subscribe")
@endpoint("POST", MR + "/unsubscribe")
def subscribe(call: Call) -> Answer:
    """Hear of it from now on, or no more; 304 where that is so (lib/api/subscriptions.rb)."""
    mr, wanted = call.merge_request, not call.url.endswith("/unsubscribe")
    changed = mr.follows(call.actor) is not wanted
    mr.subscribed[call.actor] = wanted
    body = render_merge_request(call.world, mr, call.actor)
    return Answer(status=201 if changed else 304, body=body)


def _rule(call: Call, mr: MergeRequest) -> dict[str, object]:
    """Render the one rule there is, that any member meets."""
    required = mr.project.settings.approvals_required
    people = [render_user(call.world, each) for each in mr.approvals]
    return {
        "id": mr.id,
        "name": "All Members",
        "rule_type": "any_approver",
        "eligible_approvers": [],
        "approvals_required": required,
        "users": [],
        "groups": [],
        "contains_hidden_groups": False,
        "approved_by": people,
        "approved": len(people) >= required,
    }


@endpoint("GET", MR + "/approval_state")
def show_approval_state(call: Call) -> object:
    """Tell the approval rules and what became of them."""
    rules = [_rule(call, call.merge_request)]
    return {"approval_rules_overwritten": False, "rules": rules}


def participants(mr: MergeRequest) -> list[User]:
    """List author, assignees, reviewers and commenters, each once."""
    people = [mr.author, *mr.assignees, *(each.user for each in mr.reviewers)]
    people += [note.author for note in mr.comments if not note.internal]
    return list(dict.fromkeys(people))


def _render(call: Call, change: FileChange) -> dict[str, object]:
    store = call.project.repository.store
    return render_diff(store, change, unidiff=call.params.get("unidiff", False))


@endpoint("GET", MR + "/diffs", PAGING, flag="unidiff")
def list_diffs(call: Call) -> Answer:
    """List the changed files; more than GitLab keeps are cut without a word."""
    mr = call.code_merge_request
    found = diff_of(mr, shown_diff(mr))[:MAX_FILES]
    return paged(call, found, lambda change: _render(call, change))


@endpoint("GET", MR + "/changes", flag="unidiff")
def show_changes(call: Call) -> object:
    """Tell of a merge request with its changed files."""
    mr = call.code_merge_request
    found = diff_of(mr, shown_diff(mr))
    body = render_merge_request(call.world, mr, call.user)
    body["changes"] = [_render(call, change) for change in found[:MAX_FILES]]
    body["overflow"] = len(found) > MAX_FILES
    return body


@endpoint("GET", MR + "/versions/{version_id}", flag="unidiff")
def show_version(call: Call) -> object:
    """Tell of one version of the diff."""
    mr = call.code_merge_request
    number = call.number("version_id")
    version = required(next((each for each in mr.versions if each.id == number), None))
    body = render_version(mr, version)
    commits = commits_of(mr, version)
    body["commits"] = [render_commit(call.world, call.project, each) for each in commits]
    body["diffs"] = [_render(call, change) for change in diff_of(mr, version)]
    return body


def _render_reviewer(call: Call, reviewer: Reviewer) -> dict[str, object]:
    told = expose(reviewer, "state created_at")
    return told | {"user": render_user(call.world, reviewer.user)}


def _render_state_event(call: Call, event: StateEvent) -> dict[str, object]:
    return {
        **expose(event, "id state created_at"),
        "user": render_user(call.world, event.user),
        "resource_type": "MergeRequest",
        "resource_id": call.merge_request.id,
    }


# lib/api/merge_requests.rb and its neighbours give all of these in pages: what is listed, and how
# each is told. There are no issues that a merge request closes.
LISTS: Mapping[str, tuple[Callable[[Call], Sequence[Any]], Callable[[Call, Any], object]]] = {
    "closes_issues": (lambda call: [call.merge_request][:0], lambda _call, _issue: {}),
    "related_issues": (lambda call: [call.merge_request][:0], lambda _call, _issue: {}),
    "approval_rules": (lambda call: [call.merge_request], _rule),
    "reviewers": (lambda call: call.merge_request.reviewers, _render_reviewer),
    "participants": (
        lambda call: participants(call.merge_request),
        lambda call, user: render_user(call.world, user),
    ),
    "commits": (
        lambda call: commits_of(call.code_merge_request),
        lambda call, commit: render_commit(call.world, call.project, commit),
    ),
    "pipelines": (
        lambda call: merge_request_pipelines(call.merge_request),
        lambda call, pipeline: render_pipeline(call.world, pipeline),
    ),
    "resource_state_events": (lambda call: call.merge_request.state_events, _render_state_event),
    "versions": (
        lambda call: call.merge_request.versions[::-1],
        lambda call, version: render_version(call.merge_request, version),
    ),
}


def _list_parts(name: str, call: Call) -> Answer:
    find, render = LISTS[name]
    return paged(call, find(call), partial(render, call))


for _name in LISTS:
    endpoint("GET", f"{MR}/{_name}", PAGING)(partial(_list_parts, _name))
