"""Tell of things field by field, as Grape's `expose` does where a field is called as it is told."""

from collections.abc import Callable
from datetime import datetime
from typing import Any


def expose_fields(
    source: object, names: str, write_time: Callable[[datetime], str | None]
) -> dict[str, Any]:
    """Read fields, their names with spaces between; times are written as the interface does."""
    values = {name: getattr(source, name) for name in names.split()}
    return {
        name: write_time(value) if isinstance(value, datetime) else value
        for name, value in values.items()
    }
