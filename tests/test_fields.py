"""No value has a field that nobody reads."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SANDBOX = ROOT / "bot" / "sandbox"


def parse_all(*folders: str) -> dict[Path, ast.Module]:
    """Return the trees of all modules in some folders."""
    paths = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    return {path: parse(path) for path in paths}


@cache
def parse(path: Path) -> ast.Module:
    """Return the tree of a module."""
    return ast.parse(path.read_text("utf-8"))


def fields_of(tree: ast.Module) -> Iterator[str]:
    """Yield `Class.field` for each field of each value class."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.ClassDef):
            continue
        marks = ast.unparse([*node.decorator_list, *node.bases])  # type: ignore[arg-type]
        if "dataclass" in marks or "NamedTuple" in marks:
            declared = (each.target for each in node.body if isinstance(each, ast.AnnAssign))
            yield from (f"{node.name}.{ast.unparse(target)}" for target in declared)


def names_read(tree: ast.Module) -> Iterator[str]:
    """Yield the names of attributes that are read."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
            yield node.attr


def names_exposed(tree: ast.Module) -> Iterator[str]:
    """Yield the names that are read together, as `expose` does."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "expose":
            yield from (str(each.value) for each in node.args if isinstance(each, ast.Constant))


def find_unread(
    declared: dict[Path, ast.Module], readers: dict[Path, ast.Module], texts: str
) -> list[str]:
    """Return the fields whose names nobody reads, neither code nor a template."""
    read = {name for tree in readers.values() for name in names_read(tree)}
    read |= set(re.findall(r"\w+", texts))
    fields = {each for tree in declared.values() for each in fields_of(tree)}
    return sorted(each for each in fields if each.partition(".")[2] not in read)


def test_the_product_reads_each_field_of_its_values() -> None:
    modules = parse_all("bot")
    core = {path: tree for path, tree in modules.items() if not path.is_relative_to(SANDBOX)}
    templates = "".join(path.read_text("utf-8") for path in (ROOT / "templates").rglob("*.j2"))
    assert find_unread(core, core, templates) == []


def test_the_sandbox_or_a_test_of_it_reads_each_field_of_its_values() -> None:
    by_name = (SANDBOX / "rest" / "hooks.py").read_text("utf-8")  # with `getattr`
    readers = parse_all("bot", "tests", ".ci")
    exposed = " ".join(text for tree in readers.values() for text in names_exposed(tree))
    assert find_unread(parse_all("bot/sandbox"), readers, f"{by_name} {exposed}") == []


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
    gone = ast.parse("class Gone(NamedTuple):\n    a: int\n    b: int = 1\n")
    trees = {Path("gone.py"): gone}
    assert find_unread(trees, {Path("reader.py"): ast.parse(reader)}, template) == unread
