"""A GitLab with a nomination in it: the team database, the AI Gateway, and everybody's part."""

import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

from bot.app import Choices, Evaluation
from bot.app.sweep import run
from bot.config import Secret
from bot.gitlab.client import GitLabClient
from bot.gitlab.transport import Transport
from bot.policy.values import Policy
from bot.publish.gate import GateChoice, GateKind
from bot.report.rendering import MARKER
from bot.report.words import Words
from bot.rulebook.loading import SHIPPED, load_policies
from bot.sandbox.acts import actions
from bot.sandbox.acts.actions import CommitDraft, MergeRequestDraft, NoteDraft
from bot.sandbox.acts.quick_actions import run_quick_actions
from bot.sandbox.http.faults import Fault, Kind
from bot.sandbox.http.server import Server
from bot.sandbox.webhooks.bodies import build_merge_request_body
from bot.sandbox.webhooks.parts import Body
from bot.sandbox.world.entities import (
    CommitStatus,
    Group,
    Level,
    Member,
    MergeRequest,
    Note,
    Project,
    ProjectSettings,
    Protection,
    Reviewer,
    StatusCheck,
    Token,
    User,
)
from bot.sandbox.world.repository import Repository
from bot.sandbox.world.state import RequestRecord, World
from tests.in_process import way_to
from tests.processes import run_here

START = datetime(2026, 1, 5, 9, tzinfo=UTC)
TEAM = "gitlab-com/www-gitlab-com"
GATEWAY = "gitlab-org/modelops/applied-ml/code-suggestions/ai-assist"
PROVISIONER = "gitlab-com/gl-infra/platform/runway/provisioner"
MAINTAINERS = "gitlab-org/maintainers/ai-gateway"
FOLDER = "data/team_members/person"
ENTRY = f"{FOLDER}/n/nina.yml"
STATUS = "nomination-bot"
# Of another project than the shipped one, with one requirement.
DOCS_POLICY = """\
id: docs
version: "1"
title: Maintainer of the docs
document: https://example.com/docs
project: docs
role: maintainer
repository: gitlab-org/docs
maintainers:
  group: gitlab-org/maintainers/docs
  level: developer
requirements:
  - id: trained
    kind: role_held
    title: Train before
    enforcement: blocking
    actor: nominee
    role: trainee_maintainer
    help: Train.
"""
SECRET = "glpat-n0m1n4t10n-s3cr3t"  # noqa: S105  a made-up one, searched for in every output

TEAM_LEVELS = {
    "olga": Level.OWNER,
    "max": Level.DEVELOPER,
    "mia": Level.DEVELOPER,
    "nina": Level.DEVELOPER,
    "dora": Level.DEVELOPER,
    "nomination-bot": Level.DEVELOPER,
}
GRAPHQL = "/api/graphql"
INVENTORY = b'{\n  "inventory": [\n    {\n      "name": "ai-gateway",\n      "members": [\n        "max"\n      ]\n    }\n  ]\n}\n'  # noqa: E501  as in reality
RENOVATE = b'{\n  "additionalReviewers": [\n    "max"\n  ]\n}\n'


def entry(username: str, role: str | None = None, manager: str = "mia") -> bytes:
    """Write a team entry; without a role it has no projects."""
    lines = ["---", f"name: {username.title()}", f"gitlab: {username}", f"reports_to: {manager}"]
    if role is not None:
        lines += ["projects:", f"  ai-gateway: {role}"]
    return "\n".join([*lines, ""]).encode()


@dataclass(slots=True, kw_only=True)
class NominationWorld:
    """The world, its projects and the open nomination of nina."""

    world: World
    team: Project
    gateway: Project
    provisioner: Project
    group: Group
    nomination: MergeRequest

    def user(self, name: str) -> User:
        """Return an account, made when it is new."""
        found = self.world.find_user(name)
        return found or add_user(self.world, name)

    def push(self, files: Mapping[str, bytes | None], *, branch: str, by: str = "nina") -> None:
        """Push a commit to a branch of the team database."""
        draft = CommitDraft(message="Change entries", changes=files)
        actions.push(self.world, self.user(by), self.team, branch, draft)

    def open(self, files: Mapping[str, bytes | None], *, branch: str, **draft: Any) -> MergeRequest:
        """Open a merge request of nina's with these files."""
        self.push(files, branch=branch)
        given = MergeRequestDraft(title="Entries", source_branch=branch, target_branch="main")
        return actions.open_merge_request(
            self.world, self.user("nina"), self.team, replace(given, **draft)
        )

    def say(self, body: str, by: str = "max", mr: MergeRequest | None = None) -> Note:
        """Write a comment on the nomination, or on another merge request."""
        draft = NoteDraft(body=body)
        outcome = actions.create_note(self.world, self.user(by), mr or self.nomination, draft)
        assert outcome.note is not None
        return outcome.note

    def review_all(self, count: int) -> None:
        """Add merged merge requests of dora's that nina approved."""
        for _ in range(count):
            add_merged(self, "dora", reviewer="nina")

    def assign(self) -> None:
        """Assign the nomination to the manager and a maintainer."""
        people = [self.user("mia"), self.user("max")]
        actions.assign(self.world, self.user("nina"), self.nomination, people)

    def merge(self) -> None:
        """Merge the nomination."""
        actions.merge(self.world, self.user("olga"), self.nomination)

    def own_notes(self, mr: MergeRequest | None = None) -> list[Note]:
        """List the comments that carry the bot's marker."""
        return [n for n in (mr or self.nomination).comments if n.body.startswith(MARKER)]

    def statuses(self) -> list[CommitStatus]:
        """List the bot's commit statuses, newest last, retried ones too."""
        jobs = [job for pipeline in self.team.pipelines for job in pipeline.jobs]
        return sorted((job for job in jobs if job.name == STATUS), key=lambda job: job.id)

    def opening(self) -> Body:
        """Write the body of the webhook that told of the nomination's opening."""
        event = next(
            each
            for each in self.world.events
            if each.merge_request is self.nomination and each.action == "open"
        )
        return build_merge_request_body(self.world, event, self.nomination)

    def gate(self, mr: MergeRequest | None = None) -> str | None:
        """Return the state of the bot's newest status on the head, the nomination's by default."""
        head = (mr or self.nomination).head_sha
        found = [job.status for job in self.statuses() if job.sha == head]
        return found[-1] if found else None

    def writes(self) -> list[RequestRecord]:
        """List the requests that wrote something, or tried to."""
        return writes_in(self.world.requests)


def writes_in(requests: Iterable[RequestRecord]) -> list[RequestRecord]:
    """Leave out the requests that only read."""
    return [r for r in requests if r.method != "GET" and r.route != GRAPHQL]


def awards(note: Note) -> list[str]:
    """Name the emoji on a comment."""
    return [award.name for award in note.awards]


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is true of the nominee when the nomination is opened."""

    authored: int = 6
    reviewed: int = 5
    trainee: bool = True
    assigned: bool = True
    done: bool = False
    settings: Mapping[str, Any] = field(default_factory=dict)


def make_people(made: NominationWorld, count: int, role: str | None) -> dict[str, bytes]:
    """Put so many further entries on the target branch and return them."""
    names = [f"p{number:03}" for number in range(count)]
    for name in names:
        add_user(made.world, name)
    files = {f"{FOLDER}/p/{name}.yml": entry(name, role) for name in names}
    made.push(files, branch="main", by="olga")
    return files


def make_world(**facts: Any) -> NominationWorld:
    """Build a world in which nina's nomination is ready, but for the given facts."""
    given = Facts(**facts)
    world = World(START)
    world.quick_actions = run_quick_actions
    for name in TEAM_LEVELS:
        add_user(world, name)
    files = {ENTRY: entry("nina", "reviewer"), f"{FOLDER}/m/mia.yml": entry("mia", None, "olga")}
    team = add_project(world, TEAM, 7001, files)
    team.members = {
        world.user(name).id: Member(user=world.user(name), level=level, created_at=START)
        for name, level in TEAM_LEVELS.items()
    }
    team.settings = ProjectSettings(**given.settings)
    gateway = add_project(world, GATEWAY, 7002, {"renovate.json": RENOVATE})
    provisioner = add_project(world, PROVISIONER, 7003, {"inventory.json": INVENTORY})
    group = Group(id=world.next_id("group"), full_path=MAINTAINERS, name="a", created_at=START)
    for name, level in {"olga": Level.OWNER, "max": Level.MAINTAINER}.items():
        member = Member(user=world.user(name), level=level, created_at=START)
        group.members[member.user.id] = member
    world.add_group(group)
    bot = world.user("nomination-bot")
    world.tokens.append(Token(id=world.next_id("token"), value=SECRET, user=bot))
    return _nominate(given, world, (team, gateway, provisioner), group)


def _nominate(
    given: Facts, world: World, projects: tuple[Project, Project, Project], group: Group
) -> NominationWorld:
    team, gateway, provisioner = projects
    if given.trainee:
        draft = CommitDraft(message="Train", changes={ENTRY: entry("nina", "trainee_maintainer")})
        actions.push(world, world.user("olga"), team, "main", draft)
    world.tick(86_400)
    draft = CommitDraft(message="Nominate", changes={ENTRY: entry("nina", "maintainer")})
    nina = world.user("nina")
    actions.push(world, nina, team, "nominate-nina", draft)
    opening = MergeRequestDraft(
        title="Nina as maintainer", source_branch="nominate-nina", target_branch="main"
    )
    nomination = actions.open_merge_request(world, nina, team, opening)
    made = NominationWorld(
        world=world,
        team=team,
        gateway=gateway,
        provisioner=provisioner,
        group=group,
        nomination=nomination,
    )
    for _ in range(given.authored):
        add_merged(made, "nina")
    made.review_all(given.reviewed)
    if given.assigned:
        made.assign()
    return made


def add_user(world: World, name: str) -> User:
    """Make an account; the one of the bot is a bot's."""
    user = User(
        id=world.next_id("user"),
        username=name,
        name=name.title(),
        created_at=START,
        bot=name == "nomination-bot",
    )
    return world.add_user(user)


def add_project(world: World, path: str, number: int, files: Mapping[str, bytes]) -> Project:
    """Make a public project with one commit, owned by olga."""
    project = Project(
        id=world.reserve_id("project", number),
        path_with_namespace=path,
        name=path.rsplit("/", 1)[-1],
        created_at=START,
        repository=Repository(),
        protected_branches=[Protection(name="main")],
    )
    olga = world.user("olga")
    project.members[olga.id] = Member(user=olga, level=Level.OWNER, created_at=START)
    world.add_project(project)
    actions.push(world, olga, project, "main", CommitDraft(message="Begin", changes=files))
    return project


def add_merged(made: NominationWorld, author: str, reviewer: str | None = None) -> MergeRequest:
    """Add a merged merge request to the AI Gateway, approved by its reviewer."""
    now, world, project = made.world.tick(60), made.world, made.gateway
    iid = len(project.merge_requests) + 1
    user = made.user(author)
    mr = MergeRequest(
        id=world.next_id("merge_request"),
        iid=iid,
        project=project,
        source_project=project,
        source_branch=f"work-{iid}",
        target_branch="main",
        title=f"Work {iid}",
        author=user,
        created_at=now,
        updated_at=now,
        prepared_at=now,
    )
    project.merge_requests[iid] = mr
    if reviewer is not None:
        person = made.user(reviewer)
        mr.reviewers.append(Reviewer(user=person, created_at=now))
        level = Member(user=person, level=Level.DEVELOPER, created_at=START)
        project.members.setdefault(person.id, level)
        actions.approve(world, person, mr)
    mr.state, mr.merged_at, mr.merged_by = "merged", world.now, user
    return mr


def merge_elsewhere(
    made: NominationWorld,
    *,
    author: str = "dora",
    reviewer: str = "nina",
    target: str = "main",
    before: Callable[[NominationWorld, MergeRequest], None] | None = None,
) -> MergeRequest:
    """Let a merge request go through all of GitLab, with something done before the merge."""
    world, project = made.world, made.gateway
    branch = f"change-{len(project.merge_requests) + 1}"
    for name in (author, reviewer):
        level = Member(user=made.user(name), level=Level.MAINTAINER, created_at=world.now)
        project.members[level.user.id] = level
    if target not in project.repository.branches:
        actions.create_branch(world, made.user(author), project, target, "main")
    push_elsewhere(made, branch, author)
    draft = MergeRequestDraft(title=branch, source_branch=branch, target_branch=target)
    mr = actions.open_merge_request(world, made.user(author), project, draft)
    if author != reviewer:
        actions.set_reviewers(world, made.user(author), mr, [made.user(reviewer)])
    if before:
        before(made, mr)
    actions.merge(world, made.user("olga"), mr)
    return mr


def push_elsewhere(made: NominationWorld, branch: str, author: str = "dora") -> None:
    """Push something new to a branch of the AI Gateway."""
    draft = CommitDraft(message="Work", changes={f"{branch}.md": str(made.world.now).encode()})
    actions.push(made.world, made.user(author), made.gateway, branch, draft)


def open_another(made: NominationWorld, branch: str, path: str) -> MergeRequest:
    """Let the nominee open one more merge request in the team database."""
    nominee, team = made.user("nina"), made.team
    draft = CommitDraft(message="Another", changes={path: b"text\n"})
    actions.push(made.world, nominee, team, branch, draft)
    opening = MergeRequestDraft(
        title=branch, source_branch=branch, target_branch=team.default_branch
    )
    return actions.open_merge_request(made.world, nominee, team, opening)


def add_check(made: NominationWorld, name: str = STATUS) -> StatusCheck:
    """Make an external status check in the team database, which takes Ultimate."""
    made.team.settings.tier = "ultimate"
    check = StatusCheck(
        id=made.world.next_id("status_check"), name=name, external_url="https://bot.example.com/"
    )
    made.team.status_checks.append(check)
    return check


@cache
def shipped() -> tuple[tuple[Policy, ...], Words]:
    """Read the shipped policies and templates, once for all tests."""
    return load_policies(None), Words(None, "https://gitlab.example.com", "nomination")


def assign_to_manager(directory: Path) -> Path:
    """Write the shipped policy so that a nomination is assigned to the manager alone."""
    return _rewrite(directory, "    maintainers: 1\n", "    maintainers: 0\n")


def ask_how_it_went(directory: Path) -> Path:
    """Write the shipped policy so that it tells how the counted merge requests went."""
    asked = (
        "requirements:\n  - {id: outcomes, title: How it went, kind: review_outcomes, "
        "enforcement: advisory, actor: anyone, help: Look.}\n"
    )
    return _rewrite(directory, "requirements:\n", asked)


def _rewrite(directory: Path, old: str, new: str) -> Path:
    text = (SHIPPED / "ai-gateway.yml").read_text("utf-8")
    assert text.count(old) == 1
    (directory / "policies").mkdir()
    (directory / "policies" / "ai-gateway.yml").write_text(text.replace(old, new), "utf-8")
    return directory / "policies"


def make_choices(gate: GateKind = GateKind.COMMIT_STATUS, **changes: Any) -> Choices:
    """Build what an evaluation follows, as the command line does."""
    policies, words = shipped()
    choices = Choices(
        policies=policies,
        words=words,
        gate=GateChoice(kind=gate, name=STATUS),
        command="nomination",
        former_ids=frozenset(),
    )
    return replace(choices, **changes)


@contextmanager
def connect(
    to: str | Server,
    *,
    token: str = SECRET,
    deadline: float = 30,
    calls: int = 60,
    shares: tuple[float, int] = (1, 1),
) -> Iterator[GitLabClient]:
    """Connect a client and let go of it; it loses no time between tries."""
    url, way = (to, None) if isinstance(to, str) else (to.url, way_to(to))
    transport = Transport(url, Secret(token), deadline, calls, shares=shares)
    if way:
        transport.go_through(way)
    transport.first_pause = 0.01
    client = GitLabClient(transport)
    try:
        yield client
    finally:
        client.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a run came to."""

    evaluation: Evaluation
    problems: Sequence[str]
    calls: int

    @property
    def gate(self) -> str | None:
        """Name the gate's state, or nothing where there is nothing to say."""
        report = self.evaluation.report
        return report.gate.state.value if report and report.gate else None

    @property
    def body(self) -> str:
        """Return the text of the comment."""
        report = self.evaluation.report
        return report.body or "" if report else ""

    @property
    def next_step(self) -> str:
        """Return the one line of the comment that says what comes next."""
        (line,) = (each for each in self.body.splitlines() if each.startswith("**Next step:**"))
        return line


def run_on(
    server: Server, mr: MergeRequest, limits: Mapping[str, Any] | None = None, **choices: Any
) -> Outcome:
    """Evaluate a merge request, and publish."""
    with connect(server, **(limits or {})) as client:
        evaluation, problems = run(
            mr.project.path_with_namespace, mr.iid, make_choices(**choices), client
        )
        told = list(map(str, problems))
        return Outcome(evaluation=evaluation, problems=told, calls=client.calls)


def count_levels(server: Server, mr: MergeRequest, seconds: float) -> int:
    """Count how many requests of a look wait for each other, when each takes so long at least.

    Those that come within that time wait for the same answer.
    """
    arrivals: list[float] = []

    def note_time(_: object) -> bool:
        arrivals.append(time.monotonic())
        return False

    hold = server.hold(note_time)
    server.fault(Fault(route="*", kind=Kind.LATENCY, seconds=seconds))
    run_on(server, mr)
    server.misbehaving.faults.switch_off()
    hold.close()
    levels, last = 0, -math.inf
    for arrival in sorted(arrivals):
        if arrival - last >= seconds:
            levels, last = levels + 1, arrival
    return levels


def look_once(
    made: NominationWorld, *faults: Fault, mr: MergeRequest | None = None, **choices: Any
) -> Outcome:
    """Serve a world for one look at a merge request; it must find no fault with the bot."""
    with Server(made.world) as server:
        for fault in faults:
            server.fault(fault)
        outcome = run_on(server, mr or made.nomination, **choices)
    assert made.world.violations == []
    return outcome


def settings(url: str, *, job: bool = False) -> dict[str, str]:
    """Return what tells the bot of this world; where GitLab is, a job's runner tells."""
    return {
        "NOMINATION_BOT_TOKEN": SECRET,
        "CI_SERVER_URL" if job else "NOMINATION_BOT_GITLAB_URL": url,
        "NOMINATION_BOT_TEAM_PROJECT": TEAM,
    }


def run_reading(server: Server, *arguments: str, **more: str | Path) -> CompletedProcess[str]:
    """Run a command that writes nothing to GitLab; its token never shows."""
    before = len(server.world.requests)
    done = run_here(*arguments, **settings(server.url) | more)
    assert writes_in(server.world.requests[before:]) == []
    assert SECRET not in done.stdout + done.stderr
    return done
