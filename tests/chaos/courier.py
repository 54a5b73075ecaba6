"""Carry webhook bodies to the bot's door: some get lost, come twice, late or out of order."""

import json
from collections.abc import Iterator
from random import Random

from bot.event import Event as Told, Push, read_event
from bot.sandbox.webhooks.bodies import (
    build_check_body,
    build_merge_request_body,
    build_note_body,
    build_push_body,
)
from bot.sandbox.webhooks.parts import Body
from bot.sandbox.world.state import Event, World
from bot.scope import DEFAULT_ENTRIES
from tests.nomination_world import TEAM

LOST, DOUBLED, OVERTAKING = 0.12, 0.12, 0.25


class Courier:
    """Collects what GitLab would send, as merge requests to look at, or pushes to look after."""

    def __init__(self, world: World, random: Random) -> None:
        self._world = world
        self._random = random
        self.waiting: list[int | Push] = []
        self.counts = {"sent": 0, "lost": 0, "doubled": 0, "irrelevant": 0}
        world.subscribers.append(self.notice)

    def notice(self, event: Event) -> None:
        """Write the bodies of an event and send each on its way."""
        for body in self._bodies(event):
            raw = json.dumps(body).encode()
            told = read_event(raw, TEAM, "nomination", (), DEFAULT_ENTRIES)
            if isinstance(told, Told):
                self._send(told.iid)
            elif isinstance(told, Push):
                self._send(told)
            else:
                self.counts["irrelevant"] += 1

    def take(self) -> int | Push:
        """Deliver one: mostly the oldest."""
        overtaken = self._random.random() < OVERTAKING
        return self.waiting.pop(self._random.randrange(len(self.waiting)) if overtaken else 0)

    def _bodies(self, event: Event) -> Iterator[Body]:
        mr, note, world = event.merge_request, event.note, self._world
        project = event.project
        if event.kind == "branch_pushed" and project and project.path_with_namespace == TEAM:
            yield build_push_body(world, event, project)
        if mr is None or mr.project.path_with_namespace != TEAM:
            return
        if note is not None and event.kind in {"note_created", "note_edited"} and not note.internal:
            yield build_note_body(world, event, mr, note)
        if event.kind == "merge_request_changed":
            yield build_merge_request_body(world, event, mr)
            for check in mr.project.status_checks:
                yield build_check_body(world, event, mr, check)

    def _send(self, told: int | Push) -> None:
        fate = self._random.random()
        self.counts["sent"] += 1
        if fate < LOST:
            self.counts["lost"] += 1
            return
        self.waiting.append(told)
        if fate > 1 - DOUBLED:
            self.counts["doubled"] += 1
            self.waiting.append(told)
