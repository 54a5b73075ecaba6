"""The parts that webhook bodies are made of: people, projects, labels, commits."""

from datetime import datetime
from typing import Any

from bot.sandbox.world.entities import Label, MergeRequest, Project, Reviewer, User
from bot.sandbox.world.exposing import expose_fields
from bot.sandbox.world.repository import Commit
from bot.sandbox.world.state import World

Body = dict[str, Any]
VISIBILITY = {"private": 0, "internal": 10, "public": 20}
_UNCHECKED = frozenset({"preparing", "checking", "unchecked"})
_UNMERGEABLE = frozenset({"commits_status", "conflict"})


def write_time(at: datetime | None) -> str | None:
    """Write a time as webhook bodies have it."""
    return None if at is None else at.strftime("%Y-%m-%d %H:%M:%S UTC")


def expose(source: object, names: str) -> Body:
    """Tell fields that are called here as in webhook bodies."""
    return expose_fields(source, names, write_time)


def describe_user(world: World, user: User) -> Body:
    """Describe a person; their address is nobody's business."""
    return {
        **expose(user, "id name username"),
        "avatar_url": f"{world.external_url}/uploads/-/system/user/avatar/{user.id}/avatar.png",
        "email": "[REDACTED]",
    }


def describe_reviewer(world: World, reviewer: Reviewer) -> Body:
    """Describe somebody asked for a review."""
    return describe_user(world, reviewer.user) | expose(reviewer, "state re_requested")


def describe_label(label: Label, project: Project) -> Body:
    """Describe a project's label."""
    made = write_time(project.created_at)
    return {
        **expose(label, "id color description"),
        "title": label.name,
        "project_id": project.id,
        "created_at": made,
        "updated_at": made,
        "template": False,
        "type": "ProjectLabel",
        "group_id": None,
    }


def describe_project(world: World, project: Project) -> Body:
    """Describe a project as present merge request events do."""
    url = f"{world.external_url}/{project.path_with_namespace}"
    return {
        **expose(project, "id name description path_with_namespace default_branch"),
        "web_url": url,
        "avatar_url": None,
        "git_ssh_url": f"ssh://git@127.0.0.1/{project.path_with_namespace}.git",
        "git_http_url": f"{url}.git",
        "namespace": project.path_with_namespace.rsplit("/", 1)[0],
        "visibility_level": VISIBILITY[project.visibility],
        "ci_config_path": project.settings.ci_config_path or None,
    }


def describe_older_project(world: World, project: Project) -> Body:
    """Describe a project with the deprecated addresses that some events still have."""
    now = describe_project(world, project)
    return now | {
        "homepage": now["web_url"],
        "url": now["git_ssh_url"],
        "ssh_url": now["git_ssh_url"],
        "http_url": now["git_http_url"],
    }


def describe_repository(world: World, project: Project) -> Body:
    """Describe the repository, a deprecated part."""
    now = describe_project(world, project)
    return {
        "name": project.name,
        "url": now["git_ssh_url"],
        "description": project.description,
        "homepage": now["web_url"],
    }


def describe_last_commit(world: World, mr: MergeRequest) -> Body | None:
    """Describe the head of a merge request."""
    commit = mr.project.repository.store.commits.get(mr.head_sha or "")
    if commit is None:
        return None
    return describe_commit(world, mr.source_project or mr.project, commit)


def describe_commit(world: World, project: Project, commit: Commit) -> Body:
    """Describe a commit of a project."""
    return {
        "id": commit.sha,
        "message": commit.message,
        "title": commit.title,
        "timestamp": commit.committer.at.isoformat(),
        "url": f"{world.external_url}/{project.path_with_namespace}/-/commit/{commit.sha}",
        "author": {"name": commit.author.name, "email": commit.author.email},
    }


def describe_approval_rule(mr: MergeRequest) -> Body:
    """Describe the rule that any member's approval counts for (Premium)."""
    made = write_time(mr.created_at)
    absent = (
        "report_type", "section", "orchestration_policy_idx", "scan_result_policy_id",
        "security_orchestration_policy_configuration_id", "applicable_post_merge",
        "approval_policy_rule_id",
    )  # fmt: skip
    return dict.fromkeys(absent) | {
        "id": mr.id,
        "approvals_required": mr.project.settings.approvals_required,
        "name": "All Members",
        "rule_type": "any_approver",
        "merge_request_id": mr.id,
        "modified_from_project_rule": False,
        "vulnerabilities_allowed": 0,
        "scanners": [],
        "severity_levels": [],
        "vulnerability_states": ["new_needs_triage", "new_dismissed"],
        "project_id": mr.project.id,
        "created_at": made,
        "updated_at": made,
    }


def merge_status(detailed: str) -> str:
    """Translate the detailed merge status into the deprecated one."""
    if detailed in _UNCHECKED:
        return "checking"
    return "cannot_be_merged" if detailed in _UNMERGEABLE else "can_be_merged"


def merge_request_url(world: World, mr: MergeRequest) -> str:
    """Build the address of a merge request's page."""
    return f"{world.external_url}/{mr.project.path_with_namespace}/-/merge_requests/{mr.iid}"
