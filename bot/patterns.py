"""Keep regular expressions compiled beside the code, as Python keeps modules.

A run imports nearly two hundred of them, most in libraries, and compiling those takes a quarter
of its start. What is kept is what `re` hands to its engine, which checks it again; a file of
another version of Python is not used. Whoever can write this file can write the code beside it.
"""

import _sre  # type: ignore[import-not-found]  # the engine of `re`
import marshal
import os
import re
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

# A file for each version, as modules have.
PLACE = Path(__file__).parent / "__pycache__" / f"patterns.{sys.implementation.cache_tag}"
VERSION = (sys.version, _sre.MAGIC, _sre.CODESIZE)
OPTIMIZED = 1  # CO_OPTIMIZED of the inspect module: code of a function
# What `re` compiles anew each time.
NEVER = re.DEBUG | re.LOCALE

# What shows whether this version of `re` works as this module thinks.
PROBE = r"(?P<name>a+?)|(b)[^c]"

_library: Any = re
_compiler = _library._compiler  # noqa: SLF001  what is replaced
_parser = _library._parser  # noqa: SLF001  the first of its two steps


class Patterns:
    """The compiled patterns of a file; those of modules that it lacks are added to it."""

    def __init__(self, path: Path = PLACE) -> None:
        """Read the file, if there is one of this version."""
        self._path = path
        self._is_new = False
        self._known: dict[tuple[Any, int], tuple[Any, ...]] = {}
        with suppress(OSError, ValueError, EOFError, TypeError):
            version, known = marshal.loads(path.read_bytes())  # noqa: S302  as Python's own
            if version == VERSION:
                self._known = dict(known)

    def compile(self, pattern: Any, flags: int = 0) -> Any:
        """Do what the function of the same name in `re` does."""
        if type(pattern) not in {str, bytes} or flags & NEVER:
            return _compile(pattern, flags)
        key = (pattern, int(flags))
        if key not in self._known:
            made = _translate(pattern, flags)
            if not _is_of_module():
                # One that a function makes may hold what it was told, and is made but once.
                return _sre.compile(pattern, *made)
            self._known[key] = made
            self._is_new = True
        return _sre.compile(pattern, *self._known[key])

    def use(self) -> None:
        """Let `re` compile by this from now on, where it is the `re` that this knows."""
        if _is_understood():
            _compiler.compile = self.compile

    def save(self) -> None:
        """Write the file, where anything is new and modules are kept, too."""
        if not self._is_new or sys.dont_write_bytecode:
            return
        draft = self._path.with_name(f"{self._path.name}.{os.getpid()}")
        with suppress(OSError):
            draft.write_bytes(marshal.dumps((VERSION, self._known)))
            draft.replace(self._path)


_compile = _compiler.compile
KEPT = Patterns()


def _is_understood() -> bool:
    try:
        made = _sre.compile(PROBE, *_translate(PROBE, 0))
    except (AttributeError, TypeError, ValueError):
        return False
    return bool(made == _compile(PROBE, 0))


def _translate(pattern: Any, flags: int) -> tuple[Any, ...]:
    """Return what the engine takes of a pattern, as `re._compiler.compile` makes it."""
    parsed = _parser.parse(pattern, flags)
    state = parsed.state
    names: list[str | None] = [None] * state.groups
    for name, number in state.groupdict.items():
        names[number] = name
    code = _compiler._code(parsed, flags)  # noqa: SLF001  the second
    whole = int(flags) | int(state.flags)
    return whole, [int(each) for each in code], state.groups - 1, state.groupdict, tuple(names)


def _is_of_module() -> bool:
    """Return whether a pattern is compiled while a module is imported, outside all functions."""
    frame = sys._getframe(2)  # noqa: SLF001  as `collections.namedtuple` does
    while frame.f_back and frame.f_globals is re.__dict__:
        frame = frame.f_back
    return not frame.f_code.co_flags & OPTIMIZED
