"""Files that were written to exhaust a reader; run as a program, report what they cost."""

import contextlib
import json
import resource
import sys
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from bot.errors import TeamDatabaseError
from bot.nomination.search import find_nominations
from bot.nomination.values import Change
from bot.team import RoleKey
from bot.team.tree import PURE_LIMITS, parse_tree

SIZE = 1 << 20
NOMINATES = b"  ai-gateway: maintainer\n"


def _fill(piece: str, size: int = SIZE) -> bytes:
    return (piece * (size // len(piece) + 1)).encode()[:size]


def _entry(projects: str) -> bytes:
    return f"gitlab: ada\nprojects:\n{projects}".encode()


def _laughs() -> bytes:
    lines = ["a0: &a0 [maintainer]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30)]
    return "\n".join(lines).encode() + b"\n" + _entry("  ai-gateway: *a29\n")


def _merges() -> bytes:
    lines = ["m0: &m0 {ai-gateway: maintainer}"]
    lines += [f"m{n}: &m{n} {{<<: [{', '.join([f'*m{n - 1}'] * 9)}]}}" for n in range(1, 30)]
    return "\n".join(lines).encode() + b"\n" + _entry("  <<: *m29\n")


def _chain() -> bytes:
    lines = ["c0: &c0 [maintainer]", *(f"c{n}: &c{n} [*c{n - 1}]" for n in range(1, 2_000))]
    return "\n".join(lines).encode() + b"\n" + _entry("  ai-gateway: *c1999\n")


def _wide_merges() -> bytes:
    keys = ", ".join(f"k{n}: v" for n in range(900))
    return f"m: &m {{{keys}}}\n".encode() + _entry(f"  <<: [{', '.join(['*m'] * 900)}]\n")


def bombs() -> Iterator[tuple[str, bytes]]:
    """Make each bomb with a name that says what it multiplies."""
    yield "alias laughs", _laughs()
    yield "merge laughs", _merges()
    yield "alias chain", _chain()
    yield "wide merges", _wide_merges()
    pieces = [*"[]{}?:-|>'\"#%@`,\n\t ", "! ", "!!a ", "!a:b: ", "&a ", "*a "]
    for piece in [*pieces, "- ", "? ", "[a, ", "{a: ", "a: b\n", "- a\n", "&a a: "]:
        yield f"only {piece!r}", _entry("  ai-gateway: ") + _fill(piece, SIZE - 99)
    for piece in (
        "---\n",
        "...\n",
        "%TAG ! tag:x:\n",
        "--- a\n",
        "# maintainer\n",
        "'' ",
        '"\\n',
        "é",
    ):
        yield f"only {piece!r}", _fill(piece)
    yield "escapes", _entry('  ai-gateway: "' + "\\x61" * (SIZE // 4 - 20) + '"\n')
    yield "directive number", b"%YAML 1." + b"9" * SIZE
    yield "anchors", "".join(f"k{n}: &a{n} x\n" for n in range(4_500)).encode() + NOMINATES
    yield "keys", _entry("".join(f"  ai_gatewa{n}: maintaine{n}\n" for n in range(4_500)))
    yield "misspelt keys", _entry("".join(f"  ai-gateway{n % 10}: x{n}\n" for n in range(4_500)))
    yield "two of each key", _entry("".join(f"  k{n % 2_250}: v\n" for n in range(4_500)))
    yield "misspelt roles", _entry("".join(f"  ai-gateway: maint{n}\n" for n in range(4_500)))
    roles = "".join(f"  ai-gateway: maint{n:06}\n" for n in range(40_000))
    yield "broken with misspelt roles", _entry(roles + "\t[")
    yield "same key", _entry("  ai-gateway: maintaner\n" * 4_500)
    yield "roles", _entry("  ai-gateway: [" + "maintaner, " * 4_500 + "]\n")
    yield "long words", _entry(f"  ai-gateway: {'maintaine' * 100_000}\n")
    yield "broken and long", _entry(f"  ai-gateway: [{'maintainer ' * 90_000}\n")
    yield "broken with pairs", _entry("  ai-gateway: maintaner\n" * 40_000 + "\t[")
    yield "indented", "".join(" " * n + "a:\n" for n in range(1_400)).encode()
    yield "beyond the limit", _entry("  ai-gateway: maintainer\n" * 400_000)


def measure(raw: bytes) -> float:
    """Return the seconds of processor time that one file costs as entry and as other file."""
    wanted = [RoleKey(project="ai-gateway", role="maintainer")]
    path = "data/team_members/person/a/ada.yml"
    start = time.process_time()
    find_nominations([Change(path=path, base=b"gitlab: ada\n", head=raw)], wanted)
    find_nominations([Change(path="data/team.yml", base=b"", head=raw)], wanted)
    return time.process_time() - start


def measure_without_libyaml(raw: bytes) -> float:
    """Return the seconds of processor time that the largest part which is parsed costs."""
    start = time.process_time()
    with contextlib.suppress(TeamDatabaseError):
        parse_tree(raw[: PURE_LIMITS.size], "x", limits=PURE_LIMITS, pure=True)
    return time.process_time() - start


def measure_peak() -> float:
    """Return this program's own peak; `ru_maxrss` may be that of the process that forked it."""
    status = Path("/proc/self/status")
    if status.exists():
        (line,) = [text for text in status.read_text().splitlines() if text.startswith("VmHWM")]
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> int:
    """Print the seconds of each bomb and the MiB of all as JSON; of each so many-th only."""
    each = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    chosen = list(islice(bombs(), 0, None, each))
    seconds = {name: measure(raw) for name, raw in chosen}
    seconds |= {f"{name}, no libyaml": measure_without_libyaml(raw) for name, raw in chosen}
    json.dump({"seconds": seconds, "mebibytes": measure_peak()}, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
