"""Nothing but policies knows whose process it is: the code fits any."""

import re
from pathlib import Path

import pytest

from bot.rulebook.loading import SHIPPED, load_policies

ROOT = Path(__file__).parent.parent
# Stories are told of somebody.
STORIES = ROOT / "bot" / "sandbox" / "scenarios"
WRITTEN = {".py", ".j2", ".yml", ".css"}
MORE = SHIPPED / "more"
KNOWN = re.compile(
    r"ai[-_ ]gateway|ai[-_]assist|container-registry|helm-chart"
    r"|inventory\.json|renovate\.json|runway|short-handed",
    re.IGNORECASE,
)


def code() -> list[Path]:
    """List what runs, and the words it says."""
    found = [*(ROOT / "bot").rglob("*.py"), *(ROOT / "templates").rglob("*")]
    return [each for each in found if each.suffix in WRITTEN and STORIES not in each.parents]


def test_no_code_and_no_words_know_a_process() -> None:
    assert len(code()) > 100
    told = [
        f"{file.relative_to(ROOT)}:{number}: {line.strip()}"
        for file in code()
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1)
        if KNOWN.search(line)
    ]
    assert told == []


@pytest.mark.parametrize("line", ["the AI Gateway", "gitlab-org/maintainers/ai-gateway", "Runway"])
def test_the_search_would_find_it(line: str) -> None:
    assert KNOWN.search(line)


def test_further_processes_are_in_force_only_where_somebody_chooses_them() -> None:
    assert {policy.id for policy in load_policies()} == {"ai-gateway"}
    more = load_policies(MORE)
    assert {policy.id for policy in more} == {"container-registry", "helm-chart"}
    assert {policy.source for policy in more} == {str(file) for file in MORE.glob("*.yml")}
