"""What is long says beside the code why: docs/architecture.md tells how."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MODULE, FUNCTION = 200, 35  # lines
MODULES = [path.relative_to(ROOT).as_posix() for path in sorted(ROOT.glob("bot/**/*.py"))]


def find_long(source: str) -> Iterator[str]:
    """Name what is long in a module and does not say why."""
    lines = source.splitlines()
    if len(lines) > MODULE and not says(lines, "# One module: "):
        yield f"{len(lines)} lines"
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            inside = lines[node.lineno - 1 : node.end_lineno]
            if len(inside) > FUNCTION and not says(inside, "# One function: "):
                yield f"{node.name}: {len(inside)} lines"


def says(lines: list[str], opening: str) -> bool:
    """Return whether a comment gives a reason, of more than a word or two."""
    return any(len(line.strip()) > len(opening) + 20 for line in lines if opening in line)


@pytest.mark.parametrize("path", MODULES)
def test_what_is_long_says_why(path: str) -> None:
    assert [*find_long((ROOT / path).read_text("utf-8"))] == []


def test_what_is_long_is_found() -> None:
    body = "    pass\n" * FUNCTION
    assert [*find_long(f"def f():\n{body}")] == ["f: 36 lines"]
    assert [*find_long("x = 1\n" * 201)] == ["201 lines"]
    reason = "# One function: a table, read from top to bottom\n"
    assert [*find_long(f"def f():\n    {reason}{body}")] == []
