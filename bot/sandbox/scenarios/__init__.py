"""The scenarios that come with the sandbox."""

from pathlib import Path

FIRST_NOMINATION = Path(__file__).with_name("first-nomination")
STORY = Path(__file__).with_name("story")
EMPTY = Path(__file__).with_name("empty")
