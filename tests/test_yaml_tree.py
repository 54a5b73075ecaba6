"""Reading YAML as the text its author wrote, and refusing what is malformed or only harmful."""

import json
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given, strategies as st

from bot.errors import TeamDatabaseError
from bot.team.fields import is_resolved
from bot.team.text import shown
from bot.team.tree import PURE_LIMITS, Items, Limits, Pairs, Scalar, Tree, parse_tree


def plain(text: str) -> Scalar:
    return Scalar(text, plain=True)


def refusal(raw: bytes, *, pure: bool = False, limits: Limits = PURE_LIMITS) -> str:
    with pytest.raises(TeamDatabaseError) as caught:
        parse_tree(raw, "a.yml", pure=pure, limits=limits)
    return str(caught.value)


@pytest.mark.parametrize("pure", [False, True])
@pytest.mark.parametrize(
    "text",
    [
        "on",
        "yes",
        "null",
        "~",
        "0755",
        "0x1f",
        "1_000",
        "1e3",
        ".inf",
        "2024-05-29",
        "1:30",
        "9" * 99,
    ],
)
def test_a_plain_scalar_is_the_text_as_written(text: str, pure: bool) -> None:
    assert parse_tree(text.encode(), "a.yml", pure=pure).root == plain(text)


@pytest.mark.parametrize("pure", [False, True])
@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"'on'", "on"),
        (b'"o\\x6e"', "on"),
        (b"!!str on", "on"),
        (b"! on", "on"),
        (b"|\n  on\n", "on\n"),
        (b">-\n  o\n  n\n", "o n"),
    ],
)
def test_quoted_block_and_tagged_scalars_are_text_that_is_not_plain(
    raw: bytes, text: str, pure: bool
) -> None:
    assert parse_tree(raw, "a.yml", pure=pure).root == Scalar(text, plain=False)


@pytest.mark.parametrize(
    "raw",
    [
        "é: [x]\n".encode(),
        "\ufeffé: [x]\n".encode(),
        "é: [x]\n".encode("utf-16"),
        b"\xfe\xff" + "é: [x]\n".encode("utf-16-be"),
        "é: [x]\n".encode("utf-32"),
        "é:\r\n- x\r\n".encode(),
        "é:\r- x\r".encode(),
        "--- # comment\né:\n  - x   \n...\n".encode(),
        "%YAML 1.1\n---\né: [&a x]\n".encode(),
        "? é\n: - x\n".encode(),
        "é: [x]\n---\n".encode(),
        "é: [x]\n---\n---\n".encode(),
    ],
)
def test_encodings_line_ends_and_markers_make_no_difference(raw: bytes) -> None:
    expected = Pairs(((plain("é"), Items((plain("x"),))),))
    assert parse_tree(raw, "a.yml") == Tree(expected, more_documents=False)


def test_an_alias_is_the_node_it_names() -> None:
    tree = parse_tree(b"a: &x [1]\nb: *x\n", "a.yml")
    assert isinstance(tree.root, Pairs)
    assert tree.root.nodes[0][1] is tree.root.nodes[1][1]


@pytest.mark.parametrize("raw", [b"", b"# nothing\n", b"\xef\xbb\xbf", b"%YAML 1.1\n---\n"])
def test_a_file_without_content_has_no_text(raw: bytes) -> None:
    assert parse_tree(raw, "a.yml").root in {None, plain("")}


@pytest.mark.parametrize("raw", [b"a\n---\nb\n", b"a\n---\n---\nb\n", b"a\n" + b"---\n" * 999])
def test_further_documents_are_told(raw: bytes) -> None:
    assert parse_tree(raw, "a.yml") == Tree(plain("a"), more_documents=True)


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"a: [", "line "),
        (b"a: 1\n\tb: 2\n", "line 2"),
        (b" a: 1\nb: 2\n", "line 2"),
        (b"a: 1\n b: 2\n", "line 2"),
        (b"a: @b\n", "line 1"),
        (b"a: !x!y z\n", "undefined tag handle"),
        (b"%YAML 2.0\n--- a\n", "incompatible"),
        (b"a: caf\xe9\n", "not UTF-8 text (byte 0xe9)"),
        (b"\xff\xfea", "not UTF-16 text"),
        (b"a: 1\nb: \0\n", 'line 2, holds the control character "\\x00"'),
        (b"a: \x1b[31m\n", '"\\x1b"'),
        ("a: b".encode("utf-16-le"), "as UTF-16 without a byte order mark has"),
        (b"a: !ruby/object:Gem::Installer {}\n", '"!ruby/object:Gem::Installer"'),
        (b"a: !!python/object/apply:os.system [id]\n", "python/object/apply:os.system"),
        (b"a: !!binary YQ==\n", "binary"),
        (b"a: !!set {b}\n", "set"),
        (b"a: *b\n", 'the alias "b"'),
        (b"a: &b [*b]\n", 'the alias "b"'),
        (b"[" * 33, "more than 32 deep"),
        (b"- a\n" * 5_000, "goes beyond the 2,000 values"),
        (b"a: *x\n", "alias"),
        (b" " * 70_000, "more than the 32,768 bytes"),
    ],
)
@pytest.mark.parametrize("pure", [False, True])
def test_a_refusal_names_the_file_the_place_and_the_next_step(
    raw: bytes, words: str, pure: bool
) -> None:
    message = refusal(raw, pure=pure)
    assert message.startswith("a.yml")
    assert words in message
    assert ": " in message
    assert message.endswith((".", "again.", "UTF-8.", "it."))
    assert "\n" not in message


@pytest.mark.parametrize("raw", [b"%YAML 1." + b"9" * 5_000 + b"\n--- a\n", b'a: "\\UFFFFFFFF"\n'])
def test_numbers_that_break_the_pure_parser_are_refused(raw: bytes) -> None:
    assert "is not valid YAML" in refusal(raw, pure=True)


def test_thirty_two_levels_are_read() -> None:
    assert parse_tree(b"[" * 32 + b"]" * 32, "a.yml").root is not None


@pytest.mark.parametrize("pure", [False, True])
def test_as_many_values_are_read_as_are_allowed(pure: bool) -> None:
    limits = Limits(size=100, nodes=4)
    assert parse_tree(b"[a, b, c]", "a.yml", pure=pure, limits=limits).root is not None
    assert "goes beyond the 4 values" in refusal(b"[a, b, c, d]", pure=pure, limits=limits)


@pytest.mark.parametrize("pure", [False, True])
def test_a_file_may_be_as_large_as_is_allowed(pure: bool) -> None:
    limits = Limits(size=10, nodes=4)
    assert parse_tree(b"a: 1234567", "a.yml", pure=pure, limits=limits).root is not None
    assert "more than the 10 bytes" in refusal(b"a: 12345678", pure=pure, limits=limits)


@given(st.binary(max_size=200))
def test_random_bytes_are_read_or_refused(raw: bytes) -> None:
    for pure in (False, True):
        message = ""
        try:
            parse_tree(raw, "a.yml", pure=pure)
        except TeamDatabaseError as error:
            message = str(error)
        assert message == "" or message.isprintable()


@given(st.text(alphabet="ab:-?[]{},&*!|>'\"#%@ \n\t<~", max_size=60))
def test_both_parsers_agree_wherever_both_accept(text: str) -> None:
    trees = []
    for pure in (False, True):
        try:
            trees.append(parse_tree(text.encode(), "a.yml", pure=pure).root)
        except TeamDatabaseError:
            return
    assert trees[0] == trees[1]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", '"plain"'),
        ("a\nb\x1b\u202e\udce9", '"a\\nb\\x1b\\u202e\\udce9"'),
        ("x" * 99, '"' + "x" * 59 + '…"'),
    ],
)
def test_foreign_text_is_shown_on_one_short_line(text: str, expected: str) -> None:
    assert shown(text) == expected


@pytest.mark.parametrize(
    ("text", "resolved"),
    [
        ("on", True),
        ("0755", True),
        ("1:30", True),
        ("ada", False),
        ("1a", False),
        ("9" * 200, False),
    ],
)
def test_texts_that_other_loaders_resolve_are_known(text: str, resolved: bool) -> None:
    assert is_resolved(text) is resolved


@pytest.fixture(scope="module")
def costs(every: bool) -> dict[str, Any]:
    """Set off bombs in a process of their own, all or each tenth."""
    done = subprocess.run(  # noqa: S603  our own interpreter
        [sys.executable, "-m", "tests.bombs", "1" if every else "10"],
        check=True,
        capture_output=True,
        timeout=120,
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_no_bomb_takes_a_second(costs: dict[str, Any], every: bool) -> None:
    slow = {name: seconds for name, seconds in costs["seconds"].items() if seconds > 1}
    assert len(costs["seconds"]) > (110 if every else 11)
    assert slow == {}


def test_no_bomb_takes_200_mebibytes(costs: dict[str, Any]) -> None:
    assert costs["mebibytes"] < 200
