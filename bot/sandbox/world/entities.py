"""The things a GitLab holds: people, groups, projects, merge requests, notes, pipelines."""

# One module: projects, merge requests, pipelines and people name each other, so that parts of it
# would import each other; everything else imports it, and it knows nothing but the repository.

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import IntEnum
from typing import Any

from bot.sandbox.world.repository import Repository


class Level(IntEnum):
    """Name GitLab's access levels (lib/gitlab/access.rb)."""

    NO_ACCESS = 0
    MINIMAL_ACCESS = 5
    GUEST = 10
    PLANNER = 15
    REPORTER = 20
    DEVELOPER = 30
    MAINTAINER = 40
    OWNER = 50


def matches(pattern: str, name: str) -> bool:
    """Return whether a wildcard means a branch or tag: `*` alone is special (RefMatcher)."""
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), name) is not None


@dataclass(slots=True, eq=False, kw_only=True)
class User:
    """An account; `state` is one of GitLab's user states."""

    id: int
    username: str
    name: str
    created_at: datetime
    state: str = "active"
    bot: bool = False

    def is_called(self, needle: str) -> bool:
        """Return whether a text is in the username or the name, without case."""
        return needle.casefold() in f"{self.username}\n{self.name}".casefold()


@dataclass(slots=True, eq=False, kw_only=True)
class Member:
    """A direct membership; it ends when `expires_at` begins."""

    user: User
    level: int
    created_at: datetime
    created_by: User | None = None
    expires_at: date | None = None


@dataclass(slots=True, eq=False, kw_only=True)
class GroupLink:
    """An invited group and the highest level its members get."""

    group: "Group"
    level: int


@dataclass(slots=True, eq=False, kw_only=True)
class Group:
    """A namespace with direct `members`; a child inherits those of its parents."""

    id: int
    full_path: str
    name: str
    created_at: datetime
    visibility: str = "public"
    parent: "Group | None" = None
    description: str = ""
    members: dict[int, Member] = field(default_factory=dict)
    shared_with: list[GroupLink] = field(default_factory=list)

    def is_called(self, needle: str) -> bool:
        """Return whether a text is in the path or the name, without case."""
        path = self.full_path.rpartition("/")[2]
        return needle.casefold() in f"{path}\n{self.name}".casefold()

    def lineage(self) -> Iterator["Group"]:
        """Yield the group itself and then each parent."""
        group: Group | None = self
        while group is not None:
            yield group
            group = group.parent


@dataclass(slots=True, eq=False, kw_only=True)
class Label:
    """A project label."""

    id: int
    name: str
    color: str = "#6699cc"
    description: str | None = None
    priority: int | None = None


@dataclass(slots=True, eq=False, kw_only=True)
class Award:
    """An emoji reaction, `name` without colons."""

    id: int
    name: str
    user: User
    created_at: datetime


@dataclass(slots=True, eq=False, kw_only=True)
class Reviewer:
    """Somebody asked for a review; `state` as in GitLab's reviewers endpoint."""

    user: User
    created_at: datetime
    state: str = "unreviewed"
    re_requested: bool = False


@dataclass(slots=True, eq=False, kw_only=True)
class StateEvent:
    """That a merge request was closed, reopened or merged."""

    id: int
    user: User
    state: str
    created_at: datetime


@dataclass(slots=True, eq=False, kw_only=True)
class DiffVersion:
    """One version of a merge request's diff: head, merge base, and target head then.

    Without a common ancestor there is no base, for good (app/models/merge_request_diff.rb,
    `find_base_sha`), and nothing counts as changed (lib/gitlab/git/repository.rb, `diff_stats`).
    """

    id: int
    head_sha: str
    base_sha: str | None
    start_sha: str
    created_at: datetime


@dataclass(slots=True, eq=False, kw_only=True)
class Note:
    """A comment or a system note; `type` is None, DiscussionNote or DiffNote."""

    id: int
    merge_request: "MergeRequest" = field(repr=False)
    author: User
    body: str
    created_at: datetime
    updated_at: datetime
    discussion_id: str
    type: str | None = None
    system: bool = False
    internal: bool = False
    position: dict[str, Any] | None = None
    resolved: bool = False
    resolved_by: User | None = None
    resolved_at: datetime | None = None
    last_edited_at: datetime | None = None
    last_edited_by: User | None = None
    awards: list[Award] = field(default_factory=list)

    @property
    def resolvable(self) -> bool:
        """Return whether the note belongs to a thread that can be resolved."""
        return self.type is not None and not self.system


def group_threads(notes: Iterable[Note]) -> dict[str, list[Note]]:
    """Group notes into discussions, in the order in which these began."""
    found: dict[str, list[Note]] = {}
    for note in notes:
        found.setdefault(note.discussion_id, []).append(note)
    return found


@dataclass(slots=True, eq=False, kw_only=True)
class DraftNote:
    """A comment of a review that is not submitted; only its author sees it."""

    id: int
    author: User
    body: str
    discussion_id: str | None = None
    resolve_discussion: bool = False
    position: dict[str, Any] | None = None


@dataclass(slots=True, eq=False, kw_only=True)
class StatusCheck:
    """An external status check of a project (Ultimate)."""

    id: int
    name: str
    external_url: str
    shared_secret: str | None = field(default=None, repr=False)
    branches: "tuple[Protection, ...]" = ()  # those it is limited to


@dataclass(slots=True, eq=False, kw_only=True)
class StatusCheckAnswer:
    """The last answer to an external status check for one head."""

    id: int
    check: StatusCheck
    sha: str
    status: str
    created_at: datetime


@dataclass(slots=True, eq=False, kw_only=True)
class MergeRequest:
    """A merge request; draft and head are derived from title and versions."""

    id: int
    iid: int
    project: "Project"
    source_project: "Project | None"
    source_branch: str
    target_branch: str
    title: str
    author: User
    created_at: datetime
    updated_at: datetime
    description: str = ""
    state: str = "opened"
    prepared_at: datetime | None = None
    merged_at: datetime | None = None
    merged_by: User | None = None
    merge_commit_sha: str | None = None
    closed_at: datetime | None = None
    closed_by: User | None = None
    milestone: dict[str, Any] | None = None
    versions: list[DiffVersion] = field(default_factory=list)
    state_events: list[StateEvent] = field(default_factory=list)
    assignees: list[User] = field(default_factory=list)
    reviewers: list[Reviewer] = field(default_factory=list)
    approvals: dict[User, datetime] = field(default_factory=dict)
    labels: list[Label] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    awards: list[Award] = field(default_factory=list)
    check_answers: list[StatusCheckAnswer] = field(default_factory=list)
    discussion_locked: bool = False
    squash: bool = False
    squash_commit_sha: str | None = None
    # What was asked for when it was opened or changed, and when it was merged.
    force_remove_source_branch: bool = False
    should_remove_source_branch: bool | None = None
    subscribed: dict[User, bool] = field(default_factory=dict)
    drafts: list["DraftNote"] = field(default_factory=list)
    unprepared_reads: int = 0

    @property
    def draft(self) -> bool:
        """Return whether the title marks a draft (lib/gitlab/regex/merge_requests.rb)."""
        return self.title.casefold().startswith(("draft:", "[draft]", "(draft)"))

    @property
    def prepared(self) -> bool:
        """Return whether GitLab has finished the work that follows the creation."""
        return self.unprepared_reads == 0 and self.prepared_at is not None

    @property
    def diff(self) -> DiffVersion | None:
        """The newest version of the diff."""
        return self.versions[-1] if self.versions else None

    @property
    def head_sha(self) -> str | None:
        """The head of the newest version."""
        return self.versions[-1].head_sha if self.versions else None

    @property
    def comments(self) -> list[Note]:
        """The notes people wrote."""
        return [note for note in self.notes if not note.system]

    def follows(self, user: User | None) -> bool:
        """Return whether a person hears of it: who takes part, unless they said otherwise."""
        if user is None or user in self.subscribed:
            return user is not None and self.subscribed[user]
        people = [self.author, *self.assignees, *(each.user for each in self.reviewers)]
        return user in people or any(note.author is user for note in self.comments)

    def find_note(self, note_id: int) -> Note | None:
        """Find a note by its number."""
        return next((note for note in self.notes if note.id == note_id), None)

    def find_reviewer(self, user: User) -> Reviewer | None:
        """Find the present review request of a person."""
        return next((each for each in self.reviewers if each.user is user), None)


@dataclass(slots=True, eq=False, kw_only=True)
class CommitStatus:
    """A job or an external status of a pipeline; retried ones no longer count."""

    id: int
    name: str
    sha: str
    ref: str | None
    status: str
    author: User
    pipeline: "Pipeline"
    created_at: datetime
    stage: str = "external"
    started_at: datetime | None = None
    finished_at: datetime | None = None
    target_url: str | None = None
    description: str | None = None
    coverage: float | None = None
    allow_failure: bool = False
    log: str = field(default="", repr=False)
    retried: bool = False


@dataclass(slots=True, eq=False, kw_only=True)
class Start:
    """How a pipeline comes to be: its source, its ref, as whom, and what was passed.

    `payload` is the content of TRIGGER_PAYLOAD, where a trigger token asked for it.
    A merged results pipeline runs for a merge with the target; `source_sha` is then the head.
    """

    project: "Project"
    ref: str
    source: str
    user: User
    sha: str = ""
    variables: Mapping[str, str] = field(default_factory=dict, repr=False)
    payload: Mapping[str, object] | None = field(default=None, repr=False)
    short_token: str | None = None
    merge_request: MergeRequest | None = None
    source_sha: str | None = None


@dataclass(slots=True, eq=False, kw_only=True)
class Pipeline(Start):
    """A pipeline that was started; `status` follows from the jobs that count."""

    id: int
    iid: int
    created_at: datetime
    updated_at: datetime
    jobs: list[CommitStatus] = field(default_factory=list)

    @property
    def status(self) -> str:
        """The worst of the jobs that count, in GitLab's words."""
        states = {job.status for job in self.jobs if not job.retried and not job.allow_failure}
        order = ("running", "pending", "created", "failed", "canceled", "success", "skipped")
        if "running" in states or ("pending" in states and "success" in states):
            return "running"
        return next((state for state in order if state in states), "created")

    @property
    def started_at(self) -> datetime | None:
        """When its first job began."""
        return min((job.started_at for job in self.jobs if job.started_at), default=None)

    @property
    def finished_at(self) -> datetime | None:
        """When its last job ended; None while it is not over."""
        if self.status in {"running", "pending", "created"}:
            return None
        return max((job.finished_at for job in self.jobs if job.finished_at), default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class HookEvent:
    """A delivery as GitLab remembers it; `status` is None where nobody answered.

    `name` is what the header says of the event; `key` stays the same when it is sent again.
    """

    id: int
    trigger: str
    url: str = field(repr=False)
    status: int | None
    answer: str
    at: datetime
    name: str = ""
    body: str = field(default="", repr=False)
    key: str = ""


@dataclass(slots=True, eq=False, kw_only=True)
class Webhook:
    """A project hook; the address holds the trigger token and never prints.

    What stands in `url` as `{name}` is masked: `url_variables` hold its value.
    """

    id: int
    url: str = field(repr=False)
    name: str | None = None
    merge_requests_events: bool = True
    note_events: bool = True
    confidential_note_events: bool = False
    push_events: bool = False
    push_events_branch_filter: str = ""
    branch_filter_strategy: str = "wildcard"
    pipeline_events: bool = False
    enable_ssl_verification: bool = True
    token: str | None = field(default=None, repr=False)
    url_variables: dict[str, str] = field(default_factory=dict, repr=False)
    failures: int = 0
    disabled_until: datetime | None = None
    custom_webhook_template: str | None = None
    # What was set and nothing here asks for, by GitLab's names.
    told: dict[str, Any] = field(default_factory=dict, repr=False)
    events: list[HookEvent] = field(default_factory=list, repr=False)

    @property
    def address(self) -> str:
        """The address with what is masked in it."""
        found = self.url
        for name, value in self.url_variables.items():
            found = found.replace(f"{{{name}}}", value)
        return found

    def hears_of(self, branch: str) -> bool:
        """Return whether pushes to a branch are told (app/models/hooks/web_hook.rb)."""
        pattern = self.push_events_branch_filter
        if self.branch_filter_strategy == "all_branches" or not pattern:
            return True
        if self.branch_filter_strategy == "regex":
            return re.search(pattern, branch) is not None
        return matches(pattern, branch)


@dataclass(slots=True, eq=False, kw_only=True)
class Variable:
    """A CI/CD variable of a project; a hidden one never shows its value again."""

    key: str
    value: str = field(repr=False)
    protected: bool = False
    masked: bool = False
    hidden: bool = False
    raw: bool = False
    environment_scope: str = "*"
    variable_type: str = "env_var"
    description: str | None = None


@dataclass(slots=True, eq=False, kw_only=True)
class Schedule:
    """A pipeline schedule; its pipelines run as its `owner`."""

    id: int
    description: str
    ref: str
    cron: str
    owner: User
    created_at: datetime
    cron_timezone: str = "UTC"
    active: bool = True
    last_pipeline: "Pipeline | None" = None

    @property
    def scope(self) -> str:
        """The word that lists ask for."""
        return "active" if self.active else "inactive"


@dataclass(slots=True, eq=False, kw_only=True)
class TriggerToken:
    """A pipeline trigger token; the pipeline runs as its `owner`."""

    id: int
    value: str = field(repr=False)
    owner: User
    description: str = ""
    created_at: datetime | None = None
    last_used: datetime | None = None
    expires_at: datetime | None = None


@dataclass(slots=True, eq=False, kw_only=True)
class Issue:
    """An issue; a confidential one is for its author and for members from Reporter up."""

    id: int
    iid: int
    title: str
    author: User
    created_at: datetime
    updated_at: datetime
    description: str = ""
    confidential: bool = False
    state: str = "opened"
    closed_at: datetime | None = None
    closed_by: User | None = None
    labels: list[Label] = field(default_factory=list)
    assignees: tuple[User, ...] = ()
    milestone: dict[str, Any] | None = None


@dataclass(slots=True, eq=False, kw_only=True)
class Token:
    """An access token of a user; a job token is of `kind` job and nearly powerless."""

    id: int
    value: str = field(repr=False)
    user: User
    scopes: tuple[str, ...] = ("api",)
    expires_at: date | None = None
    revoked: bool = False
    kind: str = "personal"
    name: str = "token"


@dataclass(slots=True, eq=False, kw_only=True)
class ProjectSettings:
    """What the project's owners chose; `tier` is free, premium or ultimate."""

    tier: str = "free"
    pipelines: str = "none"
    pipeline_status: str = "success"
    approvals_required: int = 0
    # doc/user/project/merge_requests/approvals/settings.md: "By default, an approval on a merge
    # request is removed when you add more changes after the approval"; Premium and Ultimate.
    reset_approvals_on_push: bool = True
    author_approval: bool = False
    pipelines_must_succeed: bool = False
    checks_must_succeed: bool = False
    threads_must_be_resolved: bool = False
    skipped_is_success: bool = False
    pipeline_variables_role: str = "maintainer"
    ci_config_path: str = ""

    @property
    def premium(self) -> bool:
        """Return whether Premium features work."""
        return self.tier in {"premium", "ultimate"}

    @property
    def resets_approvals(self) -> bool:
        """Return whether a push takes approvals away (ee/app/models/ee/project.rb)."""
        return self.premium and self.reset_approvals_on_push

    @property
    def ultimate(self) -> bool:
        """Return whether Ultimate features work."""
        return self.tier == "ultimate"


@dataclass(slots=True, eq=False, kw_only=True)
class Release:
    """A release of a tag."""

    tag: str
    name: str
    description: str
    author: User
    created_at: datetime
    released_at: datetime
    milestones: list[dict[str, Any]] = field(default_factory=list)
    links: list[dict[str, Any]] = field(default_factory=list)


@dataclass(slots=True, eq=False, kw_only=True)
class Protection:
    """How a branch, or those of a wildcard, are protected; a level of 0 is nobody.

    It has no number before it is told.
    """

    name: str
    id: int = 0
    push_level: int = Level.MAINTAINER
    merge_level: int = Level.MAINTAINER
    allow_force_push: bool = False


@dataclass(slots=True, eq=False, kw_only=True)
class Project:
    """A project with its repository, merge requests and everything that hangs on them."""

    id: int
    path_with_namespace: str
    name: str
    created_at: datetime
    repository: Repository
    default_branch: str = "main"
    visibility: str = "public"
    # Who may use a feature: "enabled" for all who see the project, "private" for its members.
    merge_requests_access: str = "enabled"
    repository_access: str = "enabled"
    issues_access: str = "enabled"
    builds_access: str = "enabled"
    description: str | None = None
    archived: bool = False
    # What the owners set and nothing here asks for, by GitLab's names.
    told: dict[str, Any] = field(default_factory=dict, repr=False)
    group: Group | None = None
    owner: User | None = None
    forked_from: "Project | None" = None
    settings: ProjectSettings = field(default_factory=ProjectSettings)
    members: dict[int, Member] = field(default_factory=dict, repr=False)
    shared_with: list[GroupLink] = field(default_factory=list, repr=False)
    protected_branches: list[Protection] = field(default_factory=list, repr=False)
    labels: dict[str, Label] = field(default_factory=dict, repr=False)
    merge_requests: dict[int, MergeRequest] = field(default_factory=dict, repr=False)
    # The highest number that was given before something was deleted.
    deleted: dict[str, int] = field(default_factory=dict, repr=False)
    tag_messages: dict[str, str] = field(default_factory=dict, repr=False)
    issues: dict[int, Issue] = field(default_factory=dict, repr=False)
    pipelines: list[Pipeline] = field(default_factory=list, repr=False)
    webhooks: list[Webhook] = field(default_factory=list, repr=False)
    triggers: list[TriggerToken] = field(default_factory=list, repr=False)
    variables: list[Variable] = field(default_factory=list, repr=False)
    schedules: list[Schedule] = field(default_factory=list, repr=False)
    status_checks: list[StatusCheck] = field(default_factory=list, repr=False)
    releases: dict[str, Release] = field(default_factory=dict, repr=False)

    def is_called(self, needle: str) -> bool:
        """Return whether a text is in path, name or description (doc/api/projects.md, `search`)."""
        path = self.path_with_namespace.rpartition("/")[2]
        return needle.casefold() in f"{path}\n{self.name}\n{self.description or ''}".casefold()

    def protections_of(self, branch: str) -> list[Protection]:
        """List what protects a branch, by its name or a wildcard; it need not be there yet.

        doc/user/project/repository/branches/protected.md
        """
        return [each for each in self.protected_branches if matches(each.name, branch)]

    @property
    def upstream(self) -> "Project":
        """Where merge requests go at first (`default_merge_request_target`)."""
        above = self.forked_from
        return self if above is None or self.told.get("mr_default_target_self") else above

    def next_iid(self, kind: str) -> int:
        """Return the number of the next of `kind`, as the field is called; none is given twice."""
        used: dict[str, Iterable[int]] = {
            "merge_requests": self.merge_requests,
            "issues": self.issues,
            "pipelines": [each.iid for each in self.pipelines],
        }
        return 1 + max((self.deleted.get(kind, 0), *used[kind]))

    def use_up(self, kind: str) -> None:
        """Remember which number came last, before something is deleted."""
        self.deleted[kind] = self.next_iid(kind) - 1

    def guards(self, branch: str) -> bool:
        """Return whether the history of a branch may not be lost."""
        return any(not each.allow_force_push for each in self.protections_of(branch))

    def levels_to_push(self, branch: str) -> set[int]:
        """Return the levels that may push to a branch; 0 is nobody."""
        return {each.push_level for each in self.protections_of(branch)} or {Level.DEVELOPER}

    def levels_to_merge(self, branch: str) -> set[int]:
        """Return the levels that may merge into a branch without pushing to it; 0 is nobody."""
        return {each.merge_level for each in self.protections_of(branch)} or {Level.DEVELOPER}


@dataclass(slots=True, eq=False, kw_only=True)
class Todo:
    """What somebody has to do about a merge request: for a mention in a note, or an assignment."""

    id: int
    user: User
    author: User
    merge_request: MergeRequest
    note: Note | None
    created_at: datetime
    done: bool = False
    marked: bool = False

    @property
    def action(self) -> str:
        """GitLab's word for the reason."""
        if self.marked:
            return "marked"
        return "mentioned" if self.note else "assigned"
