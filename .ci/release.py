"""Prepare a release: its notes out of the changelog, and the licences of what it is made of.

Usage: release.py notes [TAG]   or   release.py licences SBOM.json

A tag must be the version in pyproject.toml, and the changelog must have a section of that name.
"""

import json
import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]


def main(arguments: list[str]) -> int:
    """Print what is asked for; return 1 where the release must not be."""
    command, *rest = arguments
    try:
        print(write_notes(*rest) if command == "notes" else list_licences(Path(rest[0])))
    except ValueError as error:
        print(f"No release: {error}.", file=sys.stderr)
        return 1
    return 0


def read_version() -> str:
    """Return the version, which stands in one place."""
    return str(tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"])


def write_notes(tag: str | None = None) -> str:
    """Return the section of the changelog for the version; raise ValueError where it must not be.

    The catalog takes bare semantic versions as tags only (doc/ci/components, "Publish a new
    release").
    """
    version = read_version()
    if tag is not None and tag != version:
        raise ValueError(f"the tag is {tag}, but `version` in pyproject.toml is {version}")
    changelog = (ROOT / "CHANGELOG.md").read_text("utf-8")
    parts = re.split(r"^## (\S+)(.*)\n", changelog, flags=re.MULTILINE)
    for name, rest, text in zip(parts[1::3], parts[2::3], parts[3::3], strict=True):
        if name == version:
            if tag is not None and "unreleased" in rest:
                raise ValueError(f"CHANGELOG.md still calls {version} unreleased")
            return str(text.strip())
    raise ValueError(f"CHANGELOG.md has no section {version}")


def list_licences(sbom: Path) -> str:
    """Return the licences of a CycloneDX file as a table; raise ValueError where one is unknown."""
    components = json.loads(sbom.read_text("utf-8"))["components"]
    rows = [(each["name"], each["version"], ", ".join(_licences(each))) for each in components]
    unknown = [name for name, _, licence in rows if not licence]
    if unknown:
        raise ValueError(f"no licence is known of {', '.join(sorted(unknown))}")
    head = "| Package | Version | Licence |\n| --- | --- | --- |\n"
    return head + "\n".join(f"| {' | '.join(row)} |" for row in sorted(rows))


def _licences(component: dict[str, object]) -> list[str]:
    """Return the licences as SPDX names them, else as the package's classifiers do."""
    found = component.get("licenses")
    spdx, others = [], []
    for each in found if isinstance(found, list) else ():
        licence = each.get("license") or {}
        name = each.get("expression") or licence.get("id")
        if name:
            spdx.append(str(name))
        elif licence.get("name"):
            others.append(" ".join(str(licence["name"]).split(" :: ")[-1].split())[:80])
    return spdx or others


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
