"""Hold what slipcover counted against what is asked: every room whole, the sandbox nearly.

Usage: covered.py COVERAGE.json
"""

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

ROOMS = ("bot/*.py", "bot/[!s]*/**/*.py", "bot/setup/*.py")
SANDBOX = "bot/sandbox/**/*.py"
ENOUGH = 95.0  # per cent of the sandbox's lines and branches together

Files = Mapping[str, Any]


def main(report: str) -> int:
    """Print what is not covered; return 1 if it is too much."""
    files: Files = json.loads(Path(report).read_text("utf-8"))["files"]
    gaps = [line for name in _names(*ROOMS) for line in _find_gaps(name, files)]
    sandbox = [files[name]["summary"] for name in _names(SANDBOX) if name in files]
    covered, missing = _count(sandbox, "covered"), _count(sandbox, "missing")
    percent = 100 * covered / (covered + missing)
    print(*gaps, sep="\n", end="\n" if gaps else "")
    rooms = f"{len(_names(*ROOMS))} rooms, {len(gaps)} with gaps"
    print(f"{rooms}; {len(sandbox)} files of the sandbox, {percent:.2f} % covered")
    absent = [name for name in _names(SANDBOX) if name not in files]
    return 1 if gaps or absent or percent < ENOUGH else 0


def _names(*patterns: str) -> list[str]:
    """List the files as they lie on the disk, so that none is left out of the report."""
    return sorted(str(file) for pattern in patterns for file in Path().glob(pattern))


def _find_gaps(name: str, files: Files) -> Iterator[str]:
    found = files.get(name)
    if found is None:
        yield f"{name}: was not measured"
        return
    if "missing_branches" not in found:
        yield f"{name}: branches were not measured"
        return
    missing = [str(line) for line in found["missing_lines"]]
    missing += [f"{start}->{end}" for start, end in found["missing_branches"]]
    if missing:
        yield f"{name}: not covered are {', '.join(missing)}"


def _count(summaries: list[Any], what: str) -> int:
    """Add up lines and branches that are `covered` or `missing`."""
    return sum(each[f"{what}_lines"] + each[f"{what}_branches"] for each in summaries)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
