"""Parser, JSON Schema and reference say the same, because they come from the same tables."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, strategies as st
from jsonschema import Draft202012Validator

from bot.errors import PolicyError
from bot.rulebook.language import CHECKS, RULES, policy_schema
from bot.rulebook.loading import SHIPPED
from tests.characters import ANY_CHARACTER
from tests.generated import Settle
from tests.policy_reference import parse_policy, render_reference, render_schema

ROOT = Path(__file__).parent.parent
POLICIES = sorted([*SHIPPED.glob("*.yml"), *(ROOT / "examples" / "policies").glob("*.yml")])
VALIDATOR = Draft202012Validator(policy_schema())
# What a schema cannot say: these mistakes only the parser finds.
BEYOND_SCHEMA = ("repeats", "asks for nobody", "has one manager", "asks for the role")

Path_ = tuple[str | int, ...]


class Loader(yaml.CSafeLoader):
    """YAML 1.1 as editors check it: a day is text."""


Loader.add_constructor("tag:yaml.org,2002:timestamp", lambda _, node: node.value)


class NewLoader(yaml.CSafeLoader):
    """The core schema of YAML 1.2, which has fewer words for switches and other whole numbers."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 -- its type


CORE = {
    "bool": r"true|True|TRUE|false|False|FALSE",
    "null": r"~|null|Null|NULL|",
    "int": r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+",
    "float": r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?",
}
for word, pattern in CORE.items():
    tag = f"tag:yaml.org,2002:{word}"
    NewLoader.add_implicit_resolver(tag, re.compile(f"^({pattern})$"), None)


def construct_whole(_: yaml.CSafeLoader, node: yaml.ScalarNode) -> int:
    prefixed = node.value.startswith(("0x", "0o"))
    return int(node.value, 0) if prefixed else int(node.value)


NewLoader.add_constructor("tag:yaml.org,2002:int", construct_whole)


def load(file: Path) -> Any:
    return yaml.load(file.read_text(encoding="utf-8"), Loader=Loader)  # noqa: S506 -- a SafeLoader


def find_mistakes(document: object) -> list[str]:
    try:
        parse_policy(json.dumps(document, ensure_ascii=False), "p.yml")
    except PolicyError as error:
        return str(error).splitlines()
    return []


def find_paths(value: object, path: Path_ = ()) -> Iterator[Path_]:
    yield path
    if isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, inner in items:
            yield from find_paths(inner, (*path, key))


def replace(value: Any, path: Path_, new: object) -> Any:
    if not path:
        return new
    key, *rest = path
    if isinstance(value, list):
        return [replace(v, tuple(rest), new) if n == key else v for n, v in enumerate(value)]
    return {k: replace(v, tuple(rest), new) if k == key else v for k, v in value.items()}


def remove(value: Any, path: Path_) -> Any:
    key, *rest = path
    if rest:
        return replace(value, (key,), remove(value[key], tuple(rest)))
    if isinstance(value, list):
        return [inner for number, inner in enumerate(value) if number != key]
    return {name: inner for name, inner in value.items() if name != key}


DOCUMENTS = [load(file) for file in POLICIES]
PLACES = [(document, path) for document in DOCUMENTS for path in find_paths(document)]
INNER = [(document, path) for document, path in PLACES if path]
STRANGE = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 20_000),
    st.sampled_from(["", " ", "x", "a b", "all", "../x", "/x", "a/b", "a/b\n", "x\n", "a\nb", "1"]),
    st.sampled_from(
        ["https://x", "https://x/)", "http://x", "2024-01-01", "2024-04-31", "a/*/*.yml", "é"]
    ),
    st.sampled_from(
        ["manual", "open_for", "manager", "owner", "json", "blocking", "*.yml", "**.yml"]
    ),
    st.lists(st.sampled_from(["x", {"text": "x"}, {"id": "x", "text": "y"}, {}, None]), max_size=3),
    st.dictionaries(st.sampled_from(["id", "kind", "group", "level"]), st.just("owner")),
    st.text(ANY_CHARACTER, max_size=8).filter(lambda text: text.isprintable()),
)


@pytest.mark.parametrize("file", POLICIES, ids=lambda file: file.name)
def test_every_policy_fits_the_schema_that_it_names(file: Path) -> None:
    first_line = file.read_text(encoding="utf-8").splitlines()[0]
    schema = file.parent / first_line.removeprefix("# yaml-language-server: $schema=")
    assert schema.resolve() == SHIPPED / "policy.schema.json"
    assert not list(VALIDATOR.iter_errors(load(file)))
    assert not find_mistakes(load(file))


def test_the_shipped_schema_is_the_one_of_the_parser(settle: Settle) -> None:
    settle(SHIPPED / "policy.schema.json", render_schema())


def test_the_schema_is_a_schema() -> None:
    Draft202012Validator.check_schema(policy_schema())


def test_the_reference_lists_every_key_as_the_parser_has_it(settle: Settle) -> None:
    settle(ROOT / "docs" / "policy.md", render_reference(), after="-->\n\n")


KINDS = {**RULES, **CHECKS}


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_is_in_the_reference(name: str) -> None:
    kind = KINDS[name]
    section = render_reference().partition(f"### `kind: {name}`\n")[2].partition("###")[0]
    assert kind.about in section
    assert all(f"| `{field.name}` |" in section for field in kind.fields)


def test_every_object_of_the_schema_is_closed_and_describes_its_keys() -> None:
    objects = [
        value
        for path in find_paths(policy_schema())
        if isinstance(value := look_up(policy_schema(), path), dict) and "properties" in value
    ]
    assert len(objects) == 5 + len(RULES) + len(CHECKS)
    for one in objects:
        assert one["additionalProperties"] is False
        assert set(one["required"]) <= set(one["properties"])
        assert all(len(value["description"]) > 5 for value in one["properties"].values())


def look_up(value: Any, path: Path_) -> Any:
    for key in path:
        value = value[key]
    return value


@pytest.mark.sample(25)
@pytest.mark.parametrize(
    ("path", "value", "good"),
    [
        ((), [], False),
        (("id",), "a-1", True),
        (("id",), "A", False),
        (("id",), 1, False),
        (("version",), "2024.1", True),
        (("version",), 2024, False),
        (("version",), "1 2", False),
        (("in_force_from",), "2024-01-01", True),
        (("in_force_from",), "1.1.2024", False),
        (("in_force_from",), None, False),
        (("in_force_from",), "2024-02-29", True),
        (("in_force_from",), "2024-02-30", False),
        (("in_force_from",), "2024-04-31", False),
        (("in_force_from",), "0000-01-01", False),
        (("in_force_from",), "2024-01-01\n", False),
        (("id",), "a\n", False),
        (("id",), "all", False),
        (("id",), "all-of-it", True),
        (("title",), "\ufeff", False),
        (("title",), "a\nb\n", True),
        (("title",), "a\u009bb", False),
        (("document",), "https://x.example/\n", False),
        (("repository",), "a/b\n", False),
        (("follow_ups", 2, "path"), "x.json\n", False),
        (("title",), "Ünïcode → ok", True),
        (("title",), "  ", False),
        (("title",), "x" * 1000, True),
        (("title",), "x" * 1001, False),
        (("document",), "https://x.example:8443/a?b=c&d=%20#e", True),
        (("document",), "https://x.example/a b", False),
        (("document",), "https://", False),
        (("document",), "https://user:secret@x.example/", False),
        (("document",), "//x.example/", False),
        (("team_files",), "data/*/*.yml", True),
        (("team_files",), "data/.people/x/*/*.yml", True),
        (("team_files",), "data/*/*.yaml", False),
        (("team_files",), "data/*/*.yml\n", False),
        (("team_files",), "*/*.yml", False),
        (("team_files",), "*/*/*.yml", False),
        (("team_files",), "data/*.yml", False),
        (("team_files",), "data/x/*.yml", False),
        (("team_files",), "data/*/x.yml", False),
        (("team_files",), "data/*/*/*.yml", False),
        (("team_files",), "data/**/*.yml", False),
        (("team_files",), "d*/*/*.yml", False),
        (("team_files",), "d?/*/*.yml", False),
        (("team_files",), "/data/*/*.yml", False),
        (("team_files",), "data//*/*.yml", False),
        (("team_files",), "./data/*/*.yml", False),
        (("team_files",), "data/../*/*.yml", False),
        (("team_files",), "../*/*.yml", False),
        (("repository",), "a/b/c", True),
        (("repository",), "a/..", False),
        (("repository",), "a//b", False),
        (("repository",), "a", False),
        (("maintainers", "group"), "a", True),
        (("maintainers", "group"), "a/b", True),
        (("maintainers", "group"), "-a", False),
        (("maintainers", "level"), "planner", True),
        (("maintainers", "level"), "Owner", False),
        (("maintainers", "level"), 30, False),
        (("maintainers", "more"), "x", False),
        (("requirements",), [], False),
        (("requirements",), {}, False),
        (("requirements", 0, "at_least"), 100, True),
        (("requirements", 0, "at_least"), 101, False),
        (("requirements", 1, "at_least"), 101, False),
        (("requirements", 0, "at_least"), 0, False),
        (("requirements", 0, "at_least"), True, False),
        (("requirements", 0, "at_least"), "5", False),
        (("requirements", 0, "at_least"), 5.5, False),
        (("requirements", 0, "since_role"), "trainee_maintainer", True),
        (("requirements", 0, "since_role"), "trainee maintainer", False),
        (("requirements", 0, "repository"), "a/b", True),
        (("requirements", 0, "topics"), [{"id": "x", "text": "y"}], False),
        (("requirements", 0, "kind"), "authored_or_reviewed", True),
        (("requirements", 0, "kind"), "attested", False),
        (("requirements", 0, "kind"), "unheard_of", False),
        (("requirements", 0, "enforcement"), "advisory", True),
        (("requirements", 0, "enforcement"), True, False),
        (("requirements", 0, "actor"), "owner", True),
        (("requirements", 0, "actor"), "bot", False),
        (("follow_ups", 0, "level"), "owner", True),
        (("follow_ups", 0, "direct"), False, True),
        (("follow_ups", 0, "direct"), "no", False),
        (("follow_ups", 2, "ref"), "release/1.0", True),
        (("follow_ups", 2, "ref"), "a..b", False),
        (("follow_ups", 2, "ref"), "-x", False),
        (("follow_ups", 2, "path"), ".gitlab/renovate.json5", True),
        (("follow_ups", 2, "path"), "../x", False),
        (("follow_ups", 2, "path"), "a/../x", False),
        (("follow_ups", 2, "path"), "/x", False),
        (("follow_ups", 2, "path"), "a/./x", True),
        (("follow_ups", 2, "format"), "toml", False),
        (("follow_ups", 2, "entry"), {"list": "a", "key": "b"}, False),
        (("follow_ups", 2, "entry"), {"list": "a", "key": "b", "value": "c"}, True),
        (("follow_ups", 2, "entry"), None, False),
        (("notices",), [{"text": "x"}], True),
        (("notices",), [{"url": "https://x.example/"}], False),
    ],
)
def test_schema_and_parser_agree_on_good_and_bad_values(
    path: Path_, value: object, good: bool
) -> None:
    document = load(SHIPPED / "ai-gateway.yml")
    changed = replace(document, path[:-1], put(look_up(document, path[:-1]), path, value))
    assert VALIDATOR.is_valid(changed) is good
    assert (not find_mistakes(changed)) is good


def write_raw(path: Path_, raw: str) -> str:
    """Return a policy in which a value is spelt as given."""
    document = load(SHIPPED / "ai-gateway.yml")
    marked = replace(document, path[:-1], put(look_up(document, path[:-1]), path, "@"))
    return json.dumps(marked, ensure_ascii=False).replace('"@"', raw)


def fits(text: str, loader: type[yaml.CSafeLoader]) -> bool:
    """Tell whether an editor with that YAML would mark nothing."""
    try:
        return VALIDATOR.is_valid(yaml.load(text, Loader=loader))  # noqa: S506 -- a SafeLoader
    except yaml.YAMLError:
        return False


def is_accepted(text: str) -> bool:
    try:
        parse_policy(text, "p.yml")
    except PolicyError:
        return False
    return True


COUNT_PATH: Path_ = ("requirements", 0, "at_least")
SWITCH_PATH: Path_ = ("follow_ups", 0, "direct")


@pytest.mark.parametrize(
    ("path", "raw", "good"),
    [
        (COUNT_PATH, "5", True),
        (COUNT_PATH, "5.5", False),
        (COUNT_PATH, "-5", False),
        (COUNT_PATH, "1e9", False),
        (COUNT_PATH, ".inf", False),
        (COUNT_PATH, "0x65", False),
        (COUNT_PATH, "true", False),
        (COUNT_PATH, "~", False),
        (COUNT_PATH, '"5"', False),
        (COUNT_PATH, "2024-01-01", False),
        (SWITCH_PATH, "false", True),
        (SWITCH_PATH, "y", False),
        (SWITCH_PATH, "1", False),
        (SWITCH_PATH, '"true"', False),
        (SWITCH_PATH, "null", False),
        (("in_force_from",), "2024-01-01", True),
        (("in_force_from",), "2024-1-1", False),
        (("in_force_from",), "2024-01-01T00:00:00Z", False),
        (("in_force_from",), "20240101", False),
        (("version",), "2024-07-29", True),
        (("version",), "1.0", False),
        (("version",), '"1\\n"', False),
        (("title",), "2024-07-29", True),
        (("title",), '"\\uFEFF"', False),
        (("title",), '"\\x85"', False),
        (("title",), '"\\e[0m"', False),
        (("title",), "7", False),
        (("id",), "null", False),
        (("id",), "!!int 5", False),
        (("id",), "*unknown", False),
        (("repository",), '"a/b\\n"', False),
        (("repository",), '"a/b\\r"', False),
        (("requirements", 0, "enforcement"), '"blocking\\n"', False),
        (("requirements", 0, "kind"), '"attested\\n"', False),
    ],
)
def test_schema_and_parser_agree_on_spellings_in_either_yaml(
    path: Path_, raw: str, good: bool
) -> None:
    text = write_raw(path, raw)
    assert is_accepted(text) is good
    assert (fits(text, Loader), fits(text, NewLoader)) == (good, good)


@pytest.mark.parametrize(
    ("path", "raw", "old", "new"),
    [
        (COUNT_PATH, "5.0", True, True),
        (COUNT_PATH, "5.", True, True),
        (COUNT_PATH, "5e0", False, True),
        (COUNT_PATH, "0x5", True, True),
        (COUNT_PATH, "0o5", False, True),
        (COUNT_PATH, "010", True, True),
        (COUNT_PATH, "+5", True, True),
        (COUNT_PATH, "1_0", True, False),
        (COUNT_PATH, "1:30", True, False),
        (SWITCH_PATH, "True", True, True),
        (SWITCH_PATH, "FALSE", True, True),
        (SWITCH_PATH, "yes", True, False),
        (SWITCH_PATH, "off", True, False),
        (("title",), "on", False, True),
        (("title",), "1:30", False, True),
        (("title",), "=", False, True),
        (("title",), "!!str x", True, True),
        (("title",), "&x y", True, True),
        (("title",), 'x, "title": y', True, True),
        (("in_force_from",), "2023-02-29", True, True),
    ],
)
def test_what_only_the_parser_refuses_is_what_the_page_says(
    path: Path_, raw: str, old: bool, new: bool
) -> None:
    """A schema sees values, not spellings; what YAML 1.1 and 1.2 make of these differs, too."""
    text = write_raw(path, raw)
    assert not is_accepted(text)
    assert (fits(text, Loader), fits(text, NewLoader)) == (old, new)


@pytest.mark.parametrize("raw", ["0o5", "5e0"])
def test_words_that_only_the_newer_yaml_takes_for_numbers_are_text_to_the_parser(raw: str) -> None:
    text = write_raw(("version",), raw)
    assert is_accepted(text)
    assert (fits(text, Loader), fits(text, NewLoader)) == (True, False)


def test_no_pattern_of_the_schema_lets_a_line_break_follow() -> None:
    schema = policy_schema()
    patterns = {look_up(schema, path) for path in find_paths(schema) if path[-1:] == ("pattern",)}
    assert len(patterns) > 8
    assert all(pattern.endswith(r"(?![\s\S])") for pattern in patterns)
    assert not [pattern for pattern in patterns if re.search(r"\$(?![^[]*\])", pattern)]


def put(holder: Any, path: Path_, value: object) -> Any:
    if not path:
        return value
    return holder | {path[-1]: value}


@given(place=st.sampled_from(PLACES), value=STRANGE)
def test_schema_and_parser_agree_on_whatever_stands_in_a_policy(
    place: tuple[Any, Path_], value: object
) -> None:
    changed = replace(*place, value)
    mistakes = find_mistakes(changed)
    known = [line for line in mistakes if any(words in line for words in BEYOND_SCHEMA)]
    assert VALIDATOR.is_valid(changed) is (not mistakes) or (mistakes and mistakes == known)


@given(place=st.sampled_from(INNER))
def test_schema_and_parser_agree_on_what_may_be_left_out(place: tuple[Any, Path_]) -> None:
    changed = remove(*place)
    assert VALIDATOR.is_valid(changed) is (not find_mistakes(changed))


@given(place=st.sampled_from(INNER), value=STRANGE)
def test_a_mistake_stays_told_when_another_is_made(place: tuple[Any, Path_], value: object) -> None:
    document, path = place
    one = {mistake.partition(": ")[2] for mistake in find_mistakes(document | {"id": "NO"})}
    both = find_mistakes(replace(document, path, value) | {"id": "NO"})
    assert one <= {mistake.partition(": ")[2] for mistake in both}


@given(text=st.text(alphabet=st.sampled_from("ab:-[]{}&*!|>'\"#%@, \n\t\\x0"), max_size=60))
def test_whatever_is_not_a_policy_is_refused_and_nothing_worse(text: str) -> None:
    with pytest.raises(PolicyError) as caught:
        parse_policy(text, "p.yml")
    assert all(line.startswith("p.yml:") for line in str(caught.value).splitlines())
