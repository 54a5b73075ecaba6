"""Answer a question that was asked before, of the same state, as it was answered then.

A world that is always made alike, and to which the same is done in the same order, is the
same: so its state is what has happened in it. Writes are never remembered but made.
"""

from dataclasses import dataclass, field

from werkzeug.wrappers import Request

from bot.sandbox.http.misbehaving import Misbehaving, Respond, is_write
from bot.sandbox.rest.core import Answer
from bot.sandbox.world.state import World

Memory = dict[tuple[object, ...], Answer]


@dataclass(slots=True)
class Remembering(Misbehaving):
    """Answers reads from a memory that worlds which begin alike share."""

    memory: Memory = field(default_factory=dict)
    _writes: tuple[tuple[object, ...], ...] = ()

    def state_of(self, world: World) -> tuple[object, ...]:
        """Return what worlds have in common that are the same."""
        return self._writes, len(world.events), world.now

    def answer(self, world: World, request: Request, route: str, respond: Respond) -> Answer:
        """Answer as before, where this was asked before."""
        asked = (route, request.full_path, request.get_data(), request.headers["Authorization"])
        if is_write(request):
            with world.lock:
                self._writes = (*self._writes, asked)
                return Misbehaving.answer(self, world, request, route, respond)
        state = self.state_of(world)
        found = self.memory.get((*state, asked))
        if found is None:
            found = self.memory[*state, asked] = Misbehaving.answer(
                self, world, request, route, respond
            )
        return found
