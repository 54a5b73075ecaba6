"""Jinja as the bot uses it: strict and escaping, with compiled templates kept.

It is imported when the first template is asked for: until then, no run needs it.
"""

import importlib.resources
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from bot.values import late_patterns

with late_patterns():
    import jinja2

TemplateError = jinja2.TemplateError


class KeptTemplates(jinja2.FileSystemBytecodeCache):
    """Compiled templates that are kept beside their texts, where Python keeps its modules, too.

    Jinja reads them only where text, place and Python are the same; of others nothing is kept.
    """

    def get_cache_key(self, name: str, filename: str | None = None) -> str:
        """Return what a template is kept as: nothing where it is an operator's own."""
        own = filename and not Path(filename).is_relative_to(Path(self.directory).parent)
        return "" if own else super().get_cache_key(name, filename)

    def load_bytecode(self, bucket: jinja2.bccache.Bucket) -> None:
        """Fill in what is kept."""
        if bucket.key:
            with suppress(OSError):
                super().load_bytecode(bucket)

    def dump_bytecode(self, bucket: jinja2.bccache.Bucket) -> None:
        """Keep what was compiled for the next process, where that is allowed."""
        if bucket.key and not sys.dont_write_bytecode:
            with suppress(OSError):
                Path(self.directory).mkdir(exist_ok=True)
                super().dump_bytecode(bucket)


def shipped_templates() -> Path:
    """Return where the shipped templates lie: in the package, or in a checkout beside it."""
    package = Path(str(importlib.resources.files("bot")))
    inside = package / "templates"
    return inside if inside.is_dir() else package.parent / "templates"


KEPT = KeptTemplates(str(shipped_templates() / "__pycache__"), "%s.pyc")


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
        undefined=jinja2.StrictUndefined,  # a misspelt name is to be told, not left out
        autoescape=True,
        finalize=lambda value: value if isinstance(value, jinja2.Undefined) else show(value),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=keep_newline,
        auto_reload=False,  # a run is over before anybody edits a template
        bytecode_cache=KEPT,
    )
