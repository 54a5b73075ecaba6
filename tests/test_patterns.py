"""Tests of the regular expressions that are kept compiled."""

import marshal
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import __main__ as door
from bot import cli
from bot.patterns import KEPT, PLACE, Patterns
from tests.processes import ROOT

SAMPLES: list[tuple[str | bytes, int]] = [
    (r"(?P<year>\d{4})-(?P<month>\d\d)|(x)", 0),
    (r"a # b", re.VERBOSE),
    (r"[^\W\d_]+(?i:ÄÖ)", re.IGNORECASE),
    (rb"\w+(?=\xff)", 0),
    (r"(?s)(?<!a).*?\Z", re.MULTILINE),
    (r"\w+", re.ASCII),
    ("", 0),
]


def import_one(kept: Any, pattern: str | bytes, flags: int = 0) -> Any:
    """Compile a pattern as a module does when it is imported."""
    space: dict[str, Any] = {"kept": kept}
    text = f"made = kept.compile({pattern!r}, {int(flags)})"
    exec(compile(text, "module.py", "exec"), space)  # noqa: S102  our own text
    return space["made"]


@pytest.mark.parametrize(("pattern", "flags"), SAMPLES)
def test_what_is_kept_is_what_re_makes(tmp_path: Path, pattern: str | bytes, flags: int) -> None:
    path = tmp_path / "patterns"
    expected = re.compile(pattern, flags)
    writer = Patterns(path)
    assert import_one(writer, pattern, flags) == expected
    writer.save()
    found = import_one(Patterns(path), pattern, flags)
    assert found == expected
    assert (found.groupindex, found.groups, found.flags) == (
        expected.groupindex,
        expected.groups,
        expected.flags,
    )


@given(st.text(max_size=12), st.sampled_from([0, re.IGNORECASE, re.VERBOSE, re.DOTALL]))
def test_any_pattern_is_what_re_makes_or_refuses(pattern: str, flags: int) -> None:
    try:
        expected = re.compile(pattern, flags)
    except re.error:
        with pytest.raises(re.error):
            import_one(Patterns(Path("/nowhere")), pattern, flags)
    else:
        assert import_one(Patterns(Path("/nowhere")), pattern, flags) == expected


def test_what_a_function_makes_is_not_kept(tmp_path: Path) -> None:
    path = tmp_path / "patterns"
    kept = Patterns(path)
    assert kept.compile("secret") == re.compile("secret")
    kept.save()
    assert not path.exists()


@pytest.mark.parametrize("flags", [re.LOCALE, re.DEBUG])
def test_what_re_makes_anew_each_time_is_left_to_it(
    flags: int, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = Patterns(Path("/nowhere"))
    assert import_one(kept, b"a", flags).flags & flags
    assert ("LITERAL" in capsys.readouterr().out) is bool(flags & re.DEBUG)


@pytest.mark.parametrize(
    "content",
    [b"", b"\xff\xfe", marshal.dumps(1), marshal.dumps((("3.0", 1, 4), {})), marshal.dumps((1, 2))],
)
def test_a_file_that_is_none_of_this_version_is_made_anew(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "patterns"
    path.write_bytes(content)
    kept = Patterns(path)
    assert import_one(kept, "a+") == re.compile("a+")
    kept.save()
    assert import_one(Patterns(path), "a+") == re.compile("a+")
    assert [each.name for each in tmp_path.iterdir()] == ["patterns"]


def test_nothing_is_written_where_modules_are_not_kept_or_cannot_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for path in (tmp_path / "patterns", tmp_path / "missing" / "patterns"):
        kept = Patterns(path)
        import_one(kept, "a+")
        monkeypatch.setattr(sys, "dont_write_bytecode", path.parent == tmp_path)
        kept.save()
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return the module of `re` that compiles; what is done to it ends with the test."""
    found: Any = sys.modules["re._compiler"]
    monkeypatch.setattr(found, "compile", found.compile)
    return found


@pytest.mark.usefixtures("library")
def test_re_compiles_by_it_and_keeps_what_modules_make(tmp_path: Path) -> None:
    kept = Patterns(tmp_path / "patterns")
    kept.use()
    assert re.compile("made by a function")
    kept.save()
    assert list(tmp_path.iterdir()) == []
    import_one(re, "made by a module")
    kept.save()
    assert b"made by a module" in (tmp_path / "patterns").read_bytes()


def refuse(*_: object) -> None:
    """Be a function of another version."""
    raise TypeError


@pytest.mark.parametrize("known", [True, False])
def test_a_re_that_is_not_understood_is_left_alone(
    known: bool, library: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not known:
        monkeypatch.setattr(library, "_code", refuse)
    kept = Patterns(Path("/nowhere"))
    kept.use()
    assert (library.compile == kept.compile) is known


def test_what_is_imported_for_a_command_has_its_patterns_kept(
    library: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "bot.cli", cli)
    door.use_patterns()
    assert library.compile != KEPT.compile
    monkeypatch.delitem(sys.modules, "bot.cli")
    door.use_patterns()
    assert library.compile == KEPT.compile
    for name in ("bot.patterns", "bot.gone"):
        monkeypatch.delitem(sys.modules, name, raising=False)
        door.keep_patterns()


def test_a_process_reads_what_an_earlier_one_compiled(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "bot", tmp_path / "bot", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "bot" / "__pycache__").mkdir()
    command = [sys.executable, "-m", "bot", "check", "group/project!1"]
    options: dict[str, Any] = {"env": {"PATH": "/nowhere"}, "cwd": tmp_path, "check": False}
    for _ in range(2):
        subprocess.run(command, **options, capture_output=True)  # noqa: S603, PLW1510
    path = tmp_path / "bot" / "__pycache__" / PLACE.name
    before = path.stat().st_mtime_ns
    subprocess.run(command, **options, capture_output=True)  # noqa: S603, PLW1510
    assert path.stat().st_mtime_ns == before
