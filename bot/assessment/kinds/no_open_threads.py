"""Nobody's concern stands unresolved in a thread of the merge request."""

from collections.abc import Collection
from typing import Annotated, ClassVar

from bot.assessment.findings import (
    Case,
    Finding,
    Part,
    Verdict,
    current_maintainers,
    inactive_maintainers,
)
from bot.assessment.kinds.kind import RequirementKind, unknown
from bot.merge_request import Note, Person
from bot.policy import Requirement
from bot.policy.grammar import Choice, Key
from bot.unread import Unread
from bot.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class _People:
    """Whose threads count, everybody's where none are `deciding`; the `partial` resolve none.

    The `absent` would decide, were their accounts not blocked.
    """

    nominee: str
    partial: Collection[str]
    deciding: Collection[str] | None
    absent: Collection[str] = ()

    def raise_by(self, person: Person) -> bool:
        # That they left does not settle it.
        left = person.is_gone or person.key in self.absent
        return person.key != self.nominee and (left or self._decide(person.key))

    def settle_by(self, key: str) -> bool:
        return key not in self.partial and self._decide(key)

    def _decide(self, key: str) -> bool:
        return self.deciding is None or key in self.deciding


@dataclass(frozen=True, slots=True, kw_only=True)
class NoOpenThreads(RequirementKind):
    """Ask that no thread stands open in which one of these people wrote."""

    kind = "no_open_threads"
    about = (
        "No thread of the merge request in which somebody who decides wrote is open: an unresolved "
        "thread is how a blocking concern is raised. It takes somebody else than the nominee and "
        "the author to resolve it. Internal threads do not count, because not everybody sees "
        "them; those of people who were blocked or deleted since do."
    )
    later = True
    effort = 3
    turn = "maintainer"  # they resolve threads
    words: ClassVar = {
        "found": "{% if finding.found %}{{ finding.found }} comment"
        "{% if finding.found != 1 %}s{% endif %} in open threads{% else %}none{% endif %}",
        "needed": "{% if not finding.needed %}none{% endif %}",
        "next_step": "{% set names = finding.parts|selectattr('state', 'equalto', 'open')"
        "|map(attribute='name')|unique|list %}"
        "{% for name in names[:shown] %}{{ name|user }} or {% endfor %}"
        "{% if rule.by == 'maintainers' %}{% if names %}another{% else %}a{% endif %} maintainer"
        "{% else %}anybody but the nominee and"
        " the author{% endif %} resolves what is open"
        " ({% for part in finding.parts[:shown] %}{{ 'comment'|link(part.url) }}"
        "{% if not loop.last %}, {% endif %}{% endfor %}) and comments"
        " `/{{ word|policy }} recheck`.",
        "evidence": "{% for part in finding.parts[:shown] %}"
        "- {{ part.name|user }} wrote in an open thread: {{ 'comment'|link(part.url) }}\n"
        "{% else %}{{ finding.requirement.help|policy }}\n{% endfor %}"
        "{% if finding.parts|length > shown %}"
        "- and {{ finding.parts|length - shown }} more\n{% endif %}",
    }

    by: Annotated[
        str,
        Key(
            Choice(words={"maintainers": "maintainers", "anyone": "anyone"}),
            "Whose threads count: those of the present maintainers, or everybody's; never the"
            " nominee's own, and no bot's.",
        ),
    ]

    def judge(self, case: Case, requirement: Requirement) -> Finding:
        """Look for comments of theirs in threads that nobody resolved who may."""
        people = self._people(case)
        if isinstance(people, Unread):
            return unknown(requirement, 0, people.reason)
        merged_at = case.merge_request.merged_at
        open_notes = [
            note
            for note in case.merge_request.notes
            if _is_open(note, people) and not (merged_at and note.created_at > merged_at)
        ]
        notes = [note for note in open_notes if note.author]
        if open_notes and not notes:
            return unknown(requirement, 0, "GitLab does not tell who wrote in an open thread")
        parts = tuple(
            Part(
                role="thread",
                name=note.author.username,
                state="left" if note.author.is_gone or not note.author.active else "open",
                url=note.url,
            )
            for note in notes
            if note.author
        )
        return Finding(
            requirement=requirement,
            verdict=Verdict.UNMET if parts else Verdict.MET,
            found=len(parts),
            needed=0,
            parts=parts,
        )

    def _people(self, case: Case) -> "_People | Unread":
        nominee, author = case.nomination.username.casefold(), case.merge_request.author
        partial = {nominee, author.key if author else nominee}
        if self.by == "anyone":
            return _People(nominee=nominee, partial=partial, deciding=None)
        members = case.members(case.policy.maintainers.group)
        if isinstance(members, Unread):
            return members
        return _People(
            nominee=nominee,
            partial=partial,
            deciding={name.casefold() for name in current_maintainers(case.policy, members)},
            absent=inactive_maintainers(case.policy, members),
        )


def _is_open(note: Note, people: _People) -> bool:
    """Return whether a comment in a thread stands open, or was resolved by who may not alone.

    Whoever may edit the merge request may resolve any of its threads, its author, too
    (GitLab, doc/user/project/merge_requests/_index.md, "Resolve a thread").
    """
    if not note.resolvable or note.internal or note.system:
        return False
    if note.author is None:
        return not note.resolved
    if note.author.bot or not people.raise_by(note.author):
        return False
    resolver = (note.resolved_by or "").casefold()
    by_right = resolver == note.author.key or people.settle_by(resolver)
    return not (note.resolved and resolver and by_right)
