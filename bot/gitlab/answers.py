"""Read the shapes that recur in GitLab's answers, most of them GraphQL's."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from bot.errors import GitLabError
from bot.merge_request import Person, Visibility

Json = Mapping[str, Any]
# What goes wrong with an answer of an unknown shape.
MISSHAPEN = (KeyError, TypeError, ValueError, AttributeError)


@contextmanager
def known_shape() -> Iterator[None]:
    """Turn what goes wrong with an answer of an unknown shape into GitLabError."""
    try:
        yield
    except MISSHAPEN as error:
        raise GitLabError(f"{tell_misshapen(error)}.") from None


def tell_misshapen(error: Exception) -> str:
    """Say that an answer has an unknown shape."""
    return f"GitLab's answer has another shape than expected ({type(error).__name__})"


def nodes_of(connection: Json | None) -> Iterator[Json]:
    """Return the items of a list that the reader may see."""
    return (node for node in (connection or {}).get("nodes") or () if node is not None)


def following(node: Json, name: str) -> str | None:
    """Return where a list goes on; None where it ends or was not told."""
    page = (node.get(name) or {}).get("pageInfo") or {}
    return page["endCursor"] if page.get("hasNextPage") else None


def is_member(level: str | None) -> bool:
    """Return whether somebody's access to a project, in GitLab's words, makes them a member.

    Null for a stranger (`human_max_access`, app/graphql/types/notes/note_type.rb).
    """
    return level not in {None, "", "None", "No access", "Minimal Access"}


def usernames_of(connection: Json | None) -> set[str]:
    """Return the usernames in a list of people, without case."""
    return {str(node["username"]).casefold() for node in nodes_of(connection)}


def number_of(gid: str) -> int:
    """Return the number at the end of a global id, which is the id REST uses."""
    return int(gid.rsplit("/", 1)[-1])


def read_person(node: Json | None) -> Person | None:
    """Read an account; nobody where GitLab tells none."""
    if node is None:
        return None
    return Person(
        id=number_of(node["id"]),
        username=node["username"],
        bot=node["bot"],
        active=node["state"] == "active",
        created_at=read_time(node["createdAt"]) if node.get("createdAt") else None,
    )


def read_time(text: str) -> datetime:
    """Read a time in ISO 8601; raise ValueError where it is none."""
    return datetime.fromisoformat(text)


def read_touched(node: Json) -> tuple[str, ...] | None:
    """Read which paths a merge request is told to change; None where not all of them are."""
    stats, summary = node.get("diffStats"), node.get("diffStatsSummary")
    if stats is None or summary is None or len(stats) < summary["fileCount"]:
        return None
    return tuple(stat["path"] for stat in stats)


def read_visibility(word: str | None, *, unknown: Visibility) -> Visibility:
    """Read GitLab's word for a visibility."""
    return {each.name.casefold(): each for each in Visibility}.get(str(word), unknown)
