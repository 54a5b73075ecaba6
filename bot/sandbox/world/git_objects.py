"""How git writes down trees and commits: what their numbers are computed from.

Documentation/gitformat-*, and "Git Objects" in the Pro Git book; the numbers are those of git.
"""

import hashlib
import re
from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone

Entry = tuple[str, str]  # what stands in a folder: the number of a file or folder, and its mode
FOLDER_MODE = "40000"
NOTHING = "0" * 40  # where a branch was before it was made, or is after it was deleted
_UNFIT = re.compile(r"[<>\n\0]")
_STAMP = re.compile(
    rb"(?P<name>.*?) ?<(?P<email>[^>]*)> (?P<at>-?\d+) (?P<zone>[+-]\d{4})", re.DOTALL
)


def object_id(kind: str, content: bytes) -> str:
    """Compute the number of an object."""
    header = f"{kind} {len(content)}\0".encode()
    return hashlib.sha1(header + content, usedforsecurity=False).hexdigest()


def encode_trees(files: Mapping[str, Entry], folder: str = "") -> dict[str, tuple[str, bytes]]:
    """Encode the folder of every path, the root under "": its number and its content."""
    entries: dict[str, Entry] = {}
    below: dict[str, dict[str, Entry]] = defaultdict(dict)
    for path, entry in files.items():
        name, slash, rest = path.partition("/")
        if slash:
            below[name][rest] = entry
        else:
            entries[name] = entry
    encoded: dict[str, tuple[str, bytes]] = {}
    for name, inside in below.items():
        path = f"{folder}/{name}".lstrip("/")
        encoded |= encode_trees(inside, path)
        entries[name] = encoded[path][0], FOLDER_MODE
    content = _encode_tree(entries)
    return encoded | {folder: (object_id("tree", content), content)}


def _encode_tree(entries: Mapping[str, Entry]) -> bytes:
    def order(row: tuple[str, Entry]) -> bytes:
        name, (_, mode) = row
        return (name + "/" * (mode == FOLDER_MODE)).encode("utf-8", "surrogateescape")

    return b"".join(
        f"{mode} {name}\0".encode("utf-8", "surrogateescape") + bytes.fromhex(sha)
        for name, (sha, mode) in sorted(entries.items(), key=order)
    )


def encode_signature(name: str, email: str, at: datetime) -> str:
    """Write who made a commit, and when, to the second."""
    name, email = _UNFIT.sub("", name).strip(), _UNFIT.sub("", email)
    return f"{name} <{email}> {int(at.timestamp())} {at:%z}"


def encode_commit(
    tree: str, parents: tuple[str, ...], author: str, committer: str, message: str
) -> bytes:
    """Write a commit."""
    lines = [f"tree {tree}", *(f"parent {each}" for each in parents)]
    lines += [f"author {author}", f"committer {committer}", "", message]
    return "\n".join(lines).encode("utf-8", "surrogateescape")


def decode_signature(line: bytes) -> tuple[str, str, datetime]:
    """Read who made a commit, and when; raise ValueError."""
    found = _STAMP.fullmatch(line)
    if found is None:
        raise ValueError("a commit without a date")
    zone = int(found["zone"])
    hours, minutes = divmod(abs(zone), 100)
    offset = timedelta(hours=hours, minutes=minutes) * (1 if zone >= 0 else -1)
    at = datetime.fromtimestamp(int(found["at"]), timezone(offset) if zone else UTC)
    return found["name"].decode("utf-8", "replace"), found["email"].decode("utf-8", "replace"), at
