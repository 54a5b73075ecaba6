"""What is long says beside the code why: docs/architecture.md tells how."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
MODULE, FUNCTION = 200, 35  # lines
MODULES = [path.relative_to(ROOT).as_posix() for path in sorted(ROOT.glob("bot/**/*.py"))]


def find_long(source: str) -> Iterator[str]:
    """Name what is long in a module and does not say why."""
    lines = source.splitlines()
    if len(lines) > MODULE and not says(lines, "# One module: "):
        yield f"{len(lines)} lines"
    for node in find_functions(ast.parse(source)):
        inside = lines[node.lineno - 1 : node.end_lineno]
        if len(inside) > FUNCTION and not says(inside, "# One function: "):
            yield f"{node.name}: {len(inside)} lines"


def find_functions(node: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Yield all functions in a node, of expressions' many nodes none."""
    for each in ast.iter_child_nodes(node):
        if not isinstance(each, ast.expr):
            if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef):
                yield each
            yield from find_functions(each)


def says(lines: list[str], opening: str) -> bool:
    """Return whether a comment gives a reason, of more than a word or two."""
    return any(len(line.strip()) > len(opening) + 20 for line in lines if opening in line)


def test_what_is_long_says_why() -> None:
    found = {path: [*find_long((ROOT / path).read_text("utf-8"))] for path in MODULES}
    assert len(found) > 200
    assert {path: long for path, long in found.items() if long} == {}


def test_what_is_long_is_found() -> None:
    body = "    pass\n" * FUNCTION
    assert [*find_long(f"def f():\n{body}")] == ["f: 36 lines"]
    assert [*find_long(f"class A:\n async def f():\n{body}")] == ["f: 36 lines"]
    assert [*find_long(f"if a:\n try:\n  pass\n except E:\n  def f():\n{body}")] == ["f: 36 lines"]
    assert [*find_long("x = 1\n" * 201)] == ["201 lines"]
    reason = "# One function: a table, read from top to bottom\n"
    assert [*find_long(f"def f():\n    {reason}{body}")] == []
