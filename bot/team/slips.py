"""Find the line with a slip: the parser may notice it far behind, or at the very end."""

import yaml

# What a scanner finds only once it looked in vain for an end.
_NOTICED_LATE = frozenset(
    {
        "could not find expected ':'",
        "found unexpected end of stream",
        "found unexpected document indicator",
        "found unexpected document separator",
    }
)


def line_of_slip(error: yaml.MarkedYAMLError, text: str) -> int:
    """Return where the slip is: the parser may notice it far behind, or at the very end."""
    noticed, began = error.problem_mark, error.context_mark
    if noticed is None or began is None:
        return noticed.line + 1 if noticed else 1
    if error.problem in _NOTICED_LATE or (
        "flow" in (error.context or "") and _is_left(text, began.line, noticed.line)
    ):
        return began.line + 1
    return noticed.line + 1


def _is_left(text: str, began: int, noticed: int) -> bool:
    """Return whether a line stands no deeper than the one on which brackets were opened."""
    lines = [*text.split("\n"), ""]
    one, other = (lines[min(number, len(lines) - 1)] for number in (began, noticed))
    return noticed > began and len(other) - len(other.lstrip()) <= len(one) - len(one.lstrip())
