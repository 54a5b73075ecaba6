"""Read a scenario's seed strictly: every key is known, every value has its type."""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from typing import Any, TypeVar

T = TypeVar("T")


class SeedError(ValueError):
    """A scenario does not say what it must; the message names the place."""


class Section:
    """A mapping in the seed; `end` refuses the keys that nobody took."""

    def __init__(self, where: str, content: object) -> None:
        if not isinstance(content, Mapping):
            raise SeedError(f"{where}: expected a mapping, found {content!r}")
        self.where = where
        self._left: dict[str, Any] = {str(key): value for key, value in content.items()}
        self._known: list[str] = []

    def take(self, name: str, kind: type[T], default: T | None = None) -> T:
        """Take a value of a type, which must be there unless it has a default."""
        self._known.append(name)
        if name not in self._left:
            if default is None:
                raise SeedError(f"{self.where}: {name} is missing")
            return default
        value = self._left.pop(name)
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise SeedError(f"{self.where}.{name}: expected {kind.__name__}, found {value!r}")
        return value

    def maybe(self, name: str, kind: type[T]) -> T | None:
        """Take a value of a type that may be absent."""
        if name not in self._left:
            self._known.append(name)
            return None
        return self.take(name, kind)

    def moment(self, name: str, default: datetime) -> datetime:
        """Take a time; a day is its first second, and UTC is meant where no zone is named."""
        value = self.maybe(name, object)
        if value is None:
            return default
        if isinstance(value, date) and not isinstance(value, datetime):
            value = datetime(value.year, value.month, value.day)  # noqa: DTZ001 - zone set below
        if not isinstance(value, datetime):
            raise SeedError(f"{self.where}.{name}: expected a time, found {value!r}")
        return value if value.tzinfo else value.replace(tzinfo=UTC)

    def section(self, name: str) -> "Section":
        """Take a mapping, empty if absent."""
        self._known.append(name)
        return Section(f"{self.where}.{name}", self._left.pop(name, None) or {})

    def sections(self, name: str) -> Iterator["Section"]:
        """Take a list of mappings, empty if absent."""
        for index, content in enumerate(self.take(name, list, [])):
            yield Section(f"{self.where}.{name}[{index}]", content)

    def entries(self) -> Iterator[tuple[str, "Section"]]:
        """Take every key, each with a mapping, which may be empty."""
        for key in tuple(self._left):
            content = self._left.pop(key)
            yield key, Section(f"{self.where}.{key}", {} if content is None else content)

    def rest(self) -> dict[str, Any]:
        """Take all that is left."""
        left, self._left = self._left, {}
        return left

    def words(self, name: str, default: tuple[str, ...] = ()) -> tuple[str, ...]:
        """Take a list of words."""
        return tuple(str(each) for each in self.take(name, list, list(default)))

    def end(self) -> None:
        """Refuse what is left; raise SeedError."""
        if self._left:
            known = ", ".join(sorted(self._known))
            raise SeedError(f"{self.where}: unknown key {min(self._left)!r}; known are {known}")
