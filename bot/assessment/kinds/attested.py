"""The nominee states to know each topic."""

from typing import Annotated, ClassVar

from bot.assessment.findings import Case, Finding, Part, Verdict
from bot.assessment.kinds.kind import RequirementKind
from bot.policy import ID, LINE, URL, Requirement
from bot.policy.grammar import Key, ListOf, Record, keys_of
from bot.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """One thing that a nominee states to know."""

    id: Annotated[str, Key(ID, "The word by which the nominee attests the topic.")]
    text: Annotated[str, Key(LINE, "What to know, as plain text.")]
    url: Annotated[str | None, Key(URL, "Where to read about it.")] = None
    section: Annotated[
        str | None,
        Key(LINE, "The part of the process that names the topic; the comment does not show it."),
    ] = None


TOPIC = Record(about="One thing to know.", build=Topic, fields=keys_of(Topic))


@dataclass(frozen=True, slots=True, kw_only=True)
class Attested(RequirementKind):
    """Ask the nominee to state every topic."""

    kind = "attested"
    about = "The nominee states to know each topic, by a comment."
    later = True
    effort = 2
    turn = "nominee"  # nobody else can state it
    words: ClassVar = {
        "next_step": "{{ nominee|user }} comments `/{{ word|policy }} attest all`, or names topics."
    }

    topics: Annotated[
        tuple[Topic, ...],
        Key(ListOf(item=TOPIC, distinct="id"), "What the nominee states to know."),
    ]

    def judge(self, case: Case, requirement: Requirement) -> Finding:
        """Compare the topics that are asked for with those that the nominee stated."""
        parts = tuple(
            Part(
                role=topic.id,
                name=topic.text,
                state="attested" if topic.id in case.attested else "open",
                url=topic.url,
                section=topic.section,
            )
            for topic in self.topics
        )
        found = sum(part.state == "attested" for part in parts)
        return Finding(
            requirement=requirement,
            verdict=Verdict.MET if found == len(parts) else Verdict.UNMET,
            found=found,
            needed=len(parts),
            parts=parts,
        )
