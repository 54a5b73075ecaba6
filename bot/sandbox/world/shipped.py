"""The CI configurations that come with the bot: its own, and its components."""

from pathlib import Path

CI_FILE = ".gitlab-ci.yml"
_HERE = Path(__file__).resolve().parents[1]


def read_component(name: str) -> str | None:
    """Return one of the shipped components: the repository's, or the copy in the wheel."""
    for folder in (_HERE.parents[1], _HERE.parent):
        path = folder / "templates" / f"{name}.yml"
        if path.exists():
            return path.read_text(encoding="utf-8")
    return None


def ci_definition() -> str:
    """Return the bot's own CI configuration: the repository's, or the copy in the wheel."""
    checkout = _HERE.parents[1] / CI_FILE
    shipped = _HERE / "gitlab-ci.yml"
    return (checkout if checkout.exists() else shipped).read_text(encoding="utf-8")
