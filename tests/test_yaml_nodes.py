"""YAML is read strictly, with places, by both of the parsers that may be installed."""

import pytest

from bot.policy.grammar.nodes import (
    MAX_CHARACTERS,
    Mapping,
    Node,
    Place,
    Scalar,
    Sequence,
    parse_yaml,
)

Told = list[tuple[int, int, str, str]]


def read(text: str, *, pure: bool = False) -> tuple[Node | None, Told]:
    told: Told = []

    def report(place: Place, what: str, found: str, expected: str) -> None:
        assert expected
        told.append((place.line, place.column, what, found))

    return parse_yaml(text, report, pure=pure), told


def find_told(text: str, *, pure: bool = False) -> Told:
    return read(text, pure=pure)[1]


@pytest.mark.parametrize("pure", [False, True])
@pytest.mark.parametrize(
    ("text", "line", "column", "what"),
    [
        ("", 1, 1, "empty"),
        ("# only a remark\n", 1, 1, "empty"),
        ("a: 1\n---\nb: 1\n", 2, 1, "a second document"),
        ("a: 1\n...\n---\n", 3, 1, "a second document"),
        ("[" * 60_000, 1, 11, "too deep"),
        ("{a: " * 11 + "1" + "}" * 11, 1, 41, "too deep"),
        ("a: &x 1\n", 1, 4, "an anchor"),
        ("a: &x [1]\n", 1, 4, "an anchor"),
        ("a: *x\n", 1, 4, "an alias"),
        ("a: !!python/object:os.system ls\n", 1, 4, "a tag"),
        ("a: ! 1\n", 1, 4, "a tag"),
        ("? [a]\n: 1\n", 1, 3, "a key that is not a word"),
        ("? *x\n: 1\n", 1, 3, "a key that is not a word"),
        ("a: 1\nb: 2\na: 3\n", 3, 1, "a repeated key"),
        ("a: 'x\n", 2, 1, "not YAML"),
        ("a: \x00\n", 1, 4, "not YAML"),
        ("a: 1\nb: \ud800\n", 2, 4, "not YAML"),
        ("%YAML 9.0\n---\na: 1\n", 1, 1, "not YAML"),
        ("a: 1\n" * (MAX_CHARACTERS // 5 + 1), 1, 1, "too long"),
    ],
)
def test_what_is_not_plain_yaml_is_told_with_its_place(
    text: str, line: int, column: int, what: str, pure: bool
) -> None:
    assert (line, column, what) in [told[:3] for told in find_told(text, pure=pure)]


@pytest.mark.parametrize("pure", [False, True])
@pytest.mark.parametrize(
    "text", ['a: "\\UFFFFFFFF"', "%YAML " + "9" * 5000 + ".1\n---\na: 1\n", "a: \t- b: [", "&" * 99]
)
def test_absurd_text_is_told_and_breaks_neither_parser(text: str, pure: bool) -> None:
    [(_, _, what, found)] = find_told(text, pure=pure)
    assert what == "not YAML"
    assert found.isprintable()


def test_a_billion_laughs_are_told_and_never_expanded() -> None:
    lines = ["a0: &a0 [lol]"] + [
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 10)
    ]
    told = find_told("\n".join(lines))
    assert len(told) == 10 + 9 * 9


@pytest.mark.parametrize("pure", [False, True])
def test_both_parsers_build_the_same_nodes(pure: bool) -> None:
    root, told = read("a: [1, 'x']\nb:\n  c: >-\n    d\n    e\n", pure=pure)
    assert not told
    c = Scalar(place=Place(line=3, column=6), text="d e", meaning="text")
    assert isinstance(root, Mapping)
    assert list(root.entries) == ["a", "b"]
    assert root.entries["b"][1] == Mapping(
        place=Place(line=3, column=3), entries={"c": (Place(line=3, column=3), c)}
    )
    assert root.entries["a"][1] == Sequence(
        place=Place(line=1, column=4),
        items=(
            Scalar(place=Place(line=1, column=5), text="1", meaning="int"),
            Scalar(place=Place(line=1, column=8), text="x", meaning="text"),
        ),
    )


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("word", "text"),
        ("'5'", "text"),
        ('"true"', "text"),
        ("5", "int"),
        ("0x5", "int"),
        ("5.0", "float"),
        ("on", "bool"),
        ("~", "null"),
        ("", "null"),
        ("2024-07-29", "timestamp"),
    ],
)
def test_a_plain_scalar_means_what_yaml_makes_of_it(text: str, meaning: str) -> None:
    root, _ = read(f"- {text}\n")
    assert isinstance(root, Sequence)
    [scalar] = root.items
    assert isinstance(scalar, Scalar)
    assert scalar.meaning == meaning
