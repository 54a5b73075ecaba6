"""Read the steps of a scenario: who does what, in which order, and what must come of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bot.sandbox.scenarios import FIRST_NOMINATION
from bot.sandbox.story.seed import SEED
from bot.sandbox.story.step_acts import ACTS
from bot.sandbox.world.shipped import find_shipped, read_yaml

STEPS_FILE = "steps.yml"
_SCENARIO_KEYS = frozenset({"title", "about", "variables", "steps"})
_STEP_KEYS = frozenset({"title", "by", "merge_request", "refused", "fault"})


class ScenarioError(ValueError):
    """A scenario cannot be read; the message says where and what is wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One act: by whom, which, with what; `refused` is part of the refusal that must come."""

    number: int
    title: str
    by: str
    act: str
    given: Mapping[str, Any]
    merge_request: str | None = None
    refused: str | None = None
    fault: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A folder of seed and steps; `variables` are CI/CD variables of the bot's project."""

    folder: Path
    title: str
    about: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)
    steps: tuple[Step, ...] = ()


def read_scenario(folder: Path) -> Scenario:
    """Read `steps.yml` of a folder; a scenario without one has no steps.

    Raises `ScenarioError`.
    """
    path = folder / STEPS_FILE
    if not path.exists():
        return Scenario(folder=folder, title=folder.name)
    written = read_yaml(path.read_text(encoding="utf-8"))
    if not isinstance(written, dict) or not written.keys() >= {"title", "steps"}:
        raise ScenarioError(f"{path}: expected a mapping with `title` and `steps`")
    _refuse_unknown(written, _SCENARIO_KEYS, str(path))
    steps = [_read_step(path, number, each) for number, each in enumerate(written["steps"], 1)]
    return Scenario(
        folder=folder,
        title=written["title"],
        about=written.get("about", ""),
        variables={
            name: _read_variable(value, f"{path}: variables: {name}")
            for name, value in written.get("variables", {}).items()
        },
        steps=tuple(steps),
    )


def _read_variable(written: object, where: str) -> str:
    """Read a value, or with `{shipped: PATH}` find where the bot's package has a file."""
    if not isinstance(written, dict):
        return str(written)
    found = find_shipped(str(written.get("shipped")))
    if written.keys() != {"shipped"} or found is None:
        raise ScenarioError(f"{where}: expected a text, or {{shipped: PATH}} with a path there is")
    return str(found)


def find_seed(scenario: Scenario) -> Path:
    """Return the folder of a scenario's seed: without one it plays in the first nomination's."""
    has_seed = (scenario.folder / SEED).exists()
    return scenario.folder if has_seed or not scenario.steps else FIRST_NOMINATION


def _read_step(path: Path, number: int, written: Mapping[str, Any]) -> Step:
    where = f"{path}: step {number}"
    names = [name for name in written if name in ACTS]
    if len(names) != 1:
        raise ScenarioError(f"{where}: expected one act of {', '.join(sorted(ACTS))}")
    _refuse_unknown(written, _STEP_KEYS | {names[0]}, where)
    if "by" not in written or "title" not in written:
        raise ScenarioError(f"{where}: `by` and `title` are missing")
    return Step(
        number=number,
        title=written["title"],
        by=written["by"],
        act=names[0],
        given=_read_given(names[0], written[names[0]], where),
        merge_request=written.get("merge_request"),
        refused=written.get("refused"),
        fault=written.get("fault", ""),
    )


def _read_given(name: str, written: object, where: str) -> Mapping[str, Any]:
    act, place = ACTS[name], f"{where}: {name}"
    if act.alone is not None and not isinstance(written, dict):
        written = {act.alone: written}
    given = {} if written is None else written
    if not isinstance(given, dict):
        raise ScenarioError(f"{place}: expected a mapping")
    _refuse_unknown(given, act.needs | act.may, place)
    missing = act.needs - given.keys()
    if missing:
        raise ScenarioError(f"{place}: missing {', '.join(sorted(missing))}")
    return given


def _refuse_unknown(written: Mapping[str, Any], known: frozenset[str], where: str) -> None:
    unknown = sorted(str(key) for key in written if key not in known)
    if unknown:
        allowed = ", ".join(sorted(known)) or "none"
        raise ScenarioError(f"{where}: unknown {', '.join(unknown)}; known are {allowed}")
