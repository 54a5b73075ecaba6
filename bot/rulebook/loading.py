"""Read the policies of all projects."""

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from bot.policy import BrokenPolicy, Policy
from bot.policy.grammar import (
    MAX_CHARACTERS,
    WHOLE_FILE,
    Draft,
    Mistakes,
    Place,
    finish,
    parse_yaml,
    raise_any,
)
from bot.rulebook.language import POLICY
from bot.team import TEAM_FILES
from bot.values import dataclass

SHIPPED = Path(__file__).parents[1] / "policies"


def load_policies(directory: Path | None = None) -> tuple[Policy, ...]:
    """Return the policies of every `*.yml` file of a directory, of the shipped ones by default.

    Raises PolicyError for mistakes, for policies that contradict each other, and for no policies.
    """
    return _load([directory or SHIPPED])


def load_sound(
    directory: Path | None = None,
) -> tuple[tuple[Policy, ...], tuple[BrokenPolicy, ...]]:
    """Return the policies without a mistake, and what can be told of the others.

    A policy that contradicts one before it is broken, and so are its nominations.
    Raises PolicyError where nothing could be read at all: that is a mistake of the settings.
    """
    readings = _read_path(directory or SHIPPED)
    _note_conflicts(readings)
    if all(reading.text is None for reading in readings):
        raise_any(reading.mistakes for reading in readings)
    sound = tuple(reading.policy for reading in readings if not reading.mistakes.found)
    return sound, tuple(reading.broken for reading in readings if reading.mistakes.found)


def check_policies(paths: Sequence[Path] = ()) -> list[str]:
    """Return a line for each policy file, of the shipped ones by default.

    Raises PolicyError with every mistake of every file, where there is one.
    """
    return [f"{policy.source}: ok, {policy.label}" for policy in _load(paths or (SHIPPED,))]


# What a file that cannot be parsed is about, where it says so on lines of their own.
_ABOUT = {
    name: re.compile(rf"^{name}:[ \t]+[\"']?([^\s\"'#]+)[\"']?[ \t]*(?:#.*)?$", re.MULTILINE)
    for name in ("project", "role", "team_files")
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reading:
    """What could be read of one file, and what is wrong with it."""

    mistakes: Mistakes
    draft: Draft | None = None
    text: str | None = None

    @property
    def broken(self) -> BrokenPolicy:
        """What can be told of a policy with mistakes, by a reading that is not strict."""
        about = {name: self._about(name) for name in _ABOUT}
        if about["team_files"] is None and self.text and "team_files" not in self.text:
            about["team_files"] = TEAM_FILES
        return BrokenPolicy(
            source=self.mistakes.where, mistakes=tuple(self.mistakes.lines()), **about
        )

    def _about(self, name: str) -> str | None:
        # What was written twice, or is no such value, tells nothing.
        if len(re.findall(rf"^[\"']?{name}[\"']?[ \t]*:", self.text or "", re.MULTILINE)) > 1:
            return None
        value = self.draft.values.get(name) if self.draft else None
        if self.draft or not self.text:
            return value if isinstance(value, str) else None
        found = _ABOUT[name].search(self.text)
        return found[1] if found else None

    @property
    def policy(self) -> Policy:
        return Policy(**finish(self.draft), source=self.mistakes.where)


def _load(paths: Iterable[Path]) -> tuple[Policy, ...]:
    readings = [reading for path in paths for reading in _read_path(path)]
    _note_conflicts(readings)
    raise_any(reading.mistakes for reading in readings)
    return tuple(reading.policy for reading in readings)


def _read_path(path: Path) -> list[_Reading]:
    if not path.is_dir():
        return [_read_file(path)]
    files = sorted(file for file in path.iterdir() if file.suffix in {".yml", ".yaml"})
    if not files:
        return [_unread(path, "no policies", "no file", "one *.yml or more")]
    return [_read_file(file) for file in files]


def _read_file(file: Path) -> _Reading:
    """Read a file, a little more than is allowed at most."""
    try:
        with file.open(encoding="utf-8") as stream:
            return _read_text(stream.read(MAX_CHARACTERS + 1), str(file))
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not UTF-8"
        return _unread(file, "cannot be read", reason, "a policy")


def _unread(path: Path, what: str, found: str, expected: str) -> _Reading:
    mistakes = Mistakes(where=str(path))
    mistakes.add(WHOLE_FILE, what, found, expected)
    return _Reading(mistakes=mistakes)


def _read_text(text: str, where: str) -> _Reading:
    mistakes = Mistakes(where=where)
    root = parse_yaml(text, mistakes.add)
    draft = None if root is None else POLICY.read(root, "", mistakes)
    return _Reading(mistakes=mistakes, draft=draft, text=text)


def _note_conflicts(readings: Iterable[_Reading]) -> None:
    firsts: dict[tuple[str, str], str] = {}
    for reading in readings:
        for what, found, place, expected in _claims(reading.draft) if reading.draft else ():
            here = reading.mistakes.at(place)
            first = firsts.setdefault((what, found), here)
            if first != here:
                reading.mistakes.add(place, f"{what} as in {first}", found, expected)


def _claims(draft: Draft) -> Iterator[tuple[str, str, Place, str]]:
    """Yield what no other policy may have: what it is, its words, its place, what to do."""
    known = draft.values
    if {"id", "version"} <= known.keys():
        label = f"{known['id']}@{known['version']}"
        yield "the same id and version", label, draft.find_place("version"), "another version"
    if {"project", "role", "in_force_from"} <= known.keys():
        day = known["in_force_from"]
        start = f"{known['project'].casefold()}: {known['role']} from {day or 'ever'}"
        place = draft.find_place(*(["in_force_from"] if day else []))
        yield "the same beginning", start, place, "another `in_force_from`"
