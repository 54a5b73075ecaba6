"""Build a world from a scenario's plain files."""

# One module: a seed is read from top to bottom, a function for each of its sections.

from collections.abc import Mapping
from dataclasses import fields
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from bot.sandbox.story.seed_history import add_merge_requests, commit_files, find_person
from bot.sandbox.story.seed_section import Section, SeedError
from bot.sandbox.world.entities import (
    Group,
    GroupLink,
    Label,
    Level,
    Member,
    Project,
    ProjectSettings,
    Protection,
    StatusCheck,
    Token,
    TriggerToken,
    User,
    Webhook,
)
from bot.sandbox.world.repository import Repository
from bot.sandbox.world.shipped import read_yaml
from bot.sandbox.world.state import START, World

SEED = "seed.yml"
EVENTS = ("merge_requests", "notes", "confidential_notes", "pushes")


def load_scenario(directory: Path) -> World:
    """Build a world from `seed.yml` and the files beside it; raise SeedError."""
    try:
        content = read_yaml((directory / SEED).read_text("utf-8"))
    except (OSError, yaml.YAMLError) as problem:
        raise SeedError(f"{directory / SEED}: {problem}") from problem
    return build_world(content, directory)


def build_world(content: object, directory: Path) -> World:
    """Build a world from the content of a seed; raise SeedError."""
    seed = Section("seed", content)
    world = World(seed.moment("now", START))
    for username, section in seed.section("users").entries():
        _add_user(world, username, section)
    for path, section in sorted(seed.section("groups").entries()):
        _add_group(world, path, section)
    for path, section in seed.section("projects").entries():
        _add_project(world, path, section, directory)
    for section in seed.sections("tokens"):
        _add_token(world, section)
    seed.end()
    return world


def _number(world: World, kind: str, section: Section) -> int:
    chosen = section.maybe("id", int)
    return world.next_id(kind) if chosen is None else world.reserve_id(kind, chosen)


def _add_user(world: World, username: str, section: Section) -> None:
    user = User(
        id=_number(world, "user", section),
        username=username,
        name=section.take("name", str, username),
        state=section.take("state", str, "active"),
        bot=section.take("bot", bool, False),
        created_at=section.moment("created_at", world.now),
    )
    section.end()
    world.add_user(user)


def _level(name: object, where: str) -> int:
    try:
        return Level[str(name).upper()]
    except KeyError:
        known = ", ".join(level.name.lower() for level in Level)
        raise SeedError(f"{where}: unknown level {name!r}; known are {known}") from None


def _read_members(world: World, section: Section) -> dict[int, Member]:
    members = {}
    for username, given in section.rest().items():
        where = f"{section.where}.{username}"
        detail = Section(where, given if isinstance(given, Mapping) else {"level": given})
        level, ends = _level(detail.take("level", str), where), detail.maybe("expires", date)
        detail.end()
        user = find_person(world, username, where)
        members[user.id] = Member(user=user, level=level, created_at=world.now, expires_at=ends)
    return members


def _read_links(world: World, section: Section) -> list[GroupLink]:
    links = []
    for path, level in section.rest().items():
        group = world.find_group(path)
        if group is None:
            raise SeedError(f"{section.where}: no group {path!r}; name it before")
        links.append(GroupLink(group=group, level=_level(level, section.where)))
    return links


def _add_group(world: World, path: str, section: Section) -> Group:
    parent_path = path.rpartition("/")[0]
    parent = _ensure_group(world, parent_path) if parent_path else None
    group = world.find_group(path) or Group(
        id=_number(world, "group", section),
        full_path=path,
        name=section.take("name", str, path.rsplit("/", 1)[-1]),
        created_at=world.now,
        parent=parent,
    )
    group.visibility = section.take("visibility", str, "public")
    group.members = _read_members(world, section.section("members"))
    group.shared_with = _read_links(world, section.section("shared_with"))
    section.end()
    return world.add_group(group)


def _ensure_group(world: World, path: str) -> Group:
    return world.find_group(path) or _add_group(world, path, Section(path, {}))


def _add_project(world: World, path: str, section: Section, directory: Path) -> None:
    namespace = path.rpartition("/")[0]
    owner = world.find_user(namespace)
    source = _forked_from(world, section)
    branch = section.take("default_branch", str, "main")
    protected = section.words("protected", (branch,))
    project = Project(
        id=_number(world, "project", section),
        path_with_namespace=path,
        name=section.take("name", str, path.rsplit("/", 1)[-1]),
        created_at=world.now,
        repository=source.repository.fork() if source else Repository(),
        default_branch=branch,
        visibility=section.take("visibility", str, "public"),
        merge_requests_access=section.take("merge_requests_access", str, "enabled"),
        repository_access=section.take("repository_access", str, "enabled"),
        description=section.maybe("description", str),
        group=None if owner else _ensure_group(world, namespace),
        owner=owner,
        forked_from=source,
        settings=_read_settings(section),
        members=_read_members(world, section.section("members")),
        shared_with=_read_links(world, section.section("shared_with")),
        protected_branches=[Protection(name=each) for each in protected],
    )
    if owner is not None:
        member = Member(user=owner, level=Level.OWNER, created_at=world.now)
        project.members.setdefault(owner.id, member)
    world.add_project(project)
    for name in section.words("labels"):
        project.labels[name] = Label(id=world.next_id("label"), name=name)
    _add_connections(world, project, section)
    commit_files(world, project, section, directory)
    add_merge_requests(world, project, section)
    section.end()


def _forked_from(world: World, section: Section) -> Project | None:
    path = section.maybe("forked_from", str)
    found = world.find_project(path) if path else None
    if path and found is None:
        raise SeedError(f"{section.where}: no project {path!r}; name it before")
    return found


def _read_settings(section: Section) -> ProjectSettings:
    given = section.section("settings")
    chosen: dict[str, Any] = {
        each.name: given.take(each.name, type(each.default), each.default)
        for each in fields(ProjectSettings)
    }
    given.end()
    return ProjectSettings(**chosen)


def _add_connections(world: World, project: Project, section: Section) -> None:
    # One function: three sections of the seed, each key with its type.
    for hook in section.sections("webhooks"):
        events = hook.words("events", ("merge_requests", "notes"))
        unknown = set(events) - set(EVENTS)
        if unknown:
            known = ", ".join(EVENTS)
            raise SeedError(f"{hook.where}.events: unknown {min(unknown)!r}; known are {known}")
        project.webhooks.append(
            Webhook(
                id=world.next_id("webhook"),
                url=hook.take("url", str),
                token=hook.maybe("token", str),
                merge_requests_events="merge_requests" in events,
                note_events="notes" in events,
                confidential_note_events="confidential_notes" in events,
                push_events="pushes" in events,
                push_events_branch_filter=hook.take("branch", str, ""),
            )
        )
        hook.end()
    for trigger in section.sections("triggers"):
        owner = find_person(world, trigger.take("owner", str), trigger.where)
        value = trigger.take("token", str)
        number = world.next_id("trigger")
        project.triggers.append(TriggerToken(id=number, value=value, owner=owner))
        trigger.end()
    for check in section.sections("status_checks"):
        project.status_checks.append(
            StatusCheck(
                id=_number(world, "status_check", check),
                name=check.take("name", str),
                external_url=check.take("url", str),
                shared_secret=check.maybe("secret", str),
            )
        )
        check.end()


def _add_token(world: World, section: Section) -> None:
    world.tokens.append(
        Token(
            id=world.next_id("token"),
            value=section.take("token", str),
            user=find_person(world, section.take("user", str), section.where),
            scopes=section.words("scopes", ("api",)),
            expires_at=section.maybe("expires", date),
            revoked=section.take("revoked", bool, False),
            kind=section.take("kind", str, "personal"),
        )
    )
    section.end()
