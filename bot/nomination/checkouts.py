"""Find nominations offline, between two checkouts of the team database."""

import filecmp
import os
import stat
from collections.abc import Collection, Iterator
from dataclasses import replace
from itertools import takewhile
from pathlib import Path
from typing import TypeAlias

from bot.errors import TeamDatabaseError
from bot.nomination.remarks import not_known
from bot.nomination.search import find_nominations
from bot.nomination.values import Change, Detection, Remark
from bot.team import LIMITS, TEAM_FILES, RoleKey, is_team_file, lies_among_entries, may_name, shown
from bot.unread import Content, Unread

_GENERATED = "data/team.yml"
_Found: TypeAlias = dict[str, "os.DirEntry[str]"]


def run_detect(
    base: str, head: str, wanted: Collection[RoleKey], glob: str = TEAM_FILES
) -> Detection:
    """Find who gains a wanted role between two checkouts; symbolic links are never followed.

    Raises TeamDatabaseError when one is missing or cannot be listed, or neither holds any entry.
    Files that are one and the same, or equal byte by byte, are not parsed; dates prove nothing.
    """
    before = _find_files(_directory("base", base), glob)
    after = _find_files(_directory("head", head), glob)
    if not before and not after:
        raise TeamDatabaseError(
            f"Neither directory holds a file {shown(glob)}: give the paths of two checkouts of the "
            "team database."
        )
    changes = list(_find_changes(before, after))
    found = find_nominations(changes, wanted, glob)
    names = {nomination.username.casefold() for nomination in found.nominations}
    namesakes = list(_find_namesakes(before, after, changes, names)) if names else []
    if namesakes:
        found = find_nominations([*changes, *namesakes], wanted, glob)
    links = (
        Remark(path=c.path, message=not_known(c.path, "after", c.head.reason), near_miss=False)
        for c in changes
        if isinstance(c.head, Unread)
        and not (is_team_file(c.path, glob) or lies_among_entries(c.path, glob))
    )
    return replace(found, unread=(*found.unread, *links))


def as_json(detection: Detection) -> dict[str, list[dict[str, object]]]:
    """Render a detection as JSON values; what could not be read is among the remarks."""
    remarks = sorted({replace(r, near_miss=False) for r in detection.remarks + detection.unread})
    return {
        "nominations": [
            {
                "username": nomination.username,
                "project": nomination.project,
                "from": list(nomination.before),
                "to": list(nomination.after),
                "path": _printable(nomination.path),
            }
            for nomination in detection.nominations
        ],
        "remarks": [
            {"path": _printable(remark.path), "message": remark.message} for remark in remarks
        ],
    }


def _printable(path: str) -> str:
    return path.encode("utf-8", "backslashreplace").decode("utf-8")


def _directory(side: str, text: str) -> Path:
    path = Path(text)
    if "\0" in text or not path.is_dir():
        raise TeamDatabaseError(
            f"The {side} directory {shown(text, 200)} does not exist or is no directory: "
            "give the path of a checkout of the team database."
        )
    return path


def _find_files(root: Path, glob: str) -> _Found:
    """List the YAML files at or near the places of team entries, by path below the root."""
    *folders, _ = glob.split("/")
    plain = list(takewhile(lambda folder: not set(folder) & set("*?["), folders))
    found: _Found = {}
    found.update((_GENERATED, each) for each in _list(root / "data") if each.name == "team.yml")
    # One folder above the entries, where misplaced ones lie: no name of the top level is one.
    waiting = ["/".join(plain[: max(len(plain) - 1, 1)])]
    while waiting:
        folder = waiting.pop()
        for entry in _list(root / folder):
            path = f"{folder}/{entry.name}" if folder else entry.name
            linked = entry.is_symlink() and entry.is_dir()
            if linked or entry.name.casefold().endswith((".yml", ".yaml")):
                found[path] = entry
            elif entry.is_dir() and path.count("/") <= len(folders) and entry.name != ".git":
                waiting.append(path)
    return found


def _list(folder: Path) -> list["os.DirEntry[str]"]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except FileNotFoundError:
        return []
    except OSError as error:
        raise TeamDatabaseError(
            f"The directory {shown(str(folder), 200)} cannot be listed ({error.strerror}): "
            "make it readable."
        ) from None


def _find_changes(before: _Found, after: _Found) -> Iterator[Change]:
    for path in sorted(before.keys() | after.keys()):
        old, new = before.get(path), after.get(path)
        if old is not None and new is not None and _is_same(old, new):
            continue
        base = _read(old)
        yield Change(path=path, base=base, head=_read(new), target=base)


def _is_same(old: "os.DirEntry[str]", new: "os.DirEntry[str]") -> bool:
    if old.is_symlink() and new.is_symlink():
        return os.readlink(old) == os.readlink(new)
    one, other = old.stat(follow_symlinks=False), new.stat(follow_symlinks=False)
    if os.path.samestat(one, other):
        return True
    if stat.S_IFMT(one.st_mode) != stat.S_IFMT(other.st_mode):
        return False
    if not stat.S_ISREG(one.st_mode):
        return True
    return one.st_size == other.st_size and (
        filecmp.cmp(old, new, shallow=False)
        if one.st_size > LIMITS.size
        else _read(old) == _read(new)
    )


def _read(entry: "os.DirEntry[str] | None") -> Content:
    """Read a regular file, at most one byte more than the largest entry has."""
    if entry is None:
        return None
    if not entry.is_file(follow_symlinks=False):
        kind = "a symbolic link" if entry.is_symlink() else "no regular file"
        return Unread(reason=f"it is {kind}, which is never followed or opened")
    try:
        # Without the layers of open(), which cost more than reading a thousand bytes.
        descriptor = os.open(entry, os.O_RDONLY | os.O_NOFOLLOW)
        try:
            return os.read(descriptor, min(entry.stat().st_size, LIMITS.size) + 1)
        finally:
            os.close(descriptor)
    except OSError as error:
        return Unread(reason=error.strerror or "it cannot be opened")


def _find_namesakes(
    before: _Found, after: _Found, changes: list[Change], names: set[str]
) -> Iterator[Change]:
    changed = {change.path for change in changes}
    for path in sorted((before.keys() & after.keys()) - changed):
        content = _read(after[path])
        if not isinstance(content, bytes) or not may_name(content, names):
            continue
        yield Change(path=path, base=content, head=content, target=content)
