"""Reading one team entry: the person, the roles, and what deserves a remark."""

import pytest
from hypothesis import given, strategies as st

from bot.errors import TeamDatabaseError
from bot.team.entry import Entry, parse_entry
from bot.team.spelling import fold_key, may_name, responsibility


def entry(text: str) -> Entry:
    return parse_entry(text.encode(), "a.yml")


def roles(value: str) -> tuple[str, ...]:
    return entry(f"gitlab: ada\nprojects:\n  ai-gateway:{value}\n").roles["ai-gateway"]


@pytest.mark.parametrize(
    ("written", "username"),
    [
        ("ada", "ada"),
        ("  Ada  ", "Ada"),
        ("'.ada'", ".ada"),
        ("ada-", "ada-"),
        ("_ada_", "_ada_"),
        ('"ada "', "ada"),
        ("on", "on"),
        ("null", "null"),
        ("0755", "0755"),
        ("1_000", "1_000"),
        ("2024-05-29", "2024-05-29"),
        ("1:30", "1:30"),
        ("9" * 60, "9" * 60),
        ("Ada Lovelace", "Ada Lovelace"),
        (">-\n  ada", "ada"),
        ("!!str 42", "42"),
        ("'~'", "~"),
        ("", None),
        ("~", None),
        ("''", None),
        ("[ada]", None),
        ("{ada: 1}", None),
    ],
)
def test_the_username_is_the_text_as_written(written: str, username: str | None) -> None:
    assert entry(f"gitlab: {written}\n").username == username


@pytest.mark.parametrize(
    ("written", "manager"),
    [("bea", "bea"), ("null", None), ("~", None), ("", None), ("'null'", "null"), ("[bea]", None)],
)
def test_the_manager_is_the_slug_as_written(written: str, manager: str | None) -> None:
    assert entry(f"gitlab: ada\nreports_to: {written}\n").reports_to == manager


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (" maintainer", ("maintainer",)),
        ("   maintainer   ", ("maintainer",)),
        (' "maintainer "', ("maintainer",)),
        ("\t'maintainer backend'", ("maintainer backend",)),
        ("\n  - reviewer\n  - maintainer docs", ("reviewer", "maintainer docs")),
        ("\n    - reviewer\n    - maintainer docs", ("reviewer", "maintainer docs")),
        (" [reviewer, maintainer]", ("reviewer", "maintainer")),
        (" [[reviewer], [[maintainer]]]", ("reviewer", "maintainer")),
        (" >-\n    maintainer\n    ai_gateway", ("maintainer ai_gateway",)),
        (" |\n    maintainer\n", ("maintainer",)),
        (" maintainer\n    ai_gateway", ("maintainer ai_gateway",)),
        (" on", ("on",)),
        (" &x maintainer", ("maintainer",)),
        ("", ()),
        (" ~", ()),
        (" null", ()),
        (" ''", ()),
        (" []", ()),
        (" [~, null, '', maintainer]", ("maintainer",)),
        (" 'null'", ("null",)),
        (" {maintainer: backend}", ()),
        (" # maintainer", ()),
    ],
)
def test_roles_are_a_text_or_a_list_of_texts(written: str, expected: tuple[str, ...]) -> None:
    assert roles(written) == expected


@pytest.mark.parametrize(
    "text",
    [
        "gitlab: ada\nprojects:\n  ai-gateway: maintainer\n",
        "projects: {ai-gateway: maintainer}\ngitlab: ada\n",
        '{"gitlab":"ada","projects":{"ai-gateway":["maintainer"]}}',
        "gitlab: ada\nprojects:\n  ? ai-gateway\n  : - maintainer\n",
        "x: &r maintainer\ngitlab: ada\nprojects:\n  ai-gateway: *r\n",
        "x: &r {ai-gateway: maintainer}\ngitlab: ada\nprojects: *r\n",
        "x: &r {ai-gateway: maintainer}\ngitlab: ada\nprojects:\n  <<: *r\n",
        "x: &r {ai-gateway: maintainer}\ngitlab: ada\nprojects: {<<: [*r, {ai-gateway: x}]}\n",
        "x: &r {projects: {ai-gateway: maintainer}}\n<<: *r\ngitlab: ada\n",
        "x: &r {a: &s {ai-gateway: maintainer}}\ngitlab: ada\nprojects: {<<: [{<<: *s}, text]}\n",
    ],
)
def test_flow_style_aliases_and_merge_keys_are_read(text: str) -> None:
    found = entry(text)
    assert found.username == "ada"
    assert found.roles_for("ai-gateway") == ("maintainer",)
    assert found.remarks == ()


def test_a_quoted_merge_key_is_a_project_like_any_other() -> None:
    assert dict(entry("projects: {'<<': maintainer}\n").roles) == {"<<": ("maintainer",)}


def test_the_same_project_in_other_capitals_counts_together() -> None:
    found = entry("projects:\n  AI-Gateway: reviewer\n  ai-gateway: Maintainer x\n  b: owner\n")
    assert found.roles_for("Ai-gateway") == ("reviewer", "Maintainer x")
    assert found.holds("ai-gateway", "maintainer")
    assert not found.holds("ai-gateway", "owner")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("gitlab: ada\ngitlab: bea\n", '"gitlab" is written more than once'),
        ("projects: {a: x}\nprojects: {b: y}\n", '"projects" is written more than once'),
        ("projects: {a: x, a: y}\n", '"a" is written more than once'),
        ("x: &r {a: x}\nprojects: {a: y, <<: *r}\n", 'also merged by "<<"'),
        ("x: &r {gitlab: x}\n<<: *r\ngitlab: y\n", 'also merged by "<<"'),
        ("gitlab: a\n---\ngitlab: b\n", "Only the first YAML document"),
        ("gitlab: [a]\n", "a list or a mapping"),
        ("gitlab: a b\n", '"a b" has blanks or characters'),
        ("gitlab: 'a '\n", '"a " has blanks or characters'),
        ("gitlab: '@a'\n", '"@a" has blanks or characters'),
        ("gitlab: on\n", '"on" is a number, date, truth value or null'),
        ("Gitlab: a\n", 'The field "Gitlab" is not read'),
        ("gitlab_username: a\n", 'The field "gitlab_username" is not read'),
        ("projects:\n", '"projects" is no mapping'),
        ("projects: [a: maintainer]\n", '"projects" is no mapping'),
        ("projects: {a: [[x]]}\n", "a list in a list"),
        ("projects: {a: {x: y}}\n", "is a mapping and gives no role"),
    ],
)
def test_oddities_are_read_with_a_remark(text: str, words: str) -> None:
    assert words in " ".join(entry(text).remarks)


@pytest.mark.parametrize(
    "text",
    [
        "gitlab: 'on'\nname: x\nname: y\n",
        "gitlab: ada\nstart_date: 2020-01-01\nprojects: {a: maintainer, b: [reviewer x]}\n",
        "---\ngitlab: ada   \nstory: |\n  long\n---\n",
        "x: &r {a: x}\nprojects: {<<: *r, b: y}\ngitlab: ada-\n",
        "x: &r {name: x}\n<<: *r\nname: y\n? [name]\n: z\ngitlab: ada\n",
    ],
)
def test_ordinary_entries_get_no_remark(text: str) -> None:
    assert entry(text).remarks == ()


def test_the_last_of_repeated_keys_counts() -> None:
    found = entry("gitlab: a\ngitlab: b\nprojects: {a: x}\nprojects: {a: y, a: z}\n")
    assert (found.username, dict(found.roles)) == ("b", {"a": ("z",)})
    assert found.partial


def test_the_first_document_counts() -> None:
    found = entry("gitlab: a\n---\ngitlab: b\n")
    assert (found.username, found.partial) == ("a", True)


def test_remarks_are_limited() -> None:
    text = "projects:\n" + "".join(f"  k{n}: {{a: b}}\n" for n in range(50))
    assert len(entry(text).remarks) == 10


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n", "\n\n"])
def test_an_empty_file_is_about_nobody(text: str) -> None:
    assert entry(text) == Entry(username=None, reports_to=None, roles={})


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"- gitlab: ada\n", "holds a list"),
        (b"ada\n", "holds a single text"),
        (b"../b/bea.yml", "holds a single text"),
        (b"---\n---\ngitlab: ada\n", "starts with an empty YAML document"),
        (b"gitlab: !ruby/object:A {}\n", "!ruby/object:A"),
        (b"a: [\n", "is not valid YAML"),
    ],
)
def test_what_is_no_entry_is_refused_with_its_place(raw: bytes, words: str) -> None:
    with pytest.raises(TeamDatabaseError, match=r"^a\\x1bb\.yml.*: .*\.$") as caught:
        parse_entry(raw, "a\x1bb.yml")
    assert words in str(caught.value)


@pytest.mark.parametrize(
    "lines",
    [
        [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 9)],
        [f"a{n}: &a{n} [*a{n - 1}]" for n in range(1, 60)],
    ],
)
def test_roles_that_aliases_multiply_are_refused(lines: list[str]) -> None:
    text = "\n".join(["a0: &a0 [x]", *lines, f"projects: {{a: *a{len(lines)}}}"])
    with pytest.raises(TeamDatabaseError, match=r"^a\.yml expands through its aliases"):
        entry(text)


def test_merges_that_aliases_multiply_are_refused() -> None:
    lines = [f"m{n}: &m{n} {{<<: [{', '.join([f'*m{n - 1}'] * 9)}]}}" for n in range(1, 9)]
    with pytest.raises(TeamDatabaseError, match=r"^a\.yml expands through its aliases"):
        entry("\n".join(["m0: &m0 {a: x}", *lines, "projects: {<<: *m8}"]))


@pytest.mark.parametrize(
    ("role", "word"),
    [
        ("maintainer", "maintainer"),
        ("  Maintainer  Backend ", "maintainer"),
        ("maintainer\nx", "maintainer"),
        ("trainee_maintainer", "trainee_maintainer"),
        ("reviewer trainee_maintainer", "reviewer"),
        ("maintainer,reviewer", "maintainer,reviewer"),
        ("", ""),
        ("  ", ""),
    ],
)
def test_the_responsibility_is_the_first_word_folded(role: str, word: str) -> None:
    assert responsibility(role) == word


def test_keys_are_folded_but_separators_are_kept() -> None:
    assert fold_key(" AI-Gateway ") == "ai-gateway"
    assert fold_key("ai_gateway") == "ai_gateway"


@pytest.mark.parametrize(
    ("raw", "possible"),
    [
        (b"gitlab: ADA", True),
        (b"gitlab: bea", False),
        (b'gitlab: "\\x61da"', True),
        ("gitlab: ada".encode("utf-16"), True),
        ("gitlab: Ünal".encode(), False),
    ],
)
def test_the_cheap_look_for_a_name_never_misses_one(raw: bytes, possible: bool) -> None:
    assert may_name(raw, {"ada"}) is possible


@given(st.binary(max_size=120))
def test_any_bytes_are_an_entry_or_refused(raw: bytes) -> None:
    for content in (raw, b"gitlab: a\nprojects:\n  ai-gateway: " + raw):
        try:
            found = parse_entry(content, "a.yml")
        except TeamDatabaseError:
            continue
        assert all(isinstance(role, str) for each in found.roles.values() for role in each)


def test_a_key_that_is_no_text_does_not_end_the_reading() -> None:
    read = entry("? [a]\n: b\n<<: {reports_to: boss}\n? {c: d}\n: e\ngitlab: ada\n")
    assert (read.username, read.reports_to) == ("ada", "boss")
