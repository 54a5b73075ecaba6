"""Shapes of mappings: a fixed set of keys, or one of several sets chosen by the key `kind`."""
# One module: a `Variant` is several `Record`s, and both read and describe keys alike.

import dataclasses
from collections.abc import Callable, Iterable, Mapping as Values
from typing import Any, ClassVar

from bot.policy.grammar.mistakes import Contradiction, Draft, Mistakes, allow, describe, quote
from bot.policy.grammar.nodes import Mapping, Node, Refused, Scalar
from bot.policy.grammar.shapes import Schema, Shape
from bot.values import dataclass

KIND = "kind"


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One key of a mapping; `default` stands in where an optional key is left out."""

    name: str
    shape: Shape
    about: str
    required: bool = True
    default: Any = None


@dataclass(frozen=True, slots=True)
class Key:
    """What the language says of a value's field, beside its type: `Annotated[int, Key(…)]`.

    Without a shape, whoever describes the mapping fills it in; `name` is the key where it is not
    the field's name.
    """

    shape: Shape | None
    about: str
    name: str | None = None


def keys_of(value: type, **shapes: Shape) -> tuple[Field, ...]:
    """Return the keys that describe a value class: its annotated fields, in their order."""
    found = []
    for each in dataclasses.fields(value):
        for key in getattr(each.type, "__metadata__", ()):
            required = each.default is dataclasses.MISSING
            found.append(
                Field(
                    name=key.name or each.name,
                    shape=key.shape or shapes[each.name],
                    about=key.about,
                    required=required,
                    default=None if required else each.default,
                )
            )
    return tuple(found)


Check = Callable[[Values[str, Any]], Iterable[Contradiction]]


class OfKind:
    """A value that a policy chooses by the word after `kind`; `about` says what it asks."""

    __slots__ = ()

    kind: ClassVar[str]
    about: ClassVar[str]

    @classmethod
    def contradictions(cls, _: Values[str, Any]) -> Iterable[Contradiction]:
        """Find what cannot be meant by keys that are right alone; nothing, unless a kind does."""
        return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A mapping with known keys only; `check` gets the values of those that could be read."""

    about: str
    fields: tuple[Field, ...]
    build: Callable[..., Any]
    check: Check = OfKind.contradictions

    @property
    def says(self) -> str:
        """Describe the shape for people."""
        return "a mapping with " + ", ".join(field.name for field in self.fields)

    def read(self, node: Node, name: str, mistakes: Mistakes) -> Draft | None:
        """Return what could be read."""
        mapping = _mapping(node, name, self.says, mistakes)
        if mapping is None:
            return None
        _refuse_unknown(mapping, self.fields, name, mistakes)
        return _draft(self, mapping, name, mistakes)

    def schema(self) -> Schema:
        """Return an object that allows no other keys."""
        return _object(self.about, self.fields, {})


def tabulate(*values: type[OfKind]) -> Values[str, Record]:
    """Return the table of some kinds: the keys of each, by its name."""
    return {
        each.kind: Record(
            about=each.about, fields=keys_of(each), build=each, check=each.contradictions
        )
        for each in values
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """A mapping with common keys and those of its kind; the kind's value becomes `slot`."""

    common: tuple[Field, ...]
    kinds: Values[str, Record]
    slot: str
    build: Callable[..., Any]

    @property
    def says(self) -> str:
        """Describe the shape for people."""
        return "a mapping with kind, " + ", ".join(field.name for field in self.common)

    def read(self, node: Node, name: str, mistakes: Mistakes) -> Draft | None:
        """Return what could be read; the further keys of an unknown kind are not judged."""
        mapping = _mapping(node, name, self.says, mistakes)
        if mapping is None:
            return None
        kind = self._kind(mapping, name, mistakes)
        values = _read_fields(mapping, self.common, name, mistakes)
        if kind is not None:
            _refuse_unknown(mapping, (*self.common, *kind.fields), name, mistakes, KIND)
            values[self.slot] = _draft(kind, mapping, name, mistakes)
        return Draft(node=mapping, values=values, build=self.build)

    def schema(self) -> Schema:
        """Return one whole object a kind, so that an editor offers the keys of that kind."""
        return {
            "oneOf": [
                _object(
                    kind.about,
                    (*self.common, *kind.fields),
                    {KIND: {"const": name, "description": kind.about}},
                )
                for name, kind in self.kinds.items()
            ]
        }

    def _kind(self, mapping: Mapping, name: str, mistakes: Mistakes) -> Record | None:
        node = mapping.entries[KIND][1] if KIND in mapping.entries else None
        if isinstance(node, Scalar) and node.text in self.kinds:
            return self.kinds[node.text]
        if isinstance(node, Refused):
            return None
        found = "no such key" if node is None else describe(node)
        place = mapping.place if node is None else node.place
        allowed = allow(self.kinds, node.text if isinstance(node, Scalar) else "")
        mistakes.add(place, f"`{_under(name, KIND)}` is wrong", found, allowed)
        return None


def _mapping(node: Node, name: str, says: str, mistakes: Mistakes) -> Mapping | None:
    if isinstance(node, Mapping):
        return node
    if not isinstance(node, Refused):
        mistakes.add(node.place, f"`{name or 'policy'}` is wrong", describe(node), says)
    return None


def _refuse_unknown(
    mapping: Mapping, fields: Iterable[Field], name: str, mistakes: Mistakes, *more: str
) -> None:
    known = [*more, *(field.name for field in fields)]
    for key, (place, _) in mapping.entries.items():
        if key not in known:
            mistakes.add(place, f"unknown key in {_title(name)}", quote(key), allow(known, key))


def _read_fields(
    mapping: Mapping, fields: Iterable[Field], name: str, mistakes: Mistakes
) -> dict[str, Any]:
    """Return the value of each field that is neither missing nor wrong."""
    values: dict[str, Any] = {}
    for field in fields:
        if field.name in mapping.entries:
            node = mapping.entries[field.name][1]
            value = field.shape.read(node, _under(name, field.name), mistakes)
            values |= {} if value is None else {field.name: value}
        elif field.required:
            what = f"`{field.name}` is missing in {_title(name)}"
            mistakes.add(mapping.place, what, "no such key", field.shape.says)
        else:
            values[field.name] = field.default
    return values


def _draft(row: Record, mapping: Mapping, name: str, mistakes: Mistakes) -> Draft:
    """Return what the keys of a row say, after noting where they contradict each other."""
    values = _read_fields(mapping, row.fields, name, mistakes)
    draft = Draft(node=mapping, values=values, build=row.build)
    for one in row.check(values):
        mistakes.add(draft.find_place(*one.at), one.what, one.found, one.expected)
    return draft


def _object(about: str, fields: Iterable[Field], first: dict[str, Schema]) -> Schema:
    fields = tuple(fields)
    properties = {field.name: _property(field) for field in fields}
    return {
        "type": "object",
        "description": about,
        "properties": first | properties,
        "required": [*first, *(field.name for field in fields if field.required)],
        "additionalProperties": False,
    }


def _property(field: Field) -> Schema:
    default = {} if field.default in {None, ()} else {"default": field.default}
    about = f"{field.about} Expected: {field.shape.says}."
    return {"description": about} | field.shape.schema() | default


def _under(name: str, key: str) -> str:
    return f"{name}.{key}" if name else key


def _title(name: str) -> str:
    return f"`{name}`" if name else "the policy"
