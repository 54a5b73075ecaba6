"""What is generated is held against the file, and rewritten only when asked."""

from pathlib import Path

import pytest

from tests.generated import Settle

TEXT = "before\n<!-- from here -->\nold\n<!-- to here -->\nafter\n"
MARKS = ("<!-- from here -->\n", "<!-- to here -->")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "page.md"
    path.write_text(TEXT, encoding="utf-8")
    return path


def test_a_file_that_says_something_else_fails_and_stays(file: Path) -> None:
    with pytest.raises(AssertionError, match="make bless"):
        Settle(False)(file, "new\n", *MARKS)
    assert file.read_text(encoding="utf-8") == TEXT
    Settle(False)(file, "old\n", *MARKS)


@pytest.mark.parametrize("new", ["new\n", "", "much longer\nthan before\n"])
def test_a_blessing_rewrites_the_part_between_the_marks(file: Path, new: str) -> None:
    Settle(True)(file, new, *MARKS)
    assert file.read_text(encoding="utf-8") == TEXT.replace("old\n", new)
    Settle(False)(file, new, *MARKS)


def test_a_whole_file_may_be_generated(file: Path) -> None:
    Settle(True)(file, "all\n")
    assert file.read_text(encoding="utf-8") == "all\n"


def test_marks_that_are_not_there_are_a_failure_even_when_blessing(file: Path) -> None:
    with pytest.raises(ValueError, match="not found"):
        Settle(True)(file, "new\n", after="<!-- nowhere -->")
    assert file.read_text(encoding="utf-8") == TEXT
