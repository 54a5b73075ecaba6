"""What libraries bring along is left out until somebody uses it, and then does what it did."""

import re
import sys

import pytest
from yaml.reader import Reader

from bot.team.text import NOT_PRINTABLE
from bot.values import LatePattern, late_patterns
from tests.processes import run_python

LATE = """
import sys
from bot.gitlab import Transport
from bot.report import Words
from urllib3.util import url

words = Words(None, "", "nomination")
print(type(url._IPV6_RE).__name__, "pattern" in vars(url._IPV6_RE), "jinja2" in sys.modules)
print(url.parse_url("https://[::1]:8080/a").host)
"""


def test_a_late_pattern_does_what_one_compiled_at_once_does() -> None:
    late = LatePattern(r"(?P<letter>[a-z])\d", re.IGNORECASE)
    assert isinstance(late, re.Pattern)
    assert re.sub(late, r"\g<letter>", "A1 b2") == "A b"
    assert late.search("..C3").group("letter") == "C"
    assert (late.pattern, late.groupindex["letter"]) == (r"(?P<letter>[a-z])\d", 1)
    with pytest.raises(AttributeError, match="nothing"):
        late.nothing()
    with pytest.raises(AttributeError, match="__nothing__"):
        late.__nothing__()


def test_a_late_pattern_compiles_when_it_is_used_and_once() -> None:
    broken = LatePattern("(")
    with pytest.raises(re.error):
        broken.match("")
    late = LatePattern("a")
    assert late.match is late.match


def test_patterns_are_late_only_meanwhile_whatever_happens() -> None:
    made = [re.compile("a")]

    def fail() -> None:
        with late_patterns():
            with late_patterns():
                pass
            made.append(re.compile("a"))
            assert made[-1].match("a")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    made.append(re.compile("a"))
    assert [type(each).__name__ for each in made] == ["Pattern", "LatePattern", "Pattern"]


def test_libraries_compile_what_they_need_alone() -> None:
    done = run_python(["-c", LATE], {})
    assert done.stdout.split() == ["LatePattern", "False", "False", "[::1]"], done.stderr


def test_what_is_not_printable_is_what_yaml_says() -> None:
    characters = "".join(map(chr, range(sys.maxunicode + 1)))
    ours, theirs = (
        {ascii(each) for each in pattern.findall(characters)}
        for pattern in (NOT_PRINTABLE, Reader.NON_PRINTABLE)
    )
    assert len(ours) > 1_000
    assert ours == theirs
