"""The files that fuzzing found worth keeping, replayed."""

from pathlib import Path

import pytest

from tests.entry_checks import check

CORPUS = sorted((Path(__file__).parent / "corpus").glob("*"))


def test_the_corpus_is_small_and_not_empty() -> None:
    assert 20 <= len(CORPUS) <= 60
    assert sum(path.stat().st_size for path in CORPUS) <= 200_000


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.name)
def test_a_kept_file_breaks_nothing(path: Path) -> None:
    check(path.read_bytes())
