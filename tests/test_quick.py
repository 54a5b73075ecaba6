"""What `make quick` finds to be touched by a change."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def quick() -> ModuleType:
    spec = importlib.util.spec_from_file_location("quick", ROOT / ".ci" / "quick.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(autouse=True)
def at_the_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


@pytest.mark.parametrize(
    ("line", "module"),
    [
        ("import bot.report", "bot.report"),
        ("from bot.report import Words", "bot.report"),
        ("from bot import inert, report as words", "bot.report"),
        ("from bot.report import (\n    Report,\n    Words,\n)", "bot.report"),
        ("    from bot import report  # late", "bot.report"),
        ("from tests.builders import NOW", "tests.builders"),
    ],
)
def test_an_import_is_seen_however_it_is_written(line: str, module: str, quick: ModuleType) -> None:
    assert module in set(quick.find_imports(f"import re\n{line}\nx = 1\n"))


def test_prose_is_no_import(quick: ModuleType) -> None:
    assert set(quick.find_imports('"""Words from bot.report, import nothing."""\n')) == set()


def test_the_rooms_own_tests_come_first_and_those_that_import_it_follow(quick: ModuleType) -> None:
    found = quick.find_tests(["bot/report/words.py"])
    assert found[0] == "tests/test_report.py"
    assert {"tests/test_gallery.py", "tests/test_report_hostile.py"} <= set(found[1:])
    assert "tests/test_yaml_tree.py" not in found


def test_a_changed_test_is_run_and_a_changed_helper_runs_who_uses_it(quick: ModuleType) -> None:
    assert quick.find_tests(["tests/test_yaml_tree.py"]) == ["tests/test_yaml_tree.py"]
    assert "tests/test_inert.py" in quick.find_tests(["tests/hostile.py"])


def test_long_stories_are_left_to_the_whole_suite(quick: ModuleType) -> None:
    touched = quick.find_tests(["tests/nomination_world.py", "tests/test_races.py"])
    assert not {f"tests/test_{name}.py" for name in quick.STORIES} & set(touched)
    assert all((ROOT / f"tests/test_{name}.py").exists() for name in quick.STORIES)
