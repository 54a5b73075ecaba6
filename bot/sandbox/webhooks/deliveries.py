"""Deliver webhooks by real HTTP from a thread of their own, as GitLab does, faults included."""

# One module: one class, which keeps the order of letters through all faults.

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

from bot.sandbox.webhooks.bodies import (
    build_check_body,
    build_merge_request_body,
    build_note_body,
    build_pipeline_body,
    build_push_body,
)
from bot.sandbox.webhooks.delivery import Letter, send_letter, write_letter
from bot.sandbox.webhooks.parts import Body
from bot.sandbox.world.activity import Activity
from bot.sandbox.world.entities import HookEvent, MergeRequest, Project, Webhook
from bot.sandbox.world.hooks import FOREVER, is_taken
from bot.sandbox.world.state import Event, RefusedError, World

# app/models/concerns/web_hooks/auto_disabling.rb: how long after which failure.
TOLERATED_FAILURES = 3
LAST_FAILURE = 40
FIRST_PAUSE = timedelta(minutes=1)
LONGEST_PAUSE = timedelta(hours=24)


class Hooks:
    """Turn the world's events into deliveries.

    `fault` may be set to lost, doubled or reordered, `delay` to seconds before each delivery.
    """

    def __init__(self, world: World, activity: Activity | None = None) -> None:
        self.world = world
        self.activity = activity or Activity()
        self.fault = ""
        self.delay = 0.0
        self._held: list[Letter] = []
        self._stop = threading.Event()
        self._worker = ThreadPoolExecutor(1, "webhooks")

    def notice(self, event: Event) -> None:
        """Write the letters that an event calls for; subscribe this to the world."""
        for letter in self._letters(event):
            self._post(letter)

    def drain(self, timeout: float = 60) -> bool:
        """Send what is held back, and wait until deliveries and jobs are done."""
        with self.world.lock:
            self._release()
        return self.activity.wait(timeout)

    def test(self, project: Project, hook: Webhook, trigger: str) -> tuple[int | None, str]:
        """Send a sample of an event at once; return status and answer, raise RefusedError (422).

        GitLab answers only when the delivery has ended: the world's lock must not be held.
        """
        with self.world.lock:
            letter = self._sample(project, hook, trigger)
        status, answer = send_letter(letter)
        self._settle(letter, status, answer)
        return status, answer

    def resend(self, hook: Webhook, found: HookEvent) -> None:
        """Send a delivery again, in its turn; raise RefusedError (422) for another address.

        As app/services/web_hooks/events/resend_service.rb does: the same body and key.
        """
        if found.url != hook.url:
            raise RefusedError(
                422, "The hook URL has changed, and this log entry cannot be retried"
            )
        body = json.loads(found.body)
        letter = write_letter(self.world, hook.address, found.name, body, hook)
        same = {"Idempotency-Key": found.key, "webhook-id": found.key}
        self._submit(replace(letter, headers={**letter.headers, **same}))

    def _sample(self, project: Project, hook: Webhook, trigger: str) -> Letter:
        """Write what GitLab sends as a test: the last of what the project has."""
        mr: MergeRequest | None = next(reversed(project.merge_requests.values()), None)
        if mr is None or (trigger == "note_events" and not mr.comments):
            wanted = "notes" if trigger == "note_events" else "merge requests"
            raise RefusedError(422, f"Ensure the project has {wanted}.")
        event = Event(at=self.world.now, kind="note_created", actor=mr.author, merge_request=mr)
        if trigger == "note_events":
            body = build_note_body(self.world, event, mr, mr.comments[-1])
            return write_letter(self.world, hook.address, "Note Hook", body, hook)
        body = build_merge_request_body(self.world, event, mr)
        return write_letter(self.world, hook.address, "Merge Request Hook", body, hook)

    def close(self) -> None:
        """Drop what has not been sent."""
        self._stop.set()
        self._worker.shutdown(wait=True)

    def _letters(self, event: Event) -> Iterator[Letter]:
        mr, note, world = event.merge_request, event.note, self.world
        if event.kind == "pipeline_created" and event.project is not None:
            body = build_pipeline_body(world, event)
            hooks = event.project.webhooks
            yield from self._to_hooks(hooks, "pipeline_events", "Pipeline Hook", body)
        if event.kind == "branch_pushed" and event.project is not None:
            heard = [each for each in event.project.webhooks if each.hears_of(str(event.subject))]
            if any(each.push_events for each in heard):
                body = build_push_body(world, event, event.project)
                yield from self._to_hooks(heard, "push_events", "Push Hook", body)
        if mr is None:
            return
        if note is not None and event.kind in {"note_created", "note_edited"} and not note.system:
            body = build_note_body(world, event, mr, note)
            name = "Confidential Note Hook" if note.internal else "Note Hook"
            wanted = "confidential_note_events" if note.internal else "note_events"
            yield from self._to_hooks(mr.project.webhooks, wanted, name, body)
        if event.kind in {"merge_request_changed", "thread_resolved"}:
            body = build_merge_request_body(world, event, mr)
            name = "Merge Request Hook"
            yield from self._to_hooks(mr.project.webhooks, "merge_requests_events", name, body)
            for check in mr.project.status_checks if mr.project.settings.ultimate else ():
                body = build_check_body(world, event, mr, check)
                yield write_letter(world, check.external_url, "External Status Check", body)

    def _to_hooks(
        self, hooks: list[Webhook], wanted: str, name: str, body: Body
    ) -> Iterator[Letter]:
        for hook in hooks:
            if getattr(hook, wanted):
                yield write_letter(self.world, hook.address, name, body, hook)

    def _post(self, letter: Letter) -> None:
        if self.fault == "lost":
            return
        if self.fault == "reordered":
            self._held.append(letter)
            if len(self._held) > 1:
                self._release()
        else:
            for _ in range(2 if self.fault == "doubled" else 1):
                self._submit(letter)

    def _release(self) -> None:
        """Send the letters held back, the newest first."""
        while self._held:
            self._submit(self._held.pop())

    def _submit(self, letter: Letter) -> None:
        self.activity.begin()
        self._worker.submit(self._deliver, letter)

    def _deliver(self, letter: Letter) -> None:
        with self.activity.ending():
            if not self._stop.wait(self.delay) and not self._is_disabled(letter.hook):
                self._settle(letter, *send_letter(letter))

    def _settle(self, letter: Letter, status: int | None, answer: str) -> None:
        hook = letter.hook
        if hook is None:
            return
        with self.world.lock:
            self._count(hook, good=is_taken(status))
            found = HookEvent(
                id=self.world.next_id("hook_event"),
                trigger=f"{letter.event.lower().replace(' ', '_')}s",
                url=hook.url,
                status=status,
                answer=answer,
                at=self.world.now,
                name=letter.event,
                body=letter.body,
                key=letter.headers["Idempotency-Key"],
            )
            hook.events.append(found)

    def _is_disabled(self, hook: Webhook | None) -> bool:
        until = None if hook is None else hook.disabled_until
        return until is not None and self.world.now < until

    def _count(self, hook: Webhook, *, good: bool) -> None:
        """Keep GitLab's score: three failures in a row are tolerated, the 40th is the last."""
        hook.failures = 0 if good else hook.failures + 1
        over = hook.failures - TOLERATED_FAILURES
        if hook.failures >= LAST_FAILURE:
            hook.disabled_until = FOREVER
        elif over > 0:
            pause = min(FIRST_PAUSE * 2 ** (over - 1), LONGEST_PAUSE)
            hook.disabled_until = self.world.now + pause
        else:
            hook.disabled_until = None
