"""Say in which order open points are told, and what their kinds say of them."""

from collections.abc import Mapping

from bot.assessment import KINDS, Assessment, Finding, Verdict, kind_of


def steps_in_order(assessment: Assessment) -> list[Finding]:
    """Return the open points that people can meet, first what can be done at once.

    Where there are none, those unknown ones that people can do something about, or else the first.
    """
    found = assessment.open_findings
    unmet = [finding for finding in found if finding.verdict is Verdict.UNMET]
    unmet.sort(key=lambda each: kind_of(each.requirement).effort)
    return unmet or [each for each in found if each.remedy is not None] or list(found[:1])


def kind_templates() -> Mapping[str, str]:
    """Return the words of every kind, as templates that an operator's files may replace."""
    return {
        f"kinds/{kind.kind}.{part}.j2": text for kind in KINDS for part, text in kind.words.items()
    }


def kind_template(finding: Finding, part: str) -> str | None:
    """Return the name of the template by which a kind says a part; None where it has no words."""
    kind = kind_of(finding.requirement)
    return f"kinds/{kind.kind}.{part}.j2" if part in kind.words else None
