"""Import a library without those of its parts that the bot never uses: each start pays for them."""

import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import ModuleType


class _Nothing:
    """Stands in for a class that is named, but never used."""

    def __init__(self, *_: object) -> None:
        """Take whatever the real one takes."""


class _LeftOut(ModuleType):
    """Stands in for a module: whatever is taken from it is a class that does nothing."""

    def __getattr__(self, name: str) -> type[_Nothing]:
        """Return such a class; what Python itself asks of a module is not there."""
        if name.startswith("__"):
            raise AttributeError(name)
        return _Nothing


@contextmanager
def leave_out(*names: str, missing: Sequence[str] = ()) -> Iterator[None]:
    """Let modules seem to be imported, or to be missing; whoever wants them later gets them.

    What is there already stays. That a library warns of what is missing is not passed on.
    """
    modules: dict[str, ModuleType | None] = {name: _LeftOut(name) for name in names}
    modules |= dict.fromkeys(missing)  # what the import system takes for not installed
    standing = {name: each for name, each in modules.items() if name not in sys.modules}
    known: dict[str, ModuleType | None] = sys.modules  # type: ignore[assignment]
    known.update(standing)
    try:
        with warnings.catch_warnings():
            if missing:
                warnings.simplefilter("ignore")
            yield
    finally:
        for name in standing:
            sys.modules.pop(name, None)
