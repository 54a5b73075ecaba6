"""No value has a field that nobody reads."""

import ast
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]
SANDBOX = ROOT / "bot" / "sandbox"


class Module(NamedTuple):
    """What a module declares and reads."""

    fields: set[str]  # `Class.field` for each field of each value class
    read: set[str]  # names of attributes
    exposed: set[str]  # words of texts that are read together, as `expose` does


def find_modules(*folders: str) -> list[Path]:
    """Return the paths of all modules in some folders."""
    return [path for folder in folders for path in (ROOT / folder).rglob("*.py")]


@cache
def study(path: Path) -> Module:
    """Return what a module declares and reads."""
    return study_text(path.read_text("utf-8"))


def study_text(source: str) -> Module:
    """Return what a module with this text declares and reads."""
    found = Module(set(), set(), set())
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Attribute(attr=name, ctx=ast.Load()):
                found.read.add(name)
            case ast.Call(func=ast.Name("expose")):
                found.exposed.update(words_of(node.args))
            case ast.ClassDef():
                found.fields.update(fields_of(node))
    return found


def fields_of(node: ast.ClassDef) -> Iterator[str]:
    """Yield `Class.field` for each field of a class, if it is one of values."""
    marks = ast.unparse([*node.decorator_list, *node.bases])  # type: ignore[arg-type]
    if "dataclass" in marks or "NamedTuple" in marks:
        declared = (each.target for each in node.body if isinstance(each, ast.AnnAssign))
        yield from (f"{node.name}.{ast.unparse(target)}" for target in declared)


def words_of(arguments: Iterable[ast.expr]) -> Iterator[str]:
    """Yield the words of those arguments that are texts."""
    for each in arguments:
        if isinstance(each, ast.Constant):
            yield from re.findall(r"\w+", str(each.value))


def find_unread(declared: Iterable[Module], readers: Iterable[Module], texts: str) -> list[str]:
    """Return the fields whose names nobody reads, neither code nor a template."""
    read = {name for module in readers for name in module.read}
    read |= set(re.findall(r"\w+", texts))
    fields = {each for module in declared for each in module.fields}
    return sorted(each for each in fields if each.partition(".")[2] not in read)


def test_the_product_reads_each_field_of_its_values() -> None:
    core = [study(path) for path in find_modules("bot") if not path.is_relative_to(SANDBOX)]
    templates = "".join(path.read_text("utf-8") for path in (ROOT / "templates").rglob("*.j2"))
    assert find_unread(core, core, templates) == []


def test_the_sandbox_or_a_test_of_it_reads_each_field_of_its_values() -> None:
    by_name = (SANDBOX / "rest" / "hooks.py").read_text("utf-8")  # with `getattr`
    declared = [study(path) for path in find_modules("bot/sandbox")]
    modules = [study(path) for path in find_modules("bot")]
    exposed = " ".join(word for module in modules for word in module.exposed)
    left = find_unread(declared, modules, f"{by_name} {exposed}")
    assert find_unread(declared, modules + find_readers(left), f"{by_name} {exposed}") == []


def find_readers(fields: list[str]) -> list[Module]:
    """Return what tests and programs of CI read; of those alone that name one of some fields."""
    names = [each.partition(".")[2] for each in fields]
    return [
        study(path)
        for path in find_modules("tests", ".ci")
        for source in [path.read_text("utf-8")]
        if any(name in source for name in names)
    ]


@pytest.mark.parametrize(
    ("reader", "template", "unread"),
    [
        ("", "", ["Gone.a", "Gone.b"]),
        ("x.a\ny.b = 1", "", ["Gone.b"]),
        ("x.b", "{{ x.a }}", []),
    ],
)
def test_a_field_that_is_only_written_is_found(
    reader: str, template: str, unread: list[str]
) -> None:
    gone = study_text("class Gone(NamedTuple):\n    a: int\n    b: int = 1\n")
    assert find_unread([gone], [study_text(reader)], template) == unread
