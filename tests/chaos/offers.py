"""Merge requests that the bot opens for steps: what people do about them, and what must hold.

A random of its own chooses here, so that the other stories stay as they are.
"""

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from random import Random

from bot.sandbox.acts import actions
from bot.sandbox.acts.actions import CommitDraft
from bot.sandbox.http.faults import Fault, Kind
from bot.sandbox.rest.merge_request_entities import commits_of
from bot.sandbox.world.entities import Level, Member, MergeRequest, Project, Protection
from bot.sandbox.world.state import Event, RefusedError
from tests.chaos.oracle import MAINTAINER, account_of, role_of
from tests.chaos.plot import Plot
from tests.nomination_world import FOLDER, START

OURS = "nomination-bot/"
AMEND = "Amend"  # what the fault that moves heads pushes in everybody's name
FILES = ("inventory.json", "renovate.json")
WRITES = (
    "POST */repository/commits",
    "POST /projects/{id}/merge_requests",
    "PUT /projects/{id}/merge_requests/*",
    "GET */repository/files/*",
    "GET */repository/compare",
)
KINDS = (
    Kind.ERROR_BEFORE,
    Kind.ERROR_AFTER,
    Kind.CUT_BEFORE,
    Kind.CUT_AFTER,
    Kind.FORBIDDEN,
    Kind.CONFLICT,
)


@dataclass(slots=True)
class Offers:
    """What people do in the projects of the files, and what is known of their branches."""

    plot: Plot
    random: Random
    heads: dict[tuple[str, str], str] = field(default_factory=dict)
    holders: list[tuple[int, frozenset[str]]] = field(default_factory=list)
    reopened: list[str] = field(default_factory=list)
    number: int = 0

    def __post_init__(self) -> None:
        """Give the bot its roles, mostly."""
        for project in self.projects:
            if self.random.random() < 0.85:
                self._set_level(project, Level.DEVELOPER)

    @property
    def projects(self) -> tuple[Project, Project]:
        """The projects of the files, in the order of these."""
        return self.plot.made.provisioner, self.plot.made.gateway

    def _set_level(self, project: Project, level: int) -> None:
        bot = self.plot.bot
        project.members[bot.id] = Member(user=bot, level=level, created_at=START)

    # --- what people do ---------------------------------------------------------------

    def act(self) -> str:
        """Let something happen there, now and then."""
        if self.random.random() < 0.6:
            return ""
        chosen = self.random.choice(ACTS)
        try:
            return chosen(self)
        except RefusedError as refusal:
            return f"{chosen.__name__.strip('_')} is refused: {refusal}"

    def choose_faults(self) -> list[Fault]:
        """Choose faults of a run's writes: mostly none."""
        if self.random.random() < 0.7:
            return []
        first = self.random.randrange(3)
        return [
            Fault(
                route=self.random.choice(WRITES),
                kind=self.random.choice(KINDS),
                calls=self.random.choice(({first}, {first, first + 1})),
            )
        ]

    def some(self) -> MergeRequest:
        """Choose a merge request of the bot's; raise RefusedError where there is none."""
        found = [mr for project in self.projects for mr in offers_in(project)]
        if not found:
            raise RefusedError(404, "there is no such merge request")
        return self.random.choice(found)

    # --- what must hold ---------------------------------------------------------------

    def look(self, now: int) -> None:
        """Remember who has the role on the target branch."""
        self.holders.append((now, find_holders(self.plot)))

    def check(self, event: Event, began: int) -> Iterator[str]:
        """Check what the bot did; `began` is when its run did, or the look before that."""
        project, name = event.project, str(event.subject)
        if event.kind == "branch_pushed" and project in self.projects:
            yield from self._check_push(project, name)
        mr = event.merge_request
        if event.kind == "merge_request_changed" and event.action == "open" and mr is not None:
            before = [names for at, names in self.holders if at <= began][-1:]
            since = [names for at, names in self.holders if at > began]
            if nominee_of(mr) not in frozenset[str]().union(*before, *since):
                yield f"{mr.source_branch} was offered to somebody without the role"

    def remember(self, event: Event) -> None:
        """Remember which branches there are, whoever made them."""
        project, name = event.project, str(event.subject)
        if event.kind == "branch_pushed" and project is not None:
            head = project.repository.branches.get(name)
            if head:
                self.heads[project.path_with_namespace, name] = head

    def _check_push(self, project: Project, name: str) -> Iterator[str]:
        head = project.repository.store.commits[project.repository.branches[name]]
        if head.title == AMEND:
            return
        if not name.startswith(OURS):
            yield f"the bot pushed to {name} of {project.path_with_namespace}"
        elif (project.path_with_namespace, name) in self.heads:
            yield f"the bot pushed to {name}, which was there"
        else:
            main = project.repository.store.ancestors(project.repository.branches["main"])
            if len(head.parents) != 1 or head.parents[0] not in main:
                yield f"{name} is not one commit on top of main"

    def check_doubles(self, when: str, but: Collection[str] = ()) -> Iterator[str]:
        """Check that the bot left no step two open merge requests, but for some branches."""
        for project in self.projects:
            found = [mr for mr in offers_in(project) if mr.source_branch not in but]
            opened = [mr for mr in found if mr.state == "opened"]
            steps = Counter(re.sub(r"\.\d$", "", mr.source_branch) for mr in opened)
            yield from (
                f"{when}: {count} are open from {step}"
                for step, count in steps.items()
                if count > 1
            )

    def check_end(self) -> Iterator[str]:
        """Check that nothing is offered that is not due."""
        yield from self.check_doubles("at the end")
        bot = self.plot.bot
        for project, path in zip(self.projects, FILES, strict=True):
            main = project.repository.find_commit("main")
            content = (main and project.repository.content(main, path)) or b""
            for mr in offers_in(project):
                authors = {each.author.name for each in commits_of(mr)}
                if mr.state != "opened" or authors != {bot.name} or project.archived:
                    continue
                level = project.members[bot.id].level if bot.id in project.members else 0
                if f'"{nominee_of(mr)}"'.encode() in content and level >= Level.DEVELOPER:
                    yield f"{mr.source_branch} is open, but the file has the name"


def offers_in(project: Project) -> list[MergeRequest]:
    """List the merge requests from branches of the bot's."""
    return [mr for mr in project.merge_requests.values() if mr.source_branch.startswith(OURS)]


def nominee_of(mr: MergeRequest) -> str:
    """Name for whom a merge request is."""
    return re.sub(r"\.\d$", "", mr.source_branch.rsplit("/", 1)[-1])


def find_holders(plot: Plot) -> frozenset[str]:
    """Find who has the role by the entries of the target branch, read with a plain parser."""
    team = plot.made.team
    commit = team.repository.find_commit("main")
    assert commit is not None
    entries = (
        team.repository.content(commit, path) for path in commit.tree if path.startswith(FOLDER)
    )
    return frozenset(account_of(e).casefold() for e in entries if role_of(e) == MAINTAINER)


def _edit(offers: Offers, name: str) -> str:
    index = offers.random.randrange(2)
    project, path = offers.projects[index], FILES[index]
    commit = project.repository.find_commit("main")
    assert commit is not None
    before = project.repository.content(commit, path) or b""
    changes = {path: before.replace(b'"max"', f'"max",\n        "{name}"'.encode(), 1)}
    draft = CommitDraft(message="Add", changes=changes)
    actions.push(offers.plot.world, offers.plot.made.user("olga"), project, "main", draft)
    return f"olga adds {name} to {path}"


def _add_somebody(offers: Offers) -> str:
    offers.number += 1
    return _edit(offers, f"zoe{99 - offers.number}")


def _add_nominee(offers: Offers) -> str:
    return _edit(offers, offers.random.choice(("nina", "nils")))


def _close(offers: Offers) -> str:
    mr = offers.some()
    change = offers.random.choice((actions.close, actions.close, actions.reopen))
    change(offers.plot.world, offers.plot.made.user("olga"), mr)
    if change is actions.reopen:
        offers.reopened.append(mr.source_branch)
    return f"olga: {change.__name__} {mr.source_branch}"


def _merge(offers: Offers) -> str:
    mr = offers.some()
    actions.merge(offers.plot.world, offers.plot.made.user("olga"), mr)
    return f"olga merges {mr.source_branch}"


def _push(offers: Offers) -> str:
    mr = offers.some()
    draft = CommitDraft(message="Mine", changes={"notes.md": b"mine\n"})
    actions.push(
        offers.plot.world, offers.plot.made.user("olga"), mr.project, mr.source_branch, draft
    )
    return f"olga pushes to {mr.source_branch}"


def _change_role(offers: Offers) -> str:
    project = offers.random.choice(offers.projects)
    level = offers.random.choice((Level.REPORTER, Level.DEVELOPER, Level.DEVELOPER))
    offers._set_level(project, level)  # noqa: SLF001  one of its own acts
    return f"the bot is {level.name} of {project.path_with_namespace}"


def _change_protection(offers: Offers) -> str:
    project = offers.random.choice(offers.projects)
    kept = [each for each in project.protected_branches if each.name != f"{OURS}*"]
    is_off = kept == project.protected_branches
    project.protected_branches = [*kept, Protection(name=f"{OURS}*")] if is_off else kept
    names = sorted(each.name for each in project.protected_branches)
    return f"branches of {project.path_with_namespace}: {names}"


def _merge_nomination(offers: Offers) -> str:
    mr = offers.plot.made.nomination
    actions.merge(offers.plot.world, offers.plot.made.user("olga"), mr)
    return f"olga merges !{mr.iid}"


ACTS: Sequence[Callable[[Offers], str]] = (
    _add_somebody,
    _add_nominee,
    _close,
    _merge,
    _push,
    _push,
    _change_role,
    _change_protection,
    _merge_nomination,
)
