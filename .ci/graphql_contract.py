"""What of GraphQL the bot relies on and GitLab publishes, and whether the check would tell."""

import copy
import dataclasses
import importlib
import pkgutil
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from graphql import (
    FieldNode,
    GraphQLSchema,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    parse,
    validate,
    visit,
)
from graphql_answers import Sent, check_answer

import bot.evidence
import bot.gitlab
from bot.evidence.facts import Asks
from bot.gitlab.packing import Query
from bot.gitlab.queries import build_parts

WRONG = object()  # stands for a value that no scalar, list or object of the schema allows
# A value for each field of the needs.
EXAMPLE: dict[str, Any] = {
    "author": "ada",
    "branch": "nominate-ada",
    "group": "a",
    "iid": 1,
    "iids": (1,),
    "name": "nomination-bot",
    "path": "c.yml",
    "project": "a/b",
    "project_id": 1,
    "ref": "main",
    "sha": "0" * 40,
    "user_id": 7,
    "username": "ada",
    "wanted": 10,
}
# Answers to a query of a merge request, each wrong in one way that a client would trip over.
LIES: tuple[tuple[str, Any], ...] = (
    ("data.project.mergeRequest.state", "OPENED"),
    ("data.project.mergeRequest.iid", 1),
    ("data.project.mergeRequest.draft", "false"),
    ("data.project.mergeRequest.title", None),
    ("data.project.mergeRequest.targetProjectId", "7001"),
    ("data.project.mergeRequest.sourceProjectId", True),
    ("data.project.mergeRequest.createdAt", "2026-02-02 09:00:00 UTC"),
    ("data.project.mergeRequest.createdAt", "2026-02-30T09:00:00Z"),
    ("data.project.mergeRequest.notes", None),
    ("data.project.mergeRequest.diffStats", [None]),
    ("data.project.mergeRequest.author.id", 7),
    ("data.project.mergeRequest.author.id", "gid://gitlab/Note/7"),
    ("data.project.id", "7001"),
    ("data", None),
    ("errors", []),
    ("warnings", []),
)


def documents() -> Iterator[str]:
    """Yield every query that the bot can send, with what it falls back to."""
    constants = list(_constants())
    fragments = [text for text in constants if text.startswith("fragment ")]
    for text in constants:
        if text.startswith("query "):
            yield _join(text, fragments)
    for part in build_parts(list(_needs())):
        for each in filter(None, (part, part.fallback)):
            yield Query([each]).text()


def _constants() -> Iterator[str]:
    for found in pkgutil.iter_modules(bot.gitlab.__path__):
        named = vars(importlib.import_module(f"bot.gitlab.{found.name}"))
        yield from (each.strip() for each in named.values() if isinstance(each, str))


def _join(text: str, fragments: Iterable[str]) -> str:
    """Add the fragments that a query spreads; none of the bot's spreads another."""
    wanted = [each for each in fragments if f"...{each.split()[1]}" in text]
    return "\n".join(dict.fromkeys([text, *wanted]))


def _needs() -> Iterator[Any]:
    """Make an example of every kind of need; those that REST answers become no part.

    One that can be more than it is by default is taken both ways.
    """
    # Not `__subclasses__`: it may still name what a class with slots was made of.
    for kind in vars(bot.evidence).values():
        if not (isinstance(kind, type) and issubclass(kind, Asks) and kind is not Asks):
            continue
        fields = dataclasses.fields(kind)
        given = {each.name: EXAMPLE[each.name] for each in fields if each.name in EXAMPLE}
        yield kind(**given)
        for each in fields:
            if isinstance(each.default, bool):
                yield kind(**given, **{each.name: not each.default})
            elif each.default is None and each.name in given:
                yield kind(**{**given, each.name: None})


def find_relied_on(published: GraphQLSchema) -> tuple[set[str], list[str]]:
    """Return `Type.field` for all that the bot reads, and what of it is not to be relied on."""
    found, problems = _Fields(TypeInfo(published)), []
    for text in documents():
        document = parse(text)
        problems += [error.message for error in validate(published, document)]
        visit(document, TypeInfoVisitor(found.types, found))
    return found.names, [*problems, *found.problems]


class _Fields(Visitor):
    """Notes each field of a document with the type that has it."""

    def __init__(self, types: TypeInfo) -> None:
        super().__init__()
        self.types = types
        self.names: set[str] = set()
        self.problems: list[str] = []

    def enter_field(self, node: FieldNode, *_: Any) -> None:
        """Note one field; it must be published and not on its way out."""
        parent, known = self.types.get_parent_type(), self.types.get_field_def()
        name = f"{parent}.{node.name.value}"
        self.names.add(name)
        if known is None:
            self.problems.append(f"{name}, which the bot reads, is not published")
        elif known.deprecation_reason:
            self.problems.append(f"{name}, which the bot reads, is deprecated")


def doubt(published: GraphQLSchema, sent: Sent, answer: Any) -> tuple[int, list[str]]:
    """Spoil a right answer in every place; return how often, and what was not noticed."""
    tried, missed = 0, []
    for what, spoilt in _spoil(_shorten(answer)):
        tried += 1
        if not check_answer(published, sent, 200, spoilt).problems:
            missed.append(f"the check does not notice that {what}")
    return tried, missed


def _spoil(answer: Any) -> Iterator[tuple[str, Any]]:
    for path in list(_places(answer, ())):
        where = ".".join(map(str, path))
        yield f"{where} is of no type", _put(answer, path, WRONG)
        if isinstance(path[-1], str):
            yield f"{where} is left out", _put(answer, path, None, remove=True)
            yield f"{where} has a neighbour", _put(answer, (*path[:-1], "neighbour"), 1)
    for where, value in LIES:
        keys = where.split(".")
        if _has(answer, keys[:-1]):
            yield f"{where} is {value!r}", _put(answer, keys, value)


def _shorten(value: Any) -> Any:
    """Cut lists to what differs in kind: one item is as good to spoil as the next."""
    if isinstance(value, dict):
        return {key: _shorten(item) for key, item in value.items()}
    return [_shorten(item) for item in value[:2]] if isinstance(value, list) else value


def _places(value: Any, path: tuple[str | int, ...]) -> Iterator[tuple[str | int, ...]]:
    if path:
        yield path
    inner: Iterable[tuple[str | int, Any]] = ()
    if isinstance(value, dict):
        inner = value.items()
    elif isinstance(value, list):
        inner = enumerate(value)
    for key, item in inner:
        yield from _places(item, (*path, key))


def _has(answer: Any, path: Sequence[str]) -> bool:
    for key in path:
        answer = answer.get(key) if isinstance(answer, dict) else None
    return isinstance(answer, dict)


def _put(answer: Any, path: Sequence[str | int], value: Any, *, remove: bool = False) -> Any:
    """Return the answer with a value in a place; only what leads there is copied."""
    spoilt = copy.copy(answer)
    key, *below = path
    if below:
        spoilt[key] = _put(spoilt[key], below, value, remove=remove)
    elif remove:
        del spoilt[key]
    else:
        spoilt[key] = value
    return spoilt


def disagreements(own: Any, published: Any) -> Iterator[str]:
    """Compare every type, field and argument that the sandbox serves with the contract."""
    for name, kind in own.type_map.items():
        if name.startswith("__"):
            continue
        other = published.type_map.get(name)
        if other is None:
            yield f"type {name} is not published"
            continue
        for field_name, field in getattr(kind, "fields", {}).items():
            yield from _differences(f"{name}.{field_name}", field, other)
        for value in getattr(kind, "values", {}):
            if value not in getattr(other, "values", {}):
                yield f"{name}.{value} is not published"


def _differences(where: str, field: Any, published: Any) -> Iterator[str]:
    there = getattr(published, "fields", {}).get(where.split(".")[1])
    if there is None or str(there.type) != str(field.type):
        yield f"{where}: {field.type} here, {there and there.type} published"
        return
    for argument, value in getattr(field, "args", {}).items():
        known = there.args.get(argument)
        if known is None or str(known.type) != str(value.type):
            yield f"{where}({argument}) is not as published"
