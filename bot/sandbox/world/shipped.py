"""What comes with the bot: its own CI configuration, its components, an example of policies."""

from pathlib import Path
from typing import Any

import yaml

CI_FILE = ".gitlab-ci.yml"
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the fast one where it is installed
_HERE = Path(__file__).resolve().parents[1]


def find_shipped(name: str) -> Path | None:
    """Return where something shipped is: in the repository, or in the wheel's copy."""
    places = (folder / name for folder in (_HERE.parents[1], _HERE.parent))
    return next((each for each in places if each.exists()), None)


def read_component(name: str) -> str | None:
    """Return one of the shipped components."""
    path = find_shipped(f"templates/{name}.yml")
    return path.read_text(encoding="utf-8") if path else None


def ci_definition() -> str:
    """Return the bot's own CI configuration: the repository's, or the copy in the wheel."""
    checkout = _HERE.parents[1] / CI_FILE
    shipped = _HERE / "gitlab-ci.yml"
    return (checkout if checkout.exists() else shipped).read_text(encoding="utf-8")


def read_yaml(text: str) -> Any:
    """Read the one document of a YAML text; raise YAMLError."""
    return yaml.load(text, Loader=_LOADER)  # noqa: S506  a safe one
