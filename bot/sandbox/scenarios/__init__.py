"""The scenarios that come with the sandbox."""

from pathlib import Path

FIRST_NOMINATION = Path(__file__).with_name("first-nomination")
EMPTY = Path(__file__).with_name("empty")
