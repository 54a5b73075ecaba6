"""Claims about the edit that puts a username into a list."""

import json
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from hypothesis import given, strategies as st

from bot.listing import is_listed, propose_edit, propose_removal, read_listing
from tests.characters import ANY_CHARACTER
from tests.listing_files import FORMATS, Format, make_entry, make_inventory, make_spec
from tests.sampling import examples

PATH = "config/inventory.json"
GIT = shutil.which("git") or "git"


def propose(text: str, form: Format = "json", who: str = "carl", *, entry: bool = True) -> str:
    diff = propose_edit(text, make_spec(form, entry=entry), who, PATH)
    assert diff is not None
    return diff


def changes(text: str, form: Format = "json", who: str = "carl", *, entry: bool = True) -> str:
    """Propose an edit, check that it applies, and keep only its changed lines."""
    diff = propose(text, form, who, entry=entry)
    spec = make_spec(form, entry=entry)
    assert is_listed(read_listing(patched(text, diff), spec, PATH), who)
    return "".join(line for line in _lines(diff)[3:] if line[0] in "+-")


def patched(text: str, diff: str) -> str:
    """Apply a diff of one hunk, strictly."""
    old, (minus, plus, header, *marked) = _lines(text), _lines(diff)
    assert (minus, plus) == (f"--- a/{PATH}\n", f"+++ b/{PATH}\n")
    hunk: list[str] = []
    for line in marked:
        if line == "\\ No newline at end of file\n":
            hunk[-1] = hunk[-1].removesuffix("\n")
        else:
            hunk.append(line)
    found = re.fullmatch(r"@@ -(\d+),(\d+) \+\1,(\d+) @@\n", header)
    assert found
    start, before, after = int(found[1]) - 1, int(found[2]), int(found[3])
    new = [line[1:] for line in hunk if line[0] in " +"]
    assert len(new) == after
    assert [line[1:] for line in hunk if line[0] in " -"] == old[start : start + before]
    return "".join([*old[:start], *new, *old[start + before :]])


def _lines(text: str) -> list[str]:
    return re.findall(r"[^\n]*\n|[^\n]+", text)


def test_the_diff_is_exactly_what_a_person_would_write() -> None:
    text = make_inventory(make_entry(members=["bob", "dora"], groups=["a/b"]))
    assert propose(text) == (
        "--- a/config/inventory.json\n"
        "+++ b/config/inventory.json\n"
        "@@ -5,6 +5,7 @@\n"
        '       "project_id": 7,\n'
        '       "members": [\n'
        '         "bob",\n'
        '+        "carl",\n'
        '         "dora"\n'
        "       ],\n"
        '       "groups": [\n'
    )


@pytest.mark.parametrize(
    ("listed", "expected"),
    [
        ('["bob", "dora"]', '["bob", "carl", "dora"]'),
        ('["dora", "eve"]', '["carl", "dora", "eve"]'),
        ('["Bob", "dora", "Eve"]', '["Bob", "carl", "dora", "Eve"]'),
        ('["Bob", "Zoe", "dora"]', '["Bob", "Zoe", "carl", "dora"]'),
        ('["@dora", "@bob"]', '["@dora", "@bob", "@carl"]'),
        ('["@bob", "@dora"]', '["@bob", "@carl", "@dora"]'),
        ('["@bob", "dora"]', '["@bob", "carl", "dora"]'),
        ('["eve", "bob"]', '["eve", "bob", "carl"]'),
        ('["bob","dora"]', '["bob","carl","dora"]'),
        ('["dora","eve"]', '["carl","dora","eve"]'),
        ('["bob"]', '["bob", "carl"]'),
        ('["dora"]', '["carl", "dora"]'),
        ('[ "bob" ]', '[ "bob", "carl" ]'),
        ("[]", '["carl"]'),
        ("[ ]", '["carl"]'),
        ("null", '["carl"]'),
        ('["carl2", "carl-"]', '["carl2", "carl-", "carl"]'),
        ('["b"' + ', "z"' * 200 + "]", '["b", "carl"' + ', "z"' * 200 + "]"),
    ],
)
@pytest.mark.parametrize("form", FORMATS)
def test_a_list_on_one_line_stays_on_one_line(form: Format, listed: str, expected: str) -> None:
    text = '{{"x": 1,\n "members": {}, "y": ["carl"]}}\n'
    old, new = text.format(listed), text.format(expected)
    line, changed = old.split("\n")[1], new.split("\n")[1]
    assert changes(old, form, entry=False) == f"-{line}\n+{changed}\n"


@pytest.mark.parametrize(
    ("listed", "expected"),
    [
        ('"bob"|"dora"', '+>"carl",'),
        ('"dora"|"eve"', '+>"carl",'),
        ('"bob"', '->"bob"|+>"bob",|+>"carl"'),
        ('"eve"|"bob"', '->"bob"|+>"bob",|+>"carl"'),
        ("", '+>"carl"'),
    ],
)
@pytest.mark.parametrize("indent", ["  ", "    ", "\t"])
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize("form", ["json", "json5"])
def test_a_list_of_lines_gets_a_line(
    form: Format, ending: str, indent: str, listed: str, expected: str
) -> None:
    items = ",".join(f"\n{indent * 2}{item}" for item in listed.split("|") if item)
    text = f'{{\n{indent}"members": [{items}\n{indent}]\n}}\n'.replace("\n", ending)
    lines = expected.replace(">", indent * 2).split("|")
    assert changes(text, form, entry=False) == "".join(line + ending for line in lines)


JSON5 = """\
{
  inventory: [
    {
      name: 'ai-gateway', // keep
      members: [
%s
      ],
    },
  ],
}
"""


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("// top\n'bob', // lead\n// second\n'dora',", "+'carl',"),
        ("// top\n'dora',\n// end", "+'carl',"),
        ("'bob',\n// end", "+'carl',"),
        ("'bob' // lead\n// end", "-'bob' // lead\n+'bob', // lead\n+'carl'"),
        ("'bob'\n// end,\n,", "+'carl',"),
        ("'bob' /* , */", "-'bob' /* , */\n+'bob', /* , */\n+'carl'"),
        ('\'bob\',\n"dora",\n"eve",', '+"carl",'),
        ("// nobody yet", "+'carl'"),
        ("'dora', 'bob',\n'eve',", "+'carl',"),
        ("'eve',\n'bob', 'dora',", "-'bob', 'dora',\n+'bob', 'dora', 'carl',"),
        ("'bob', 'dora',\n'eve',", "-'bob', 'dora',\n+'bob', 'carl', 'dora',"),
        ("'bob',\n'dora', 'eve',", "+'carl',"),
        ("'bob'\n, 'dora'", "-'bob'\n+'bob', 'carl'"),
    ],
)
def test_comments_and_commas_of_json5_stay_where_they_are(lines: str, expected: str) -> None:
    text = JSON5 % "\n".join(f"        {line}" for line in lines.split("\n"))
    indented = "".join(f"{line[0]}        {line[1:]}\n" for line in expected.split("\n"))
    assert changes(text, "json5") == indented


def test_a_new_first_name_stands_below_the_comment_at_the_top() -> None:
    text = JSON5 % "        // keep sorted\n        'dora',"
    assert "         // keep sorted\n+        'carl',\n         'dora',\n" in propose(text, "json5")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{members: [ /* none */ ]}", '{members: [ /* none */ "carl"]}'),
        ("{members: ['bob',]}", "{members: ['bob', 'carl',]}"),
        ("{members: ['bob', /* - */]}", "{members: ['bob', 'carl', /* - */]}"),
        ("{members: [\n'bob']}", "{members: [\n'bob',\n'carl']}"),
        ("{members: [\n'bob',]}", "{members: [\n'bob',\n'carl',]}"),
        ("{members: [\n'bob' /* a\nb */ ]}", None),
        ("{}", '{"members": ["carl"]}'),
        ("{\n}", '{\n  "members": ["carl"]\n}'),
        ("{\nmembers: [\n]}", '{\nmembers: [\n  "carl"\n]}'),
        ("{a: 'b'}", "{a: 'b', members: ['carl']}"),
        ("{'a': 1,}", "{'a': 1, 'members': ['carl'],}"),
        ('{"a":1,"b":2}', '{"a":1,"b":2,"members":["carl"]}'),
        ('{"a":1,"members":["bob"]}', '{"a":1,"members":["bob","carl"]}'),
        ('{"a":1,"members":["dora"]}', '{"a":1,"members":["carl","dora"]}'),
        ('{"a":[1, 2],"members":["bob"]}', '{"a":[1, 2],"members":["bob", "carl"]}'),
        ('{"a": 1,\n"members":["bob"]}', '{"a": 1,\n"members":["bob", "carl"]}'),
        ('{"a" :1}', '{"a" :1, "members" :["carl"]}'),
        ('{"a"\n: 1}', '{"a"\n: 1, "members": ["carl"]}'),
    ],
)
def test_json5_on_few_lines_stays_valid(text: str, expected: str | None) -> None:
    diff = propose_edit(text, make_spec("json5", entry=False), "carl", PATH)
    assert (diff and patched(text, diff)) == expected


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("more", "{a: ['x'], more: ['carl']}"),
        ("more-names", "{a: ['x'], \"more-names\": ['carl']}"),
        ('mo"re', None),
    ],
)
def test_a_new_key_has_quotes_only_where_json5_needs_them(key: str, expected: str | None) -> None:
    text = "{a: ['x']}"
    diff = propose_edit(text, make_spec("json5", entry=False, key=key), "carl", PATH)
    assert (diff and patched(text, diff)) == expected


YAML = """\
inventory:
  # - ai-gateway
  - name: ai-gateway
    members:%s
    groups: [a]  # x
  - name: other
"""


@pytest.mark.parametrize(
    ("listed", "expected"),
    [
        ("\n    - bob # lead\n    # second\n    - dora", "+    - carl\n"),
        ("\n      # top\n      - dora", "+      - carl\n"),
        ("\n      -   bob\n      -   dora", "+      -   carl\n"),
        ("\n      - 'bob'\n      - \"dora\"\n      - 'eve'", "+      - 'carl'\n"),
        ('\n      - "@bob"', '+      - "@carl"\n'),
        ("\n      - bob\n      - 'on'\n      - paula", "+      - carl\n"),
        ("\n      - !!str bob", "+      - carl\n"),
        ("\n      - &b bob\n      - dora", "+      - carl\n"),
        ("\n      - >-\n        bob\n      - dora", "+      - carl\n"),
        (" # none yet", "+      - carl\n"),
        ("", "+      - carl\n"),
        (" ~ # none", "-    members: ~ # none\n+    members: [carl] # none\n"),
        (" [] # none", "-    members: [] # none\n+    members: [carl] # none\n"),
        (" [bob, dora]", "-    members: [bob, dora]\n+    members: [bob, carl, dora]\n"),
        (" [\n      bob,  # x\n      dora,\n    ]", "+      carl,\n"),
        (" [\n      # none\n    ]", "+      carl\n"),
        (" &m\n    - bob", "+    - carl\n"),
    ],
)
def test_yaml_keeps_its_style(listed: str, expected: str) -> None:
    assert changes(YAML % listed, "yaml") == expected


@pytest.mark.parametrize(
    ("listed", "expected"),
    [
        ("- dora\n- eve\n", "- carl\n- dora\n- eve\n"),
        ("- bob\n- dora\n", "- bob\n- carl\n- dora\n"),
        ("- ann\n- bob\n", "- ann\n- bob\n- carl\n"),
        ("- ann\n-  bob\n", "- ann\n-  bob\n-  carl\n"),
        ("-  ann\n- bob\n- dora\n", "-  ann\n- bob\n- carl\n- dora\n"),
    ],
)
def test_yaml_keeps_the_order_and_takes_the_spacing_of_the_name_before(
    listed: str, expected: str
) -> None:
    text = f"members:\n{listed}"
    assert patched(text, propose(text, "yaml", entry=False)) == f"members:\n{expected}"


@pytest.mark.parametrize(
    ("username", "written"),
    [
        ("on", '"on"'),
        ("Null", '"Null"'),
        ("1e3", '"1e3"'),
        ("0755", '"0755"'),
        (".x", '".x"'),
        ("y", '"y"'),
        ("_a.b-", "_a.b-"),
    ],
)
def test_yaml_gets_quotes_where_a_username_is_another_word(username: str, written: str) -> None:
    assert changes("members:\n- ~a\n- a\n", "yaml", username, entry=False) == f"+- {written}\n"


@pytest.mark.parametrize(
    ("other", "username", "written"),
    [
        ("members: [bob, '@dora']", "carl", "carl"),
        ("members: ['@bob', \"@dora\"]", "carl", "'@carl'"),
        ("members: [12, ~]", "carl", "carl"),
        ("members: 'dora'", "carl", "carl"),
        ("groups: ['@bob']", "carl", "'carl'"),
        ("members: [dora]\n  paths: ['*']", "carl", "carl"),
        ("members: [dora]\n  paths: ['*']", "0755", "'0755'"),
    ],
)
@pytest.mark.parametrize("listed", [" []", " ~", "", None])
def test_an_empty_list_takes_after_the_others_with_its_key(
    listed: str | None, other: str, username: str, written: str
) -> None:
    key = "" if listed is None else f"\n  members:{listed}"
    text = f"inventory:\n- name: zoo\n  {other}\n- name: ai-gateway{key}\n"
    edit = changes(text, "yaml", username)
    assert edit.endswith((f"+  members: [{written}]\n", f"+  - {written}\n"))


@pytest.mark.parametrize(
    ("before", "dashes"),
    [
        ("  members:\n      - a", "      "),
        ("  members:\n  - a", "  "),
        ("  members: &a\n     - a", ""),
        ("  groups:\n      - a\n  members:\n    - a", "    "),
        ("  groups:\n     - a", ""),
    ],
)
def test_the_dashes_of_a_new_list_stand_as_in_the_rest_of_the_file(
    before: str, dashes: str
) -> None:
    text = f"x:\n{before}\ninventory: \n  - name: ai-gateway\n    members:\n"
    expected = dashes + "  " if dashes else "      "
    assert changes(text, "yaml") == f"+{expected}- carl\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("- name: ai-gateway\n", "+  members:\n+  - carl\n"),
        ("  - name: ai-gateway\n", "+    members:\n+      - carl\n"),
        ("- name: ai-gateway\n  notes: |\n    long\n\n", "+  members:\n+  - carl\n"),
        ("- name: ai-gateway\n  notes: >-\n    a\n- name: x\n", "+  members:\n+  - carl\n"),
        ("- name: ai-gateway\n  groups:\n  - a\n", "+  members:\n+  - carl\n"),
        ("- groups:\n   - a\n  name: ai-gateway # x\n- a: 1", "+  members:\n+   - carl\n"),
        ("- groups: &g\n  - a\n  name: ai-gateway\n- *g\n", "+  members:\n+  - carl\n"),
        (
            "- {name: ai-gateway}\n",
            "-- {name: ai-gateway}\n+- {name: ai-gateway, members: [carl]}\n",
        ),
        (
            '- {"a": ["b"], "name": "ai-gateway"}\n',
            """-- {"a": ["b"], "name": "ai-gateway"}
+- {"a": ["b"], "name": "ai-gateway", "members": ["carl"]}
""",
        ),
    ],
)
def test_a_missing_key_is_added_in_yaml(text: str, expected: str) -> None:
    assert changes(f"inventory:\n{text}", "yaml") == expected


def test_a_missing_key_gets_a_line_of_its_own_where_the_others_have_one() -> None:
    text = make_inventory(make_entry())
    expected = '-      "project_id": 7\n+      "project_id": 7,\n+      "members": ["carl"]\n'
    assert changes(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("members:\n- bob", "-- bob\n\\\n+- bob\n+- carl\n\\\n"),
        ("members:\n- bob\n- dora", " members:\n - bob\n+- carl\n - dora\n\\\n"),
        ("members:", "-members:\n\\\n+members:\n+  - carl\n\\\n"),
        ("members: [bob]", "-members: [bob]\n\\\n+members: [bob, carl]\n\\\n"),
    ],
)
def test_a_last_line_without_an_end_is_marked(text: str, expected: str) -> None:
    diff = propose(text, "yaml", entry=False)
    assert diff.endswith(expected.replace("\\\n", "\\ No newline at end of file\n"))
    assert patched(text, diff).endswith(("carl", "dora", "]"))


@pytest.mark.parametrize("form", FORMATS)
def test_a_byte_order_mark_is_kept(form: Format) -> None:
    text = '\ufeff{"members": ["bob"]}\n'
    assert changes(text, form, entry=False).startswith("-\ufeff{")
    assert patched(text, propose(text, form, entry=False)).startswith('\ufeff{"members": ["bob", ')


@pytest.mark.parametrize(
    "text",
    [
        "inventory: [{name: ai-gateway, members: &m [bob]}, {name: x, members: *m}]",
        "team: &m [bob]\ninventory: [{name: ai-gateway, members: *m}]",
        "inventory: [&g {name: ai-gateway, members: [bob]}]\nother: *g",
        "inventory: &i [{name: ai-gateway, members: [bob]}]\nother: *i",
        "inventory: [{name: ai-gateway, <<: {members: [bob]}}]",
        "inventory: [{name: ai-gateway, <<: {members: ~}}]",
        "inventory:\n- name: ai-gateway\n  <<: {members: }\n",
        "inventory:\n- name: ai-gateway\n  members:\n  - # odd\n    bob\n",
        "inventory:\n- name: ai-gateway\n  notes: |+\n    long\n\n- name: x\n",
        "base: &b\n  inventory: [{name: ai-gateway, members: [bob]}]\n<<: *b\n",
        "<<: {inventory: [{name: ai-gateway, members: [bob]}]}\n",
        "a: &a {name: ai-gateway}\ninventory: [<<: *a]\nother: [*a]\nmembers: &m []\nx: *m\n",
        "inventory:\n- name: ai-gateway\n  ? members\n",
        "inventory:\n- name: ai-gateway\n  members:\n  - |\n    bob",
        "inventory:\n- name: ai-gateway\n  notes: |\n    long",
    ],
)
def test_no_edit_is_better_than_a_doubtful_one_in_yaml(text: str) -> None:
    assert read_listing(text, make_spec("yaml"), PATH)
    assert propose_edit(text, make_spec("yaml"), "carl", PATH) is None


@pytest.mark.parametrize(
    ("members", "username"),
    [
        (["ada", "carl"], "carl"),
        (["@CARL"], "carl"),
        ([], ""),
        ([], "@"),
        ([], "-carl"),
        ([], "carl\n"),
        ([], 'carl", "mallory'),
        ([], "Carl Smith"),
        ([], "c\u00e4rl"),
        ([], "a" * 256),
        ([], "group/carl"),
        ("carl", "dora"),
        ([1], "carl"),
    ],
)
@pytest.mark.parametrize("form", FORMATS)
def test_nothing_is_proposed_without_need_or_for_odd_names(
    form: Format, members: object, username: str
) -> None:
    text = make_inventory(make_entry(members=members))
    assert propose_edit(text, make_spec(form), username, PATH) is None


@pytest.mark.parametrize("username", ["carl", "@carl", "c", "a" * 255, "..", "1"])
def test_any_username_of_gitlab_can_be_added(username: str) -> None:
    bare = username.removeprefix("@")
    assert f'["{bare}"]' in changes('{"members": []}', "json", username, entry=False)


def test_a_diff_too_long_for_a_comment_is_not_proposed() -> None:
    def text(names: int) -> str:
        return json.dumps({"members": ["someone"] * names})

    spec = make_spec(entry=False)
    assert propose_edit(text(800), spec, "carl", PATH)
    assert propose_edit(text(1_000), spec, "carl", PATH) is None


@pytest.mark.parametrize("path", ["a\nb", 'a"b', "a\\b", "a\tb", "", "a\x7f"])
def test_a_path_that_needs_quotes_gets_no_diff(path: str) -> None:
    assert propose_edit('{"members": []}', make_spec(entry=False), "carl", path) is None


def test_a_tab_ends_a_path_with_blanks_for_the_sake_of_patch() -> None:
    diff = propose_edit('{"members": []}', make_spec(entry=False), "carl", "a b.json")
    assert str(diff).startswith("--- a/a b.json\t\n+++ b/a b.json\t\n@@ ")


@pytest.mark.parametrize("path", ["renovate.json", "with blank/\u00e9.json"])
@pytest.mark.parametrize(
    "text",
    [
        '{"members": ["bob"]}',
        '{\r\n  "members": [\r\n    "bob"\r\n  ]\r\n}\r\n',
        '\ufeff{\n"members":\n["bob"],\n"a": 1,\n"b": 2,\n"c": 3,\n"d": 4}\n',
    ],
)
def test_git_takes_the_diff(tmp_path: Path, text: str, path: str) -> None:
    diff = propose_edit(text, make_spec(entry=False), "carl", path)
    assert diff
    file = tmp_path / path
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(text.encode())
    command = [GIT, "apply", "--whitespace=nowarn", "-"]
    # S603: the command is git with fixed words, the diff comes through its standard input.
    subprocess.run(command, input=diff.encode(), cwd=tmp_path, check=True)  # noqa: S603
    after = read_listing(file.read_bytes().decode(), make_spec(entry=False), path)
    assert after.names == ("bob", "carl")


@dataclass(frozen=True, kw_only=True)
class Layout:
    """How a generated file is written."""

    form: Format
    block: bool
    lines: bool
    indent: str
    quote: str
    trailing: bool
    comment: bool
    ending: str
    final: bool
    bom: bool


def write_file(names: list[str], layout: Layout) -> str:
    """Write an inventory with the names in its middle entry, in JSON, JSON5 or YAML."""
    quote = '"' if layout.form == "json" else layout.quote
    items = [f"{quote}{name}{quote}" for name in names]
    write = _write_block if layout.form == "yaml" and layout.block else _write_flow
    text = write(items, layout).replace("\n", layout.ending)
    return "\ufeff" * layout.bom + (text + layout.ending if layout.final else text)


def _write_block(items: list[str], layout: Layout) -> str:
    note = " # 'mallory'," if layout.comment else ""
    lines = "".join(f"\n  {layout.indent.expandtabs(3)}- {item}{note}" for item in items) or " []"
    entries = f"- name: zoo\n  members: [mallory]\n- name: ai-gateway\n  members:{note}{lines}"
    return f"inventory:\n{entries}" if items or not note else f"inventory:\n{entries[:-3]}"


def _write_flow(items: list[str], layout: Layout) -> str:
    mark = {"json": "", "json5": " // 'mallory',", "yaml": " # 'mallory',"}[layout.form]
    note, step = mark * layout.comment, layout.indent
    comma = "," if layout.trailing and layout.form != "json" and items else ""
    if layout.lines:
        parts = [f"\n{step * 2}{item}" for item in items]
        body = f",{note}".join(parts) + f"{comma}{note}\n{step}"
    else:
        body = ", ".join(items) + comma
    other = '{"name": "ai-gateway-custom", "members": ["mallory"]}'
    entry = f'{{"name": "ai-gateway", "members": [{body}], "groups": ["a/b"]}}'
    return f'{{\n{step}"inventory": [{other},\n{step}{entry}], "members": ["mallory"]\n}}'


usernames = st.from_regex(r"[a-z_][a-z0-9_.-]{0,4}", fullmatch=True, alphabet=ANY_CHARACTER).map(
    lambda name: f"u{name}"
)
layouts = st.builds(
    Layout,
    form=st.sampled_from(FORMATS),
    block=st.booleans(),
    lines=st.booleans(),
    indent=st.sampled_from(["", "  ", "    ", "\t"]),
    quote=st.sampled_from(["'", '"']),
    trailing=st.booleans(),
    comment=st.booleans(),
    ending=st.sampled_from(["\n", "\r\n"]),
    final=st.booleans(),
    bom=st.booleans(),
)


def _without(names: tuple[str, ...], username: str) -> list[str]:
    return [name for name in names if name.lower() != username.lower()]


def _load(text: str, form: Format) -> object:
    """Read a file with somebody else's reader."""
    text = text.removeprefix("\ufeff")
    return json.loads(text) if form == "json" else yaml.load(text, Loader=yaml.CSafeLoader)


@examples(200)
@given(
    names=st.lists(usernames, unique=True, max_size=5),
    username=usernames,
    in_order=st.booleans(),
    layout=layouts,
)
def test_every_edit_adds_one_name_and_loses_nothing(
    names: list[str], username: str, *, in_order: bool, layout: Layout
) -> None:
    names = sorted(names) if in_order else names
    text, spec = write_file(names, layout), make_spec(layout.form)
    before = read_listing(text, spec, PATH)
    assert list(before.names) == names
    diff = propose_edit(text, spec, username, PATH)
    assert (diff is None) is is_listed(before, username)
    if diff is None:
        return
    edited = patched(text, diff)
    after = read_listing(edited, spec, PATH)
    is_sorted = names == sorted(names)
    assert list(after.names) == (sorted([*names, username]) if is_sorted else [*names, username])
    assert after.groups == before.groups
    left = iter(edited)
    assert all(sign in left for sign in text)
    if layout.form != "json5":
        expected = _load(text, layout.form)
        entry = expected["inventory"][1]  # type: ignore[index]
        entry["members"] = list(after.names)
        assert _load(edited, layout.form) == expected


@examples(150)
@given(
    names=st.lists(usernames, unique=True, max_size=4),
    layout=layouts,
    cut=st.tuples(st.integers(0, 200), st.integers(0, 12)),
    extra=st.text(alphabet="[]{}:,'\"#/*-&!| \n\ra", max_size=6),
)
def test_an_edit_of_a_damaged_file_is_right_or_not_proposed(
    names: list[str], layout: Layout, cut: tuple[int, int], extra: str
) -> None:
    whole, spec = write_file(names, layout), make_spec(layout.form)
    text = whole[: cut[0]] + extra + whole[cut[0] + cut[1] :]
    diff = propose_edit(text, spec, "carl", PATH)
    if diff is not None:
        before = read_listing(text, spec, PATH)
        after = read_listing(patched(text, diff), spec, PATH)
        assert is_listed(after, "carl")
        assert _without(after.names, "carl") == list(before.names)
        assert after.groups == before.groups


# --- taking out -------------------------------------------------------------------------


def removed(text: str, form: Format = "json", *, entry: bool = True) -> str:
    """Propose to take bob out, and return the file as it is then."""
    spec = make_spec(form, entry=entry)
    diff = propose_removal(text, spec, "bob", PATH)
    assert diff is not None
    after = patched(text, diff)
    assert not is_listed(read_listing(after, spec, PATH), "bob")
    return after


@pytest.mark.parametrize("indent", [2, None])
@pytest.mark.parametrize("members", [["bob"], ["bob", "dora"], ["al", "bob"], ["al", "Bob", "zoe"]])
def test_a_name_goes_and_everything_else_stays(members: list[str], indent: int | None) -> None:
    text = make_inventory(make_entry(members=members, groups=["a/b"]), indent=indent)
    others = [name for name in members if name.lower() != "bob"]
    for form in FORMATS:
        found = yaml.safe_load(removed(text, form))
        assert found == yaml.safe_load(
            make_inventory(make_entry(members=others, groups=["a/b"]), indent=indent)
        )


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("members:\n  - al\n  - bob\n  - zoe\n", "members:\n  - al\n  - zoe\n"),
        ("members:\n- bob\n- zoe # new\n", "members:\n- zoe # new\n"),
        ("members:\n- al\n- bob", "members:\n- al\n"),
        ("members: [al, '@bob']\n", "members: [al]\n"),
        ("members: [\n  bob,\n]\n", "members: []\n"),
        ("members: [ # all\n  bob\n]\n", "members: [ # all\n  \n]\n"),
    ],
)
def test_a_name_goes_with_its_line_in_yaml(text: str, after: str) -> None:
    assert removed(text, "yaml", entry=False) == after


def test_of_the_only_name_no_blank_line_is_left() -> None:
    text = '{\n  "members": [\n    "bob"\n  ]\n}\n'
    assert removed(text, entry=False) == '{\n  "members": []\n}\n'


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("yaml", "members:\n  - bob\n"),  # nothing would be left that is a list
        ("yaml", "members:\n  - al\n  - bob # leaves in May\n"),
        ("yaml", "members:\n  - bob\n  - bob\n  - al\n"),
        ("yaml", "members: &all\n  - bob\n  - al\nothers: *all\n"),
        ("yaml", "others: []\n"),
        ("yaml", "members: [bob, [al]]\n"),
        ("yaml", "members: [al]\n"),
        ("json5", "{members: ['bob', // leaves in May\n 'al']}\n"),
        ("json5", "{members: ['al', 'bob',]}\n".replace("'bob',", "/* her: */ 'bob'")),
    ],
)
def test_where_a_person_must_decide_nothing_is_proposed(form: Format, text: str) -> None:
    assert propose_removal(text, make_spec(form, entry=False), "bob", PATH) is None


def test_what_is_no_username_is_not_taken_out() -> None:
    assert (
        propose_removal("members: ['a b']\n", make_spec("yaml", entry=False), "a b", PATH) is None
    )
