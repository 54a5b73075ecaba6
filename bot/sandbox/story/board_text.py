"""Tell in a few lines what a board says, for a terminal."""

import json
from collections.abc import Iterator, Mapping
from typing import Any


def tell_board(data: bytes) -> str:
    """Return what `board.json` says, one paragraph for each person and fact."""
    sections = json.loads(data)["sections"]
    return "\n\n".join(line for each in sections for line in _section(each))


def _section(told: Mapping[str, Any]) -> Iterator[str]:
    yield f"{told['title']}: {told['number']} maintainers"
    for each in told["waiting"]:
        yield f"Open: @{each['username']}, waits for {each['actor']}. Next: {each['step']}"
    for each in told["granted"]:
        left = [step["title"] for step in each["steps"] if step["state"] == "open"]
        yield f"Merged: @{each['username']}, steps left: {len(left)}"
    for each in told["people"]:
        bars = "; ".join(f"{bar['found']} of {bar['needed']} {_name(bar)}" for bar in each["bars"])
        yield f"On the way: @{each['username']} ({each['stage'].replace('_', ' ')}): {bars}"
    found = dict.fromkeys(f"@{each['username']}" for each in told["drift"]["differences"])
    yield f"Drift: {', '.join(found) or 'none'}"


def _name(bar: Mapping[str, Any]) -> str:
    """Return the first word of a requirement, such as `author`."""
    return str(bar["title"]).partition(" ")[0].lower()
