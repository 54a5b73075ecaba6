"""Check what changed since the main branch, in seconds: style, types, tests of the rooms touched.

It finds most mistakes early; `make check` finds the rest. Usage: quick.py [BASE]
"""

import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

BIN = Path(sys.executable).parent
TESTS_SECONDS = 8.0
# Whole stories: `make test` tells them.
STORIES = {"browser", "chaos", "ci_local", "cost", "races", "scenarios"}
BASES = ("origin/HEAD", "origin/main", "main")
IMPORT = re.compile(r"(?m)^\s*(?:from (\S+) import ([^\n(]+|\([^)]*\))|import (\S+))")


def main(arguments: Sequence[str]) -> int:
    """Check; return 1 when something is wrong."""
    changed = [name for name in find_changed(*arguments) if Path(name).exists()]
    python = [name for name in changed if name.endswith(".py")]
    if not python:
        print("No Python file has changed.")
        return 0
    tests = find_tests(python)
    typed = [name for name in python if name.startswith(("bot/", "tests/"))]
    checks = [
        ("ruff", "format", "--check", *python),
        ("ruff", "check", *python),
        *([("mypy", *typed)] if typed else ()),
        *([("pytest", "-q", "-x", f"--at-most={TESTS_SECONDS}", *tests)] if tests else ()),
    ]
    with ThreadPoolExecutor(2) as pool:
        return int(not all(list(pool.map(run, checks))))


def run(command: Sequence[str]) -> bool:
    """Run one check, and say in one piece what came of it."""
    # Our own tools on our own files.
    done = subprocess.run(  # noqa: S603
        [BIN / command[0], *command[1:]], capture_output=True, text=True, check=False
    )
    shown = " ".join(command[:2] if command[0] == "ruff" else command[:1])
    print(f"== {shown}\n{done.stdout}{done.stderr}".rstrip(), flush=True)
    return done.returncode == 0


def find_changed(base: str = "") -> list[str]:
    """List the files that differ from the base, committed or not."""
    known = next((name for name in (base, *BASES) if name and git("rev-parse", "-q", name)), "")
    since = git("merge-base", known, "HEAD")[:1] if known else []
    changed = git("diff", "--name-only", *(since or ["HEAD"]))
    return sorted({*changed, *git("ls-files", "--others", "--exclude-standard")})


def git(*arguments: str) -> list[str]:
    """Return the lines that git prints; none where it fails."""
    done = subprocess.run(  # noqa: S603
        ["git", *arguments],  # noqa: S607
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.splitlines() if done.returncode == 0 else []


def find_tests(changed: Iterable[str]) -> list[str]:
    """List the test files of changed files: those named so first, then those that import them."""
    modules = [
        name.removesuffix(".py").removesuffix("/__init__").replace("/", ".") for name in changed
    ]
    # Tests may know a module by the face of its room alone.
    modules += [m.rpartition(".")[0] for m in modules if m.startswith("bot.") and m.count(".") > 1]
    names = {module.rsplit(".", 1)[-1].removeprefix("test_") for module in modules}
    found = {
        test: {*find_imports(test.read_text("utf-8"))}
        for test in sorted(Path("tests").glob("**/test_*.py"))
        if test.stem.removeprefix("test_") not in STORIES
    }
    named = [test for test in found if test.stem.removeprefix("test_") in names]
    importing = [t for t, imports in found.items() if t not in named and imports & {*modules}]
    return [str(test) for test in (*named, *importing)]


def find_imports(text: str) -> Iterator[str]:
    """Yield every module that a file may import, and every name as if it were a module."""
    for origin, names, plain in IMPORT.findall(text):
        yield plain or origin
        for name in re.findall(r"\w+", names):
            yield f"{origin}.{name}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
