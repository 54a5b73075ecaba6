"""How projects and groups look in the REST interface."""

# One module: half of it is the table of what all projects have and nobody changes.

from datetime import datetime
from typing import Any

from bot.sandbox.rest.core import Call
from bot.sandbox.rest.people_entities import expose, render_namespace, render_user, stamp, web_url
from bot.sandbox.world.access import can_read, can_read_merge_requests, find_level
from bot.sandbox.world.entities import Group, Level, Project

# lib/api/entities/project.rb and ee/lib/ee/api/entities/project.rb: what a new project has and
# nobody can change here.
_OFF = (
    "wiki_enabled", "snippets_enabled", "container_registry_enabled",
    "service_desk_enabled", "packages_enabled", "emails_disabled", "auto_devops_enabled",
    "mr_default_target_self", "resolve_outdated_diff_discussions", "public_jobs",
    "ci_forward_deployment_rollback_allowed", "ci_separated_caches", "group_runners_enabled",
    "ci_allow_fork_pipelines_to_run_in_parent_project", "ci_job_token_scope_enabled",
    "ci_push_repository_for_job_token_allowed", "protect_merge_request_pipelines",
    "ci_display_pipeline_variables", "ci_skip_branch_pipelines_for_mrs",
    "restrict_user_defined_variables", "request_access_enabled",
    "remove_source_branch_after_merge", "automatic_rebase_enabled", "mirror",
    "requirements_enabled",
    "security_and_compliance_enabled", "secret_push_protection_enabled", "merge_pipelines_enabled",
    "merge_trains_enabled",
    "pre_receive_secret_detection_enabled", "shared_runners_enabled",
    "merge_trains_skip_train_allowed", "allow_pipeline_trigger_approve_deployment",
    "prevent_merge_without_jira_issue", "auto_duo_code_review_enabled", "cicd_catalog_enabled",
    "duo_remote_flows_enabled", "duo_foundational_flows_enabled", "duo_sast_fp_detection_enabled",
    "duo_secret_detection_fp_enabled", "duo_dependency_bump_breaking_changes_enabled",
    "duo_sast_vr_workflow_enabled", "web_based_commit_signing_enabled",
    "spp_repository_pipeline_access", "security_policy_pipeline_must_succeed",
)  # fmt: skip
_ON = (
    "jobs_enabled", "lfs_enabled", "emails_enabled",
    "show_diff_preview_in_email", "ci_forward_deployment_enabled", "keep_latest_artifact",
    "printing_merge_request_link_enabled", "enforce_auth_checks_on_uploads",
    "warn_about_potentially_unwanted_characters", "autoclose_referenced_issues",
)  # fmt: skip
_ABSENT = (
    "license_url", "license", "avatar_url", "marked_for_deletion_at", "marked_for_deletion_on",
    "container_expiration_policy", "service_desk_address", "import_url", "import_type",
    "import_error", "ci_delete_pipelines_in_seconds", "runner_token_expiration_interval",
    "suggestion_commit_message", "merge_commit_template", "squash_commit_template",
    "mr_default_title_template", "issue_branch_template", "max_artifacts_size", "mirror_user_id",
    "mirror_trigger_builds", "only_mirror_protected_branches",
    "mirror_overwrites_diverged_branches",
    "issues_template", "merge_requests_template", "max_pipelines_per_merge_train",
    "reviewer_assignment_strategy", "merge_request_title_regex",
    "merge_request_title_regex_description", "custom_attributes",
)  # fmt: skip
_LEVELS = (
    "issues", "wiki", "snippets", "pages", "analytics", "container_registry", "requirements",
    "security_and_compliance", "releases", "environments", "feature_flags", "infrastructure",
    "monitor", "model_experiments", "model_registry", "package_registry",
)  # fmt: skip
CONSTANT: dict[str, Any] = {
    **dict.fromkeys(_ABSENT),
    **dict.fromkeys(_OFF, False),
    **dict.fromkeys(_ON, True),
    **{f"{name}_access_level": "disabled" for name in _LEVELS},
    "releases_access_level": "enabled",
    "forking_access_level": "enabled",
    "tag_list": [],
    "topics": [],
    "compliance_frameworks": [],
    "ci_id_token_sub_claim_components": ["project_path", "ref_type", "ref"],
    "star_count": 0,
    "approvals_before_merge": 0,
    "ci_default_git_depth": 20,
    "build_timeout": 3600,
    "merge_method": "merge",
    "squash_option": "default_off",
    "build_git_strategy": "fetch",
    "auto_cancel_pending_pipelines": "enabled",
    "auto_devops_deploy_strategy": "continuous",
    "resource_group_default_process_mode": "unordered",
    "repository_object_format": "sha1",
    "repository_storage": "default",
    "import_status": "none",
    "merge_train_enforcement": "disabled",
    "external_authorization_classification_label": "",
    "ci_restrict_pipeline_cancellation_role": "developer",
}
# GitLab's names of what has an effect here.
ATTRIBUTES = {
    "only_allow_merge_if_pipeline_succeeds": "pipelines_must_succeed",
    "only_allow_merge_if_all_status_checks_passed": "checks_must_succeed",
    "only_allow_merge_if_all_discussions_are_resolved": "threads_must_be_resolved",
    "ci_pipeline_variables_minimum_override_role": "pipeline_variables_role",
    "allow_merge_on_skipped_pipeline": "skipped_is_success",
    "ci_config_path": "ci_config_path",
}
SIMPLE = (
    "id", "description", "name", "name_with_namespace", "path", "path_with_namespace", "created_at",
    "default_branch", "tag_list", "topics", "ssh_url_to_repo", "http_url_to_repo", "web_url",
    "readme_url", "forks_count", "avatar_url", "star_count", "last_activity_at", "visibility",
    "namespace",
)  # fmt: skip


def render_project(call: Call, project: Project) -> dict[str, Any]:
    """Render a project for the caller."""
    # One function: one entity, field by field.
    world, settings = call.world, project.settings
    url = web_url(world, project.path_with_namespace)
    level = find_level(call.user, project, call.today)
    last = last_activity(project)
    readable = can_read_merge_requests(call.user, project, call.today)
    body: dict[str, Any] = (
        CONSTANT
        | project.told
        | {
            **expose(project, "id name description default_branch visibility archived created_at"),
            "description_html": project.description or "",
            "name_with_namespace": project.path_with_namespace.replace("/", " / "),
            "path": project.path_with_namespace.rsplit("/", 1)[-1],
            "path_with_namespace": project.path_with_namespace,
            "updated_at": stamp(last),
            "last_activity_at": stamp(last),
            "http_url_to_repo": f"{url}.git",
            "ssh_url_to_repo": f"git@127.0.0.1:{project.path_with_namespace}.git",
            "web_url": url,
            "readme_url": f"{url}/-/blob/{project.default_branch}/README.md",
            "forks_count": sum(each.forked_from is project for each in world.projects.values()),
            "namespace": render_namespace(
                world,
                project.group or project.owner,
                project.path_with_namespace.rpartition("/")[0],
            ),
            "container_registry_image_prefix": project.path_with_namespace.lower(),
            "creator_id": project.owner.id if project.owner else 1,
            "_links": _links(call, project),
            "empty_repo": not project.repository.branches,
            "merge_requests_enabled": readable,
            "issues_enabled": project.issues_access != "disabled",
            "open_issues_count": sum(each.state == "opened" for each in project.issues.values()),
            "can_create_merge_request_in": readable and call.user is not None,
            "shared_with_groups": render_shares(project),
            **{name: getattr(settings, attribute) for name, attribute in ATTRIBUTES.items()},
        }
    )
    if not settings.ultimate:
        del body["only_allow_merge_if_all_status_checks_passed"]
    if project.owner is not None:
        body["owner"] = render_user(world, project.owner)
    above = project.forked_from
    if above is not None and can_read(call.user, above, call.today):
        told = render_project(call, above)
        body["forked_from_project"] = {name: told[name] for name in SIMPLE}
    if level < Level.MAINTAINER:
        # The CI/CD settings are for those who may change them.
        del body["ci_pipeline_variables_minimum_override_role"]
    return body | _for_members(call, project, level)


def last_activity(project: Project) -> datetime:
    """Return when something last happened in a project."""
    return max([project.created_at, *(mr.updated_at for mr in project.merge_requests.values())])


def render_shares(place: Project | Group) -> list[dict[str, Any]]:
    """Render the groups that are invited to a place."""
    return [
        {
            "group_id": each.group.id,
            "group_name": each.group.name,
            "group_full_path": each.group.full_path,
            "group_access_level": each.level,
            "expires_at": None,
        }
        for each in place.shared_with
    ]


def _for_members(call: Call, project: Project, level: int) -> dict[str, Any]:
    """Tell what strangers do not learn (lib/api/entities/project.rb)."""
    if call.user is None:
        return {}
    own = project.members.get(call.user.id)
    inherited = find_level(call.user, project.group, call.today) if project.group else 0
    access, group_access = (
        {"access_level": each, "notification_level": 3} if each else None
        for each in (own.level if own else 0, inherited)
    )
    levels = expose(project, "repository_access merge_requests_access issues_access builds_access")
    told: dict[str, Any] = {
        **{f"{name}_level": level for name, level in levels.items()},
        "permissions": {"project_access": access, "group_access": group_access},
    }
    if level >= Level.MAINTAINER:
        told["runners_token"] = None
    return told


def _links(call: Call, project: Project) -> dict[str, str]:
    url = f"{call.world.external_url}/api/v4/projects/{project.id}"
    names = {"repo_branches": "repository/branches"}
    named = {name: name for name in ("merge_requests", "labels", "events", "members")} | names
    return {"self": url, **{name: f"{url}/{path}" for name, path in named.items()}}


def render_group(call: Call, group: Group) -> dict[str, Any]:
    """Render a group (lib/api/entities/group.rb)."""
    return {
        **expose(group, "id name description visibility full_path created_at"),
        "web_url": web_url(call.world, f"groups/{group.full_path}"),
        "path": group.full_path.rpartition("/")[2],
        "share_with_group_lock": False,
        "require_two_factor_authentication": False,
        "two_factor_grace_period": 48,
        "project_creation_level": "developer",
        "auto_devops_enabled": None,
        "subgroup_creation_level": "maintainer",
        "emails_disabled": False,
        "emails_enabled": True,
        "mentions_disabled": None,
        "lfs_enabled": True,
        "archived": False,
        "default_branch": None,
        "default_branch_protection": 2,
        "avatar_url": None,
        "request_access_enabled": True,
        "full_name": " / ".join(reversed([each.name for each in group.lineage()])),
        "parent_id": group.parent.id if group.parent else None,
        "organization_id": 1,
    }
