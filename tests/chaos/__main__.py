"""Tell many stories: `python -m tests.chaos --stories 300 --seed 1 --workers 2`."""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor

from tests.chaos.story import Story, Theatre, Told
from tests.in_process import make_server

CHUNK = 10


def tell_stories(first: int, count: int) -> list[Told]:
    """Tell the stories of some seeds in a row."""
    theatre = Theatre(make_server())
    return [Story(theatre, seed).tell() for seed in range(first, first + count)]


def tell_all(seed: int, stories: int, workers: int) -> Iterator[Told]:
    """Tell stories in several processes."""
    if workers == 1:
        for first in range(seed, seed + stories, CHUNK):
            yield from tell_stories(first, min(CHUNK, seed + stories - first))
        return
    with ProcessPoolExecutor(workers) as pool:
        chunks = [
            pool.submit(tell_stories, first, min(CHUNK, seed + stories - first))
            for first in range(seed, seed + stories, CHUNK)
        ]
        try:
            for chunk in chunks:
                yield from chunk.result()
        finally:
            pool.shutdown(cancel_futures=True)


def main() -> int:
    """Tell stories and report; return 1 when one of them went wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--stories", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=60, help="begin no story after that")
    parser.add_argument("--verbose", action="store_true", help="print every story")
    options = parser.parse_args()
    began = time.perf_counter()
    counts: Counter[str] = Counter()
    wrong = number = 0
    for told in tell_all(options.seed, options.stories, options.workers):
        counts.update(told.counts)
        number += 1
        wrong += bool(told.wrongs)
        if told.wrongs or options.verbose:
            print(describe(told), flush=True)
        if time.perf_counter() - began > options.minutes * 60:
            break
    seconds = time.perf_counter() - began
    parts = ", ".join(
        f"{counts[name]} {name}" for name in ("steps", "deliveries", "faults", "calls")
    )
    print(f"{number} stories, {parts}, {seconds:.0f} seconds; {wrong} went wrong.")
    return 1 if wrong else 0


def describe(told: Told) -> str:
    """Tell a story again in words."""
    wrongs = "\n".join(f"WRONG: {wrong}" for wrong in told.wrongs)
    return "\n".join([f"seed {told.seed}", *told.lines, wrongs])


if __name__ == "__main__":
    sys.exit(main())
