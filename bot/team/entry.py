"""Read one entry of the team database: who it is about, and which roles it gives."""

import re
from collections.abc import Collection, Mapping
from dataclasses import field
from types import MappingProxyType

from bot.errors import TeamDatabaseError
from bot.team.fields import Allowance, Fields, is_resolved, read_fields
from bot.team.spelling import fold_key, responsibility, role_spellings
from bot.team.text import shown
from bot.team.tree import Items, Node, Pairs, Scalar, parse_tree
from bot.values import dataclass

_NO_VALUE = frozenset({"", "~", "null", "Null", "NULL"})
_NO_USERNAME = frozenset({"", "~"})
_READ_FIELDS = frozenset({"gitlab", "reports_to", "projects"})
_MAX_REMARKS = 10
_POSSIBLE_USERNAME = re.compile(r"[A-Za-z0-9_.-]{1,255}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A team entry; `roles` are per project key, both as written but for outer blanks.

    `partial` is true when something in the file was left out because it has no effect, and
    `manager_unclear` when `reports_to` is no text.
    """

    username: str | None
    reports_to: str | None
    roles: Mapping[str, tuple[str, ...]]
    remarks: tuple[str, ...] = ()
    partial: bool = False
    manager_unclear: bool = False
    tree: Node | None = field(default=None, repr=False, compare=False)

    def roles_for(self, project: str) -> tuple[str, ...]:
        """List the roles under every spelling of a project key that differs only in capitals."""
        key = fold_key(project)
        return tuple(
            role for name, roles in self.roles.items() if fold_key(name) == key for role in roles
        )

    def holds(self, project: str, wanted: str) -> bool:
        """Return whether the entry gives a responsibility for a project."""
        return any(responsibility(role) == wanted for role in self.roles_for(project))

    def has_stage(self, project: str, stage: str) -> bool:
        """Return whether the entry gives a role for a project, in whatever spelling."""
        return any(self.holds(project, word) for word in role_spellings(stage))


def parse_entry(raw: bytes, where: str) -> Entry:
    """Parse a team entry as GitLab's own pages read it, but with every text as written.

    Raises TeamDatabaseError, naming `where`, for a file that no person should have to guess at.
    """
    where = shown(where, 200)[1:-1]
    tree = parse_tree(raw, where)
    if tree.root is None or tree.root == Scalar("", plain=True):
        if tree.more_documents:
            raise TeamDatabaseError(
                f'{where} starts with an empty YAML document: remove the first "---" line.'
            )
        return Entry(username=None, reports_to=None, roles=MappingProxyType({}))
    if not isinstance(tree.root, Pairs):
        found = "a list" if isinstance(tree.root, Items) else "a single text"
        raise TeamDatabaseError(
            f"{where} holds {found} instead of the fields of one person: "
            "write one field with its value on each line."
        )
    return _Reading(where).entry(tree.root, more_documents=tree.more_documents)


class _Reading:
    """Read the fields of one entry and remember what is worth a remark."""

    def __init__(self, where: str) -> None:
        self._allowance = Allowance(where)
        self._remarks: list[str] = []
        self._partial = False

    def entry(self, root: Pairs, *, more_documents: bool) -> Entry:
        if more_documents:
            self._ignore("Only the first YAML document of the file counts: remove what follows it.")
        fields = read_fields(root, self._allowance)
        self._remark_on_repetition(fields, _READ_FIELDS)
        roles = self._projects(fields.values.get("projects"))
        username = self._username(fields)
        reports_to = fields.values.get("reports_to")
        return Entry(
            username=username,
            reports_to=_text(reports_to, _NO_VALUE),
            roles=MappingProxyType(roles),
            remarks=tuple(dict.fromkeys(self._remarks))[:_MAX_REMARKS],
            partial=self._partial,
            manager_unclear=isinstance(reports_to, (Items, Pairs)),
            tree=root,
        )

    def _ignore(self, remark: str) -> None:
        self._partial = True
        self._remarks.append(remark)

    def _remark_on_repetition(self, fields: Fields, names: Collection[str]) -> None:
        for name in fields.repeated:
            if name in names:
                self._ignore(
                    f"The key {shown(name)} is written more than once and only the last one "
                    "counts: keep one."
                )
        for name in fields.overruled:
            if name in names:
                self._ignore(
                    f'The key {shown(name)} is written and also merged by "<<", and the written '
                    "one counts: keep one."
                )

    def _username(self, fields: Fields) -> str | None:
        node = fields.values.get("gitlab")
        username = _text(node, _NO_USERNAME)
        if isinstance(node, (Items, Pairs)):
            self._remarks.append(
                "The username is a list or a mapping instead of a text: "
                'write it behind "gitlab:" on one line.'
            )
        if username is None or not isinstance(node, Scalar):
            self._remark_on_other_name(fields)
            return None
        if not _POSSIBLE_USERNAME.fullmatch(username) or node.text != username:
            self._remarks.append(
                f"The username {shown(node.text)} has blanks or characters that no GitLab account "
                "has: compare it with the profile."
            )
        elif node.plain and is_resolved(username):
            self._remarks.append(
                f"The username {shown(username)} is a number, date, truth value or null to other "
                "readers of this file: put it in quotes."
            )
        return username

    def _remark_on_other_name(self, fields: Fields) -> None:
        for name in fields.values:
            letters = "".join(filter(str.isalpha, name.casefold()))
            if name != "gitlab" and letters.startswith("gitlab"):
                self._remarks.append(
                    f'The field {shown(name)} is not read as the username: name it "gitlab".'
                )

    def _projects(self, node: Node | None) -> dict[str, tuple[str, ...]]:
        if not isinstance(node, Pairs):
            if node is not None:
                self._ignore(
                    'The field "projects" is no mapping, so it gives no role: '
                    "write one project with its role on each line below it, or remove it."
                )
            return {}
        fields = read_fields(node, self._allowance)
        self._remark_on_repetition(fields, fields.values.keys())
        return {name: self._roles(name, value) for name, value in fields.values.items()}

    def _roles(self, name: str, value: Node) -> tuple[str, ...]:
        found: list[str] = []
        self._collect(name, value, 0, found)
        return tuple(found)

    def _collect(self, name: str, node: Node, depth: int, found: list[str]) -> None:
        self._allowance.spend(depth)
        if isinstance(node, Items):
            if depth == 1:
                self._remarks.append(
                    f"The roles of {shown(name)} are a list in a list: write one plain list."
                )
            for each in node.nodes:
                if isinstance(each, Scalar) and _text(each, _NO_VALUE) is None:
                    self._remarks.append(
                        f"The roles of {shown(name)} have an empty item, at which other readers "
                        "of the team database stop: remove it."
                    )
                self._collect(name, each, depth + 1, found)
        elif isinstance(node, Pairs):
            self._ignore(
                f"A role of {shown(name)} is a mapping and gives no role: "
                "write the role as text, with its specialty behind it."
            )
        else:
            text = _text(node, _NO_VALUE)
            if text is not None:
                found.append(text)


def _text(node: Node | None, nothing: frozenset[str]) -> str | None:
    """Take the text of a scalar, unless it is empty or plainly one of the words for nothing."""
    if not isinstance(node, Scalar):
        return None
    text = node.text.strip()
    return None if not text or (node.plain and text in nothing) else text
