"""Jinja as the bot uses it: strict and escaping, with compiled templates kept.

It is imported when the first template is asked for: until then, no run needs it.
"""

import importlib.resources
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import CodeType

from bot.values import late_patterns

with late_patterns():
    import jinja2

TemplateError = jinja2.TemplateError


class _Compiled(jinja2.BytecodeCache):
    """Templates compiled before in this process, by place and text: compiling is slow."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], CodeType | None] = {}

    def load_bytecode(self, bucket: jinja2.bccache.Bucket) -> None:
        """Fill in what is known."""
        bucket.code = self._known.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: jinja2.bccache.Bucket) -> None:
        """Keep what was compiled."""
        self._known[bucket.key, bucket.checksum] = bucket.code


class KeptTemplates(_Compiled):
    """Compiled templates that are kept beside their texts, where Python keeps its modules, too.

    Jinja reads them only where text, place and Python are the same.
    """

    def __init__(self, directory: Path) -> None:
        super().__init__()
        self._files = jinja2.FileSystemBytecodeCache(str(directory), "%s.pyc")

    def load_bytecode(self, bucket: jinja2.bccache.Bucket) -> None:
        """Fill in what is known, or kept."""
        super().load_bytecode(bucket)
        if bucket.code is None:
            with suppress(OSError):
                self._files.load_bytecode(bucket)

    def dump_bytecode(self, bucket: jinja2.bccache.Bucket) -> None:
        """Keep what was compiled, for the next process too where that is allowed."""
        super().dump_bytecode(bucket)
        if not sys.dont_write_bytecode:
            with suppress(OSError):
                Path(self._files.directory).mkdir(exist_ok=True)
                self._files.dump_bytecode(bucket)


def shipped_templates() -> Path:
    """Return where the shipped templates lie: in the package, or in a checkout beside it."""
    package = Path(str(importlib.resources.files("bot")))
    inside = package / "templates"
    return inside if inside.is_dir() else package.parent / "templates"


COMPILED = _Compiled()
KEPT = KeptTemplates(shipped_templates() / "__pycache__")


def make_environment(
    places: Sequence[str],
    show: Callable[[object], object],
    more: Mapping[str, str] | None = None,
    *,
    keep_newline: bool = False,
) -> jinja2.Environment:
    """Return where templates are found: in places, the shipped ones, and more by name.

    All that they print is shown by `show`.
    """
    loader = jinja2.FileSystemLoader([*places, str(shipped_templates())])
    return jinja2.Environment(
        loader=jinja2.ChoiceLoader([loader, jinja2.DictLoader(more or {})]),
        undefined=jinja2.StrictUndefined,
        autoescape=True,
        finalize=lambda value: value if isinstance(value, jinja2.Undefined) else show(value),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=keep_newline,
        auto_reload=False,
        bytecode_cache=COMPILED if places else KEPT,
    )
