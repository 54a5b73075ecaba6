"""Parameters of the REST interface: declared, converted, and refused where not known."""

# One module: a kind of parameter is declared, converted and refused by one row of functions.

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, TypeVar

from bot.sandbox.world.entities import Label
from bot.sandbox.world.state import RefusedError

TRUE = frozenset({True, "true", "1", "t", "yes"})
FALSE = frozenset({False, "false", "0", "f", "no"})
MAX_TEXT = 1_048_576
NAME = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)\Z")
KEY = re.compile(r"\[([^\[\]]*)\]")
Value = TypeVar("Value")
Report = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Param:
    """A parameter: how to convert it, which values it may have, how long it may be."""

    convert: Callable[[Any], Any]
    required: bool = False
    choices: tuple[str, ...] = ()
    longest: int = MAX_TEXT
    fields: Mapping[str, "Param"] = field(default_factory=dict)


def _to_integer(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        raise ValueError(value)
    if isinstance(value, str) and not re.fullmatch(r"-?[0-9]{1,18}", value):
        raise ValueError(value)
    return int(value)


def _to_number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise TypeError(value)
    return float(value)


def _to_flag(value: object) -> bool:
    if isinstance(value, str):
        value = value.casefold()
    if isinstance(value, (str, bool, int)) and value in TRUE | FALSE:
        return value in TRUE
    raise ValueError(value)


def _must_be(kind: type[Value]) -> Callable[[object], Value]:
    """Take what is of a type already."""

    def convert_(value: object) -> Value:
        if not isinstance(value, kind):
            raise TypeError(value)
        return value

    return convert_


_to_text = _must_be(str)


def _to_time(value: object) -> datetime:
    parsed = datetime.fromisoformat(_to_text(value))
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def _split(value: object) -> list[Any]:
    return value.split(",") if isinstance(value, str) else _must_be(list)(value)


def _to_words(value: object) -> list[str]:
    return [str(each).strip() for each in _split(value) if str(each).strip()]


def _to_integers(value: object) -> list[int]:
    return [_to_integer(each) for each in _split(value) if each != ""]


def _to_integer_or_word(value: object) -> int | str:
    if isinstance(value, str) and value.casefold() in {"any", "none"}:
        return value
    return _to_integer(value)


# The kinds of parameters by name; of words and numbers there may be a list, or commas between.
KINDS: Mapping[str, Param] = {
    "flag": Param(convert=_to_flag),
    "integer": Param(convert=_to_integer),
    "integer_or_word": Param(convert=_to_integer_or_word),
    "integers": Param(convert=_to_integers),
    "items": Param(convert=_must_be(list)),
    "mapping": Param(convert=_must_be(dict)),
    "moment": Param(convert=_to_time),
    "number": Param(convert=_to_number),
    "short": Param(convert=_to_text, longest=255),
    "text": Param(convert=_to_text),
    "words": Param(convert=_to_words),
}


def takes(
    *others: Mapping[str, Param],
    required: str = "",
    choices: Mapping[str, str] | None = None,
    **kinds: str,
) -> dict[str, Param]:
    """Declare parameters by kind, their names with spaces between, besides `others` or over them.

    What is `required` must be given; each of `choices` is one of a few words.
    """
    found = {name: param for each in others for name, param in each.items()}
    for kind, names in kinds.items():
        found |= dict.fromkeys(names.split(), KINDS[kind])
    for name, words in (choices or {}).items():
        found[name] = Param(convert=_to_text, choices=tuple(words.split()))
    return found | {name: replace(found[name], required=True) for name in required.split()}


def mapping(fields: Mapping[str, Param]) -> Param:
    """Declare an object with `fields`."""
    return Param(convert=_must_be(dict), fields=fields)


def items(fields: Mapping[str, Param]) -> Param:
    """Declare a list of objects with `fields`."""
    return Param(convert=_must_be(list), fields=fields)


PAGING = takes(integer="page per_page")
# What issues and merge requests take alike, and only where they are changed.
ISSUABLE = takes(
    text="description", words="labels", integer="assignee_id milestone_id", integers="assignee_ids"
)
# The old words have hyphens.
SCOPES = "all created_by_me assigned_to_me created-by-me assigned-to-me"
LABELLED = takes(words="add_labels remove_labels")


def is_inside(given: Mapping[str, Any], **times: datetime) -> bool:
    """Return whether times are in what `…_after` and `…_before` of their names ask for."""
    return all(
        given.get(f"{name}_after", at) <= at <= given.get(f"{name}_before", at)
        for name, at in times.items()
    )


def read_assignees(given: Mapping[str, Any]) -> list[int] | None:
    """Read who is to be assigned; None to leave that as it is."""
    one, several = given.get("assignee_id"), given.get("assignee_ids")
    return [one] if several is None and one is not None else several


def read_labels(given: Mapping[str, Any], own: Iterable[Label]) -> tuple[str, ...] | None:
    """Read which labels there are to be; None to leave them as they are."""
    if not {"labels", *LABELLED} & set(given):
        return None
    names = given.get("labels", [label.name for label in own])
    names = [*names, *given.get("add_labels", ())]
    return tuple(name for name in names if name not in given.get("remove_labels", ()))


def unfold(pairs: Iterable[tuple[str, object]]) -> dict[str, Any]:
    """Build nested values from the names of a query or form, as Rack does; raise RefusedError.

    `a[]=x` adds to a list, `a[b][c]=x` goes into objects, and `a[][b]=x` into the last object of
    a list, or a new one where that has a `b` (Rack, lib/rack/query_parser.rb).
    """
    found: dict[str, Any] = {}
    for name, value in pairs:
        parts = NAME.match(name)
        try:
            if parts is None:
                raise TypeError(name)
            _place(found, [parts[1], *KEY.findall(parts[2])], value)
        except (TypeError, AttributeError):
            raise RefusedError(400, f"{name} is invalid", key="error") from None
    return found


def _place(found: dict[str, Any], keys: list[str], value: object) -> None:
    name, *rest = keys
    if not rest:
        found[name] = value
    elif rest[0]:
        _place(found.setdefault(name, {}), rest, value)
    elif len(rest) == 1:
        found.setdefault(name, []).append(value)
    else:
        rows = found.setdefault(name, [])
        if not rows or rest[1] in rows[-1]:
            rows.append({})
        _place(rows[-1], rest[1:], value)


def convert(
    declared: Mapping[str, Param],
    given: Mapping[str, Any],
    report: Report,
    prefix: str = "",
) -> Any:
    """Convert given parameters to what is declared; raise RefusedError (400) otherwise.

    What is not declared is told to `report`, and passed over unless that refuses it.
    """
    for name in [each for each in given if each not in declared]:
        known = ", ".join(declared) or "none"
        report(f"unknown parameter: {_inside(prefix, name)} (this endpoint knows: {known})")
    missing = [n for n, param in declared.items() if param.required and given.get(n) is None]
    if missing:
        words_ = ", ".join(f"{_inside(prefix, name)} is missing" for name in missing)
        raise RefusedError(400, words_, key="error")
    return {
        name: _convert_one(declared[name], value, report, _inside(prefix, name))
        for name, value in given.items()
        if value is not None and name in declared
    }


def _inside(prefix: str, name: str) -> str:
    return f"{prefix}[{name}]" if prefix else name


def _convert_one(param: Param, value: object, report: Report, name: str) -> Any:
    try:
        converted = param.convert(value)
    except (ValueError, TypeError, OverflowError):
        raise RefusedError(400, f"{name} is invalid", key="error") from None
    if param.choices and converted not in param.choices:
        raise RefusedError(400, f"{name} does not have a valid value", key="error")
    if isinstance(converted, str) and len(converted) > param.longest:
        problem = f"{name} is too long (maximum is {param.longest} characters)"
        raise RefusedError(400, problem, key="error")
    if not param.fields:
        return converted
    if isinstance(converted, list):
        return [_convert_one(mapping(param.fields), each, report, name) for each in converted]
    return convert(param.fields, converted, report, name)
