"""Builders of files with lists of usernames."""

import json
from typing import Literal

from bot.listing import EntrySelector, ListingSpec

Format = Literal["json", "json5", "yaml"]
FORMATS: tuple[Format, ...] = ("json", "json5", "yaml")


def make_spec(
    form: Format = "json",
    *,
    entry: bool = True,
    name: str = "ai-gateway",
    key: str = "members",
) -> ListingSpec:
    """Point at `members` of the entry `ai-gateway`, or of the file itself."""
    selector = EntrySelector(list="inventory", key="name", value=name) if entry else None
    return ListingSpec(format=form, entry=selector, key=key)


def make_entry(name: object = "ai-gateway", **more: object) -> dict[str, object]:
    """Make one entry of an inventory."""
    return {"name": name, "project_id": 7, **more}


def make_inventory(*entries: object, indent: int | None = 2) -> str:
    """Write an inventory as JSON, which is JSON5 and YAML too."""
    file = {"inventory": entries, "gcp_project_groups": [make_entry(members=["mallory"])]}
    return json.dumps(file, indent=indent) + "\n"
