"""Claims about reading lists of usernames."""

import json

import pytest
import yaml
from hypothesis import given, strategies as st

from bot.listing import Listing, ListingSpec, UnreadableListing, is_listed, read_listing
from bot.listing.document import DEEPEST, LONGEST_TEXT, MOST_NODES
from bot.listing.yaml_document import parse_yaml
from tests.characters import ANY_CHARACTER
from tests.listing_files import FORMATS, Format, make_entry, make_inventory, make_spec
from tests.sampling import examples

WHERE = "inventory.json"


def read(text: str, form: Format = "json", *, entry: bool = True) -> Listing:
    return read_listing(text, make_spec(form, entry=entry), WHERE)


def why_not(text: str, form: Format = "json", *, entry: bool = True) -> str:
    with pytest.raises(UnreadableListing) as caught:
        read(text, form, entry=entry)
    where, _, reason = str(caught.value).partition(": ")
    assert where == WHERE
    return reason


@pytest.mark.parametrize(
    ("name", "username", "expected"),
    [
        ("ada", "ada", True),
        ("Ada", "aDA", True),
        ("@ada", "ada", True),
        ("ada", "@ada", True),
        ("ada2", "ada", False),
        ("ada", "ada2", False),
        ("ada", "ad", False),
        ("ada ", "ada", False),
        ("ada-", "ada", False),
        (".ada", "ada", False),
        ("@@ada", "ada", False),
        ("", "", False),
        ("@", "@", False),
        ("\u212aate", "kate", False),
        ("stra\u00dfe", "strasse", False),
    ],
)
@pytest.mark.parametrize("form", FORMATS)
def test_only_the_exact_username_in_any_case_is_listed(
    form: Format, name: str, username: str, expected: bool
) -> None:
    found = read(json.dumps({"members": [name]}), form, entry=False)
    assert is_listed(found, username) is expected


def test_an_entry_may_be_named_by_what_yaml_takes_for_a_number() -> None:
    spec = make_spec("yaml", name="2026")
    text = "inventory:\n- {name: 2025, members: [ada]}\n- {name: 2026, members: [bob]}\n"
    assert read_listing(text, spec, WHERE).names == ("bob",)


@pytest.mark.parametrize("form", FORMATS)
def test_an_entry_may_be_chosen_by_a_number(form: Format) -> None:
    text = '{"inventory": [{"name": 17, "members": ["ada"]}, {"name": 7, "members": ["bob"]}]}'
    assert read_listing(text, make_spec(form, name="7"), WHERE).names == ("bob",)


def test_the_ordinary_tags_of_yaml_may_be_written() -> None:
    text = "!!map\ninventory: !!seq\n- !!map {name: ai-gateway, members: !!seq [bob]}\n"
    assert read(text, "yaml").names == ("bob",)


@pytest.mark.parametrize(
    "text", ["members: !!map [bob]", "members: !!omap [bob]", "!!seq {members: []}"]
)
def test_other_tags_make_no_list(text: str) -> None:
    assert why_not(text, "yaml", entry=False)


@pytest.mark.parametrize("form", FORMATS)
def test_names_lose_their_sign_and_keep_case_and_order(form: Format) -> None:
    text = make_inventory(make_entry(members=["@Zoe", "ada", "Bob"]))
    assert read(text, form).names == ("Zoe", "ada", "Bob")


@pytest.mark.parametrize("form", FORMATS)
def test_only_the_named_entry_counts(form: Format) -> None:
    text = make_inventory(
        make_entry("ai-gateway-custom", members=["carl"]),
        make_entry(members=["ada"], groups=["eve"], owner="dora"),
        make_entry("AI-Gateway", members=["carl"]),
        make_entry(7, members=["carl"]),
        "ai-gateway",
        {"members": ["carl"]},
        {"name": ["ai-gateway"], "members": ["carl"]},
    )
    assert read(text, form).names == ("ada",)


@pytest.mark.parametrize("form", FORMATS)
def test_without_an_entry_the_list_is_at_the_top(form: Format) -> None:
    text = '{"extends": ["mallory"], "deep": {"members": ["carl"]}, "members": ["ada"]}'
    found = read(text, form, entry=False)
    assert found == Listing(names=("ada",), groups=(), remarks=())


def test_access_through_groups_is_reported_beside_the_names() -> None:
    entry = make_entry(members=["ada", "gitlab-org/a"], groups=["@gitlab-org/b", "c"])
    found = read(make_inventory(entry))
    assert (found.names, found.groups) == (("ada",), ("gitlab-org/a", "gitlab-org/b", "c"))


def test_groups_beside_a_list_at_the_top_mean_something_else() -> None:
    assert read('{"members": ["ada"], "groups": ["b"]}', entry=False).groups == ()


@pytest.mark.parametrize(
    ("groups", "remark"),
    [("a/b", "`groups` is not a list"), ([1], "item 1 of `groups` is not a text")],
)
def test_unreadable_groups_are_remarked_on_and_hide_no_names(groups: object, remark: str) -> None:
    found = read(make_inventory(make_entry(members=["ada"], groups=groups)))
    assert (found.names, found.groups) == (("ada",), ())
    assert remark in found.remarks[0]


@pytest.mark.parametrize(
    ("entry", "remark"),
    [
        (make_entry(groups=["a/b"]), "there is no `members`"),
        (make_entry(groups=["a/b"], members=None), "`members` is empty (line "),
    ],
)
@pytest.mark.parametrize("form", FORMATS)
def test_a_key_without_a_list_lists_nobody_and_says_so(
    form: Format, entry: dict[str, object], remark: str
) -> None:
    found = read(make_inventory(entry), form)
    assert (found.names, found.groups) == ((), ("a/b",))
    assert remark in found.remarks[0]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[]", "does not hold keys"),
        ("{}", "there is no `inventory`"),
        ('{"inventory": {"ai-gateway": {}}}', "`inventory` is not a list (line 1, column 15)"),
        (make_inventory(), "no entry of `inventory` whose `name` is `ai-gateway`"),
        (make_inventory(make_entry("ai-gateway-custom")), "there is no entry"),
        (make_inventory(make_entry(), make_entry()), "is there 2 times (line 3, column 5 and"),
        ('{"inventory": [], "inventory": []}', "`inventory` is there 2 times"),
        ('{"inventory": [{"name": "a", "name": "ai-gateway"}]}', "`name` is there 2 times"),
        (
            '{"inventory": [{"name": "ai-gateway", "members": [], "members": ["ada"]}]}',
            "`members` is there 2 times (line 1, column 50 and line 1, column 65)",
        ),
        (make_inventory(make_entry(members="ada")), "`members` is not a list (line 6, "),
        (make_inventory(make_entry(members={"ada": 1})), "`members` is not a list"),
        (make_inventory(make_entry(members=["ada", None])), "item 2 of `members` is empty"),
        (make_inventory(make_entry(members=["ada", ["b"]])), "item 2 of `members` is a list"),
        (make_inventory(make_entry(members=[{"name": "ada"}])), "item 1 of `members` is a map"),
    ],
)
@pytest.mark.parametrize("form", FORMATS)
def test_what_would_need_a_guess_is_refused_with_its_place(
    form: Format, text: str, reason: str
) -> None:
    assert reason in why_not(text, form)


@pytest.mark.parametrize("value", ["7", "true", "1.5e3", "-0"])
@pytest.mark.parametrize("form", ["json", "json5"])
def test_json_values_that_are_not_text_are_refused(form: Format, value: str) -> None:
    reason = why_not(f'{{"members": ["ada", {value}]}}', form, entry=False)
    assert reason == "item 2 of `members` is not a text (line 1, column 21)"


def test_doubled_names_and_blanks_are_remarked_on() -> None:
    found = read('{"members": ["ada", "@Ada", "bob "]}', entry=False)
    assert found.remarks == (
        "`members` has the same name twice (line 1, column 14 and line 1, column 21)",
        "`members` has a name with blanks around it (line 1, column 29)",
    )


def test_remarks_are_few() -> None:
    assert len(read(json.dumps({"members": ["a"] * 20_000}), entry=False).remarks) == 5


def test_a_byte_order_mark_is_no_part_of_the_file() -> None:
    for form in FORMATS:
        assert read('\ufeff{"members": ["ada"]}', form, entry=False).names == ("ada",)


JSON5 = """
// "members": ["mallory"]
{
  /* members: ['mallory'], */
  $schema: 'x', inventory: [{
    'name': "ai-gateway", \u00a0 // members: ['mallory']
    project_id: +0x1F, a: .5, b: 5., c: -Infinity, d: NaN, true: null, \\u0065\\u0066: -1e+3,
    members: [
      'ada', /* 'mallory', */
      // 'mallory',
      "o\\'b", 'l\\
ine', '\\x61\\u0062\\v\\0\\q', "\\ud83d\\ude00", '\\ud800',
    ],
  }],
}
"""


def test_json5_is_read_with_all_its_freedoms() -> None:
    names = ("ada", "o'b", "line", "ab\v\0q", "\U0001f600", "\ufffd")
    assert read(JSON5, "json5").names == names


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "line 1, column 1: expected a value but found the end of the file"),
        ("{", "line 1, column 2: expected a key but found the end of the file"),
        ('{"a"', "line 1, column 5: expected `:` but found the end of the file"),
        ('{"a" 1}', "line 1, column 6: expected `:`"),
        ('{"a"}', "line 1, column 5: expected `:` but found something else"),
        ('{"a": }', "line 1, column 7: expected a value"),
        ('{"a": 1 "b": 2}', "line 1, column 9: expected `,` or `}`"),
        ('{"a": [1 2]}', "line 1, column 10: expected `,` or `]`"),
        ('{"a": [1}', "line 1, column 9: expected `,` or `]`"),
        ('{"a": [,]}', "line 1, column 8: expected a value"),
        ('{"a": [1,,2]}', "line 1, column 10: expected a value"),
        ('{"a": 1}\n{}', "line 2, column 1: expected the end of the file"),
        ('{"a": "b}', "line 1, column 7: expected a value but found a string that is"),
        ('{"a": "b\nc"}', "line 1, column 7: expected a value but found a string that is"),
        ('{"a": 01}', "line 1, column 8: expected `,` or `}`"),
        ('{"a": tru}', "line 1, column 7: expected a value"),
        ("{[1]: 2}", "line 1, column 2: expected a key"),
        ("{1: 2}", "line 1, column 2: expected a key"),
    ],
)
@pytest.mark.parametrize("form", ["json", "json5"])
def test_broken_json_is_refused_with_line_and_column(form: Format, text: str, reason: str) -> None:
    assert why_not(text, form).startswith(reason)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"a": 1} // b', "line 1, column 10: expected the end of the file but found a comment"),
        ('{"a": /* b */ 1}', "found a comment, which is not JSON"),
        ('{"a": [1,\n]}', "line 2, column 1: expected something after the comma, as JSON demands"),
        ('{"a": 1,}', "line 1, column 9: expected something after the comma"),
        ("{'a': 1}", "line 1, column 2: expected a key"),
        ("{a: 1}", "line 1, column 2: expected a key"),
        ("{true: 1}", "line 1, column 2: expected a key"),
        ('{"a": +1}', "line 1, column 7: expected a value"),
        ('{"a": NaN}', "line 1, column 7: expected a value"),
        ('{"a": "\\x61"}', "line 1, column 7: expected a value"),
        ('{"a": "\t"}', "line 1, column 7: expected a value"),
        ('{"a":\u00a01}', "line 1, column 6: expected a value"),
    ],
)
def test_json_allows_nothing_of_json5(text: str, reason: str) -> None:
    assert reason in why_not(text)
    assert "there is no `inventory`" in why_not(text, "json5")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{a: 1 /* b", "line 1, column 7: expected `,` or `}` but found an open comment"),
        ("{a: '\\1'}", "line 1, column 5: expected a value"),
        ("{a: '\\x6'}", "line 1, column 5: expected a value"),
        ("{a-b: 1}", "line 1, column 3: expected `:`"),
    ],
)
def test_json5_has_its_limits_too(text: str, reason: str) -> None:
    assert why_not(text, "json5").startswith(reason)


YAML = """\
# members: [mallory]
---
defaults: &defaults
  groups: [gitlab-org/a]
  members: &team
    - ada  # - mallory
    # - mallory
    - &bob '@bob'
    - !!str 12
    - ! carl
other: {members: [mallory]}
inventory:
- name: ai-gateway-custom
  members: [mallory]
- %s
"""


@pytest.mark.parametrize(
    ("entry", "names"),
    [
        ("{name: ai-gateway, members: *team}", ("ada", "bob", "12", "carl")),
        ("{name: ai-gateway, <<: *defaults}", ("ada", "bob", "12", "carl")),
        ("{name: ai-gateway, <<: [{members: [eve]}, *defaults]}", ("eve",)),
        ("{name: ai-gateway, <<: {<<: *defaults}}", ("ada", "bob", "12", "carl")),
        ("{<<: {name: ai-gateway}, members: [eve]}", ("eve",)),
        ("{<<: [{x: 1}, {name: ai-gateway}, {name: x}], members: [eve]}", ("eve",)),
        ("{<<: {name: ai-gateway}, name: x}\n- {name: ai-gateway, members: [eve]}", ("eve",)),
        ("{name: ai-gateway, <<: {<<: {x: 1}}, members: [eve]}", ("eve",)),
        ("{name: ai-gateway, <<: [*defaults, *defaults], members: [*bob]}", ("bob",)),
        ('{"name": "ai-gateway", members: ["ada", \'bob\', ]}', ("ada", "bob")),
        ("&x\n  name: !!str ai-gateway\n  members: !!seq\n  - ada\n", ("ada",)),
        ("name: ai-gateway\n  members:\n  - >-\n    ada\n  - |\n    bob\n", ("ada", "bob\n")),
        ("? name\n  : ai-gateway\n  ? members\n  :\n  - ada\n", ("ada",)),
        ('{name: ai-gateway, "<<": *defaults, members: [eve]}', ("eve",)),
    ],
)
def test_yaml_means_what_its_anchors_merges_and_tags_say(
    entry: str, names: tuple[str, ...]
) -> None:
    assert read(YAML % entry, "yaml").names == names


@pytest.mark.parametrize(
    ("second", "reason"),
    [
        ("{<<: *one, members: [mallory]}", "is there 2 times"),
        ("*one", "is there 2 times"),
        ("{<<: 1}", "a merge of what is not a map"),
        ("{<<: [{name: x, name: ai-gateway}]}", "`name` is there 2 times"),
    ],
)
def test_an_entry_that_a_merge_doubles_is_refused(second: str, reason: str) -> None:
    text = f"inventory:\n- &one {{name: ai-gateway, members: [ada]}}\n- {second}\n"
    assert reason in why_not(text, "yaml")


def test_groups_come_through_a_merge_too() -> None:
    found = read(YAML % "{name: ai-gateway, <<: *defaults, members: []}", "yaml")
    assert found.groups == ("gitlab-org/a",)


@pytest.mark.parametrize("word", ["on", "0755", "12", "1e3", "2024-01-01", "no", "1_0"])
def test_yaml_words_without_quotes_stay_usernames(word: str) -> None:
    found = read(f"members:\n- ada\n- {word}\n", "yaml", entry=False)
    assert found.names == ("ada", word)
    expected = () if word == "1e3" else ("`members` has a name that YAML reads as no text",)
    assert tuple(remark.partition(" (")[0] for remark in found.remarks) == expected


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "the file is empty"),
        ("# nothing\n", "the file is empty"),
        ("---\n...\n", "does not hold keys"),
        ("- ada\n", "does not hold keys"),
        ("members: [1, 2]\n", "`members` holds no text, only numbers"),
        ("members: [ada, ~]\n", "item 2 of `members` is empty"),
        ("members:\n- ada\n-\n", "item 2 of `members` is empty (line 3, column 2)"),
        ("members: [!secret ada]\n", "item 1 of `members` is a value with a tag of its own"),
        ("members: [!!int 3]\n", "item 1 of `members` is a value with a tag of its own"),
        ("members: !!set {ada}\n", "`members` is not a list"),
        ("members: !mine [ada]\n", "`members` is not a list"),
        ("--- !mine\nmembers: [ada]\n", "does not hold keys"),
        ("a: &a [x]\nmembers: [*a, *a]\n", "item 1 of `members` is a list"),
        ("members: &a [*a]\n", "line 1, column 14: an alias without an anchor"),
        ("members: [*none]\n", "line 1, column 11: an alias without an anchor"),
        ("members: [a]\nmembers: [b]\n", "`members` is there 2 times"),
        ("<<: 1\n", "a merge of what is not a map (line 1, column 5)"),
        ("<<: [{a: 1}, [2]]\n", "a merge of what is not a map"),
        ("<<: {a: 1}\n<<: {b: 1}\n", "`<<` is there 2 times"),
        ("members: [a]\n---\nmembers: [b]\n", "line 2, column 1: a second document starts"),
        ("members: [a]\n---\n", "line 2, column 1: a second document starts"),
        ("members:\n\t- ada\n", "line 2, column 1: not valid YAML"),
        ("members: [ada\n", "line 2, column 1: not valid YAML"),
        ("members: 'ada\n", "not valid YAML"),
        ("a: b: c\n", "line 1, column 5: not valid YAML"),
        ("members: [@ada]\n", "line 1, column 11: not valid YAML"),
        ("\u00e9: [a]\nb: \x00", "line 2, column 4: a character that YAML forbids"),
        ("# a\u2028members: [mallory]", "line 1, column 4: a character that YAML forbids"),
        ("%YAML 9.9\n---\na: 1\n", "not valid YAML"),
    ],
)
def test_yaml_that_would_need_a_guess_is_refused(text: str, reason: str) -> None:
    assert reason in why_not(text, "yaml", entry=False)


@pytest.mark.parametrize("form", FORMATS)
def test_a_lone_surrogate_is_refused(form: Format) -> None:
    assert why_not('{"a\ud800": 1}', form).startswith("line 1, column 4: a character that is not")


@pytest.mark.parametrize("form", FORMATS)
def test_depth_is_limited_exactly(form: Format) -> None:
    def nested(levels: int) -> str:
        return '{"members": ["ada"], "a": ' + "[" * levels + "]" * levels + "}"

    assert read(nested(DEEPEST - 1), form, entry=False).names == ("ada",)
    assert "nested more than" in why_not(nested(DEEPEST), form, entry=False)
    assert "nested more than" in why_not("[" * 300_000, form)


@pytest.mark.sample(1)
@pytest.mark.parametrize("form", ["json", "yaml"])
def test_the_number_of_values_is_limited(form: Format) -> None:
    assert "values in one file" in why_not(f"[{'1,' * MOST_NODES}1]", form)


@pytest.mark.parametrize("form", FORMATS)
def test_length_is_limited(form: Format) -> None:
    text = f'{{"members": ["ada"], "a": "{"x" * LONGEST_TEXT}"}}'
    assert "characters, more than the" in why_not(text, form)


@pytest.mark.sample(1)
@pytest.mark.parametrize(
    "text",
    ["/*" * 400_000, '"' + "\\" * 900_001, "{" + "a" * 900_000, " " * 900_000, "? " * 90_000],
)
@pytest.mark.parametrize("form", FORMATS)
def test_hostile_text_is_refused_soon(form: Format, text: str) -> None:
    assert why_not(text, form)


def test_aliases_are_never_expanded() -> None:
    bombs = [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 900)]
    text = "\n".join(["a0: &a0 [x]", *bombs, "members: [ada]"])
    assert read(text, "yaml", entry=False).names == ("ada",)


def test_merges_are_never_followed_twice() -> None:
    text = merge_bomb(9)
    assert read(text, "yaml").remarks == ("there is no `members`",)


@pytest.mark.parametrize("entry", ["name: ai-gateway, <<: *a899", "<<: *a899"])
def test_only_so_many_merges_are_followed(entry: str) -> None:
    text = merge_bomb(899).replace("name: ai-gateway, <<: *a899", entry)
    assert "a merge of more than 20 maps" in why_not(text, "yaml")


def merge_bomb(levels: int) -> str:
    bombs = [f"a{n}: &a{n} {{<<: [*a{n - 1}, *a{n - 1}]}}" for n in range(1, levels + 1)]
    entry = f"inventory: [{{name: ai-gateway, <<: *a{levels}}}]"
    return "\n".join(["a0: &a0 {x: 1}", *bombs, entry])


pieces = st.sampled_from(
    [
        *"{}[]:,\"'\\/*#-&!?|>%@`~ \n\t\r",
        "members",
        "ada",
        "inventory",
        "<<",
        "*a",
        "&a ",
        "- ",
        "1",
    ]
)


@examples(250)
@given(
    text=st.one_of(st.text(ANY_CHARACTER), st.lists(pieces).map("".join)),
    form=st.sampled_from(FORMATS),
)
def test_any_text_is_read_or_refused(text: str, form: Format) -> None:
    for entry in (True, False):
        try:
            found = read(text, form, entry=entry)
        except UnreadableListing:
            continue
        assert all(isinstance(name, str) for name in found.names)


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(ANY_CHARACTER),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(ANY_CHARACTER), inner),
    max_leaves=10,
)


@given(
    names=st.lists(st.text(ANY_CHARACTER)),
    rest=json_values,
    indent=st.sampled_from([None, 0, 1, 2, "\t"]),
    ascii_only=st.booleans(),
    form=st.sampled_from(["json", "json5"]),
)
def test_json_agrees_with_the_standard_library(
    names: list[str], rest: object, indent: int | str | None, *, ascii_only: bool, form: Format
) -> None:
    file = {"rest": rest, "members": names}
    found = read(json.dumps(file, indent=indent, ensure_ascii=ascii_only), form, entry=False)
    bare = [name.removeprefix("@") for name in names]
    assert found.names == tuple(name for name in bare if "/" not in name)
    assert found.groups == tuple(name for name in bare if "/" in name)


@pytest.mark.parametrize("entry", ["{name: ai-gateway, <<: *defaults}", "name: ai-gateway"])
def test_yaml_is_the_same_without_libyaml(entry: str) -> None:
    text = YAML % entry
    assert parse_yaml(text, loader=yaml.SafeLoader) == parse_yaml(text)


@pytest.mark.parametrize("text", ['a: "\\U00110000"', 'a: "\\UFFFFFFFF"', "a: [", "a: *b"])
def test_what_yaml_cannot_be_is_refused_without_libyaml_too(text: str) -> None:
    for loader in (yaml.SafeLoader, yaml.CSafeLoader):
        with pytest.raises(UnreadableListing):
            parse_yaml(text, loader=loader)


def test_without_libyaml_only_short_files_are_read() -> None:
    text = "a: 1\n" + "#\n" * 30_000
    assert parse_yaml(text, loader=yaml.CSafeLoader).root.kind == "map"
    with pytest.raises(UnreadableListing, match="characters, more than the"):
        parse_yaml(text, loader=yaml.SafeLoader)


def test_a_specification_is_a_value() -> None:
    assert make_spec() == make_spec()
    assert isinstance(hash(make_spec()), int)
    assert ListingSpec(format="yaml", entry=None, key="a").entry is None
