"""Fuzz the detection, guided by coverage; needs `pip install atheris`, which tests do not.

Run `python -m tests.fuzz_team_db tests/corpus -max_total_time=600`; the tests replay the corpus.
"""

import importlib
import sys


def main() -> None:
    """Hand over to libFuzzer, which takes its own options and never returns."""
    atheris = importlib.import_module("atheris")
    with atheris.instrument_imports(include=["bot", "yaml"]):
        checks = importlib.import_module("tests.entry_checks")
    atheris.Setup(sys.argv, checks.check)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
