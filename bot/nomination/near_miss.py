"""Find what an author evidently meant as a role for a project, although it gives none."""

import re
from collections.abc import Iterator
from itertools import islice

from bot.nomination.mentions import MAX_LINE, is_pair
from bot.team import (
    Entry,
    Items,
    Node,
    Pairs,
    RoleKey,
    Scalar,
    fold_key,
    is_key_meant,
    is_role_meant,
    is_stage_meant,
    responsibility,
    role_spellings,
    shown,
)

_MAX_TEXTS = 1_000  # of an entry that are compared; real ones have fewer than 300
# The role is only looked at, so that it may be the key of the next pair.
_GLUED = re.compile(r"([\w./-]+)(\s*[:=]\s*|\s+)(?=(\w+))")
_NOTHING = Scalar("", plain=True)


OVERFULL = f"more than {_MAX_TEXTS:,} texts"  # instead of what is too much to be compared


def find_new_near_misses(head: Entry, base: Entry | None, wanted: RoleKey) -> frozenset[str]:
    """Quote every place that was evidently meant to give a role, and that the base has not.

    What is too large to be compared may hold one, whatever the base has.
    """
    found = find_near_misses(head, wanted)
    old = find_near_misses(base, wanted) if base else frozenset()
    return found - (old - {OVERFULL})


def find_near_misses(entry: Entry, wanted: RoleKey) -> frozenset[str]:
    """Quote every place of an entry that was evidently meant to give a role.

    To be asked about entries that do not give it: the right spelling in the right place counts too.
    """
    if entry.tree is None:
        return frozenset()
    if _is_overfull(entry.tree):
        return frozenset({OVERFULL})
    found = {shown(each) for each in _near_misses(entry.tree, wanted.project, wanted.role)}
    for name, roles in entry.roles.items():
        if fold_key(name).rstrip("/:").rpartition("/")[2] in wanted.repositories:
            meant = (role for role in roles if is_role_meant(role, wanted.role))
            found |= {shown(f"{name}: {role}") for role in meant}
    return frozenset(found)


def find_near_stages(entry: Entry, wanted: RoleKey) -> frozenset[tuple[str, str]]:
    """Quote every role that was evidently meant to be a stage before, with that stage."""
    if entry.tree is None or _is_overfull(entry.tree):
        return frozenset()
    roles = entry.roles_for(wanted.project)
    found: set[tuple[str, str]] = set()
    for stage in wanted.stages:
        # Where the stage is there in a spelling that counts, nothing is missing.
        if any(responsibility(role) in role_spellings(stage) for role in roles):
            continue
        near = {f"{wanted.project}: {role}" for role in roles if is_stage_meant(role, stage)}
        near.update(_near_misses(entry.tree, wanted.project, stage))
        found |= {(shown(each), stage) for each in near}
    return frozenset(found)


def _is_overfull(tree: Node) -> bool:
    return next(islice(_all_texts(tree), _MAX_TEXTS, None), None) is not None


def _near_misses(tree: Node, project: str, role: str) -> Iterator[str]:
    for inside, node in _walk(tree):
        if isinstance(node, Scalar):
            yield from _find_in_text(node.text, inside, project, role)
            continue
        for key, value in node.nodes:
            for text in _texts(key):
                yield from _find_in_pair(text, value, project, role)
        if inside and _has_both(node, project, role):
            yield f"{project} … {role}"


def _walk(tree: Node) -> Iterator[tuple[bool, Scalar | Pairs]]:
    """Visit mappings, values, and keys without value, telling which are inside `projects`."""
    waiting: list[tuple[bool, Node]] = [(False, tree)]
    seen: set[tuple[bool, int]] = set()
    while waiting:
        inside, node = waiting.pop()
        if (inside, id(node)) in seen:
            continue
        seen.add((inside, id(node)))
        if isinstance(node, Items):
            waiting.extend((inside, each) for each in node.nodes)
            continue
        yield inside, node
        if isinstance(node, Pairs):
            waiting.extend((inside or _is_projects(key), value) for key, value in node.nodes)
            waiting.extend((inside, key) for key, value in node.nodes if value == _NOTHING)


def _all_texts(tree: Node) -> Iterator[Scalar]:
    """Visit every text once, however often aliases repeat it."""
    waiting = [tree]
    seen: set[int] = set()
    while waiting:
        node = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, Scalar):
            yield node
        elif isinstance(node, Items):
            waiting.extend(node.nodes)
        else:
            waiting.extend(each for pair in node.nodes for each in pair)


def _is_projects(key: Node) -> bool:
    return isinstance(key, Scalar) and fold_key(key.text).rstrip("s") == "project"


def _find_in_pair(key: str, value: Node, project: str, role: str) -> Iterator[str]:
    if is_key_meant(key, project):
        texts = [text for text in _texts(value) if is_role_meant(text, role)]
    elif fold_key(key) == role:
        texts = [text for text in _texts(value) if is_key_meant(text, project)]
    else:
        return
    yield from (f"{key.strip()}: {text.strip()}" for text in texts)


def _texts(value: Node) -> Iterator[str]:
    """List the texts directly in a value, the keys of a mapping included."""
    if isinstance(value, Scalar):
        yield value.text
    elif isinstance(value, Items):
        yield from (each.text for each in value.nodes if isinstance(each, Scalar))
    else:
        yield from (each.text for pair in value.nodes for each in pair if isinstance(each, Scalar))


def _has_both(node: Pairs, project: str, role: str) -> bool:
    """Return whether project and role are two values side by side, as in `name: x`, `role: y`."""
    texts = [value.text for _, value in node.nodes if isinstance(value, Scalar)]
    return any(is_key_meant(text, project) for text in texts) and any(
        is_role_meant(text, role) for text in texts
    )


def _find_in_text(text: str, inside: bool, project: str, role: str) -> Iterator[str]:
    """Find a key and a role within one text: anywhere in `projects`, else on lines of their own."""
    if inside and len(text) <= MAX_LINE:
        for pair in _GLUED.finditer(text):
            if is_key_meant(pair[1], project) and is_role_meant(pair[3], role):
                yield pair[0] + pair[3]
                return
    yield from (line.strip() for line in text.splitlines() if is_pair(line, project, role))
