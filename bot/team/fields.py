"""Read a YAML mapping as it counts: repeated keys, merge keys and aliases, within limits."""

import re
from typing import Any, NamedTuple

import yaml

from bot.errors import TeamDatabaseError
from bot.team.tree import MAX_DEPTH, Items, Node, Pairs, Scalar

MAX_EXPANDED = 10_000
_MAX_RESOLVED = 100  # characters; longer texts are no usernames anyway


class Fields(NamedTuple):
    """A mapping as it counts: text keys, the last repetition wins, written keys beat merged."""

    values: dict[str, Node]
    repeated: tuple[str, ...]
    overruled: tuple[str, ...]


class Allowance:
    """Bound the work that aliases can multiply."""

    def __init__(self, where: str) -> None:
        self._where = where
        self._left = MAX_EXPANDED

    def spend(self, depth: int) -> None:
        """Count one expanded value at a depth; raises TeamDatabaseError when they are too many."""
        self._left -= 1
        if self._left < 0 or depth > MAX_DEPTH:
            raise TeamDatabaseError(
                f"{self._where} expands through its aliases to more than {MAX_EXPANDED:,} values "
                f"or {MAX_DEPTH} levels: write them out."
            )


def read_fields(pairs: Pairs, allowance: Allowance, depth: int = 0) -> Fields:
    """Read a mapping with its `<<` merge keys, earlier sources first as YAML 1.1 says."""
    own: dict[str, Node] = {}
    merged: dict[str, Node] = {}
    repeated: list[str] = []
    for key, value in pairs.nodes:
        if not isinstance(key, Scalar):
            continue
        if key.text == "<<" and key.plain and not isinstance(value, Scalar):
            _merge(value, merged, allowance, depth)
            continue
        name = key.text  # as written: other readers do not strip it
        if name in own:
            repeated.append(name)
        own[name] = value
    overruled = tuple(name for name in merged if name in own and merged[name] is not own[name])
    return Fields({**merged, **own}, tuple(dict.fromkeys(repeated)), overruled)


def _merge(
    source: Items | Pairs, merged: dict[str, Node], allowance: Allowance, depth: int
) -> None:
    sources = source.nodes if isinstance(source, Items) else (source,)
    for each in sources:
        allowance.spend(depth)
        if isinstance(each, Pairs):
            for name, value in read_fields(each, allowance, depth + 1).values.items():
                allowance.spend(depth)
                merged.setdefault(name, value)


def is_resolved(text: str) -> bool:
    """Return whether YAML 1.1 loaders take a plain text for a number, date, truth value or null."""
    known: Any = yaml.SafeLoader.yaml_implicit_resolvers
    rules = [*known.get(text[:1], ()), *known.get(None, ())]
    return len(text) <= _MAX_RESOLVED and any(re.match(rule, text) for _, rule in rules)
