"""The documents are true: commands run, links lead somewhere, and each page is short."""

import importlib.util
import json
import re
import shlex
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
import yaml

from bot.command_line import build_parser
from bot.commands.verbs import VERBS
from bot.config import SETTINGS
from bot.errors import ConfigError
from bot.sandbox.world.shipped import ci_definition
from bot.setup.versions import LEAST, write_version
from tests.comments import parse_commands
from tests.operator_world import empty_gitlab, nominate, settings
from tests.processes import run_here
from tests.raw_server import free_port
from tests.test_components import BOT, fill

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
README = ROOT / "README.md"
FOR_PEOPLE = ("nominee", "manager-and-maintainer", "operator", "developer")
BESIDE = ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")
PAGES = [*(ROOT / name for name in BESIDE), *sorted(DOCS.glob("*.md"))]
PATIENCE = 60.0  # seconds
MOST_WORDS = 1000  # on two pages


def read(page: Path) -> str:
    return page.read_text("utf-8")


def blocks(page: Path, language: str) -> list[str]:
    """Return the blocks of code of a language, those in lists without their indent."""
    found = re.findall(rf"^( *)```{language}\n(.*?)^ *```$", read(page), re.DOTALL | re.MULTILINE)
    return [re.sub(rf"^{indent}", "", text, flags=re.MULTILINE) for indent, text in found]


def outside_code(page: Path) -> str:
    return re.sub(r"^ *```.*?^ *```$", "", read(page), flags=re.DOTALL | re.MULTILINE)


# --- short, whole, and linked -------------------------------------------------------------


@pytest.mark.parametrize("name", FOR_PEOPLE)
def test_each_persons_page_is_short_and_linked_from_the_readme(name: str) -> None:
    page = DOCS / f"{name}.md"
    assert len(read(page).split()) < MOST_WORDS
    assert f"(docs/{name}.md)" in read(README)


def test_the_readme_is_for_newcomers() -> None:
    assert len(read(README).split()) < MOST_WORDS
    assert "docs/comment.png" in read(README)


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page, as GitLab makes them of its headings."""
    found = set()
    for heading in re.findall(r"^#+ (.*)$", outside_code(page), re.MULTILINE):
        words = re.sub(r"[^\w\- ]", "", heading.strip().lower())
        found.add(re.sub(r"-+", "-", words.replace(" ", "-")))
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_to_a_file_and_a_heading(page: Path) -> None:
    if page.name == "gallery.md":
        return  # what the bot wrote about made-up people: its links lead into their GitLab
    for target in re.findall(r"\]\(([^()\s]+)\)", outside_code(page)):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        file = page if not name else (page.parent / name)
        assert file.exists(), target
        if anchor and file.suffix == ".md":
            assert anchor in anchors(file), target


def test_every_page_is_in_the_sites_list() -> None:
    listed = re.findall(r"^ *- (?:\w+: )?([\w-]+\.md)$", read(ROOT / "mkdocs.yml"), re.MULTILINE)
    made = {"index.md", *(name.lower() for name in BESIDE if name != "README.md")}
    assert set(listed) == made | {page.name for page in DOCS.glob("*.md")}


def test_the_settings_page_lists_exactly_the_settings() -> None:
    rows = re.findall(r"^\| `(NOMINATION_BOT_\w+)` \|", read(DOCS / "settings.md"), re.MULTILINE)
    assert sorted(rows) == sorted(each.name for each in SETTINGS)


def test_the_page_lists_exactly_the_least_versions() -> None:
    found = re.findall(
        r"^\| (.+?) \| (\d+\.\d+) \| (.+?) \|$", read(DOCS / "versions.md"), re.MULTILINE
    )
    assert found == [(each.what, write_version(each.version), each.without) for each in LEAST]


def test_every_message_of_the_troubleshooting_is_one_of_the_bots() -> None:
    table = read(DOCS / "operator.md").partition("## Troubleshooting by message")[2]
    told = [
        part for row in re.findall(r"^\| (.*?) \|", table, re.MULTILINE) for part in quoted(row)
    ]
    sources = "".join(file.read_text("utf-8") for file in (ROOT / "bot").rglob("*.py"))
    bare = re.sub(r"\"\s*\n\s*f?\"", "", sources)
    assert len(told) > 9
    for words in told:
        known = words.replace("GitLab answered 401", "GitLab answered {code}")
        known = known.replace("GitLab answered 403", "GitLab answered {code}")
        known = known.replace("moved 3 times", "moved {ROUNDS} times")
        assert known in bare, words


def quoted(row: str) -> list[str]:
    return [each for each in re.findall(r"`([^`]+)`", row) if "/" not in each]


# --- commands -----------------------------------------------------------------------------


def inline_commands() -> Iterator[tuple[str, str]]:
    for page in PAGES:
        for found in re.findall(r"`nomination-bot ([^`\n]+)`", outside_code(page)):
            yield page.name, found


def refusal(words: list[str]) -> str:
    """Return why the bot's command line refuses words, or nothing."""
    try:
        build_parser().parse_args(words)
    except ConfigError as error:
        # One that only names itself, such as `check`, has its arguments elsewhere.
        return "" if "are required" in str(error) else str(error)
    except SystemExit:  # after --help
        return ""
    return ""


def test_every_command_of_the_bot_in_running_text_is_one() -> None:
    written = [(page, re.sub(r"\[|\]|…|\|trigger", "", text)) for page, text in inline_commands()]
    meant = [(page, shlex.split(text)) for page, text in written if "COMMAND" not in text]
    assert len(meant) > 10
    assert [(page, words) for page, words in meant if refusal(words)] == []


@pytest.mark.parametrize("name", FOR_PEOPLE[:2])
def test_every_comment_that_a_page_shows_is_a_command(name: str) -> None:
    lines = [line for text in blocks(DOCS / f"{name}.md", "text") for line in text.splitlines()]
    assert lines
    for line in lines:
        (request,) = parse_commands(line, "nomination")
        assert request.verb_text in {verb.name for verb in VERBS}, line


@pytest.fixture(scope="module")
def place() -> Iterator[dict[str, str]]:
    """Serve a GitLab that is set up, with a nomination, and say how the bot reaches it."""
    with empty_gitlab() as sandbox:
        given = settings(sandbox.url)
        assert run_here("init", "--apply", **given).returncode == 0
        nominate(sandbox.world)
        sandbox.drain()
        yield given


@pytest.mark.sample(1)
@pytest.mark.parametrize("name", FOR_PEOPLE[:3])
def test_the_commands_of_a_page_run(name: str, place: dict[str, str]) -> None:
    lines = [line for text in blocks(DOCS / f"{name}.md", "sh") for line in text.splitlines()]
    assert lines
    for line in lines:
        program, *words = shlex.split(line)
        assert program == "nomination-bot"
        done = run_here(*words, **place)
        assert (done.returncode, "Traceback" in done.stderr) == (0, False), (line, done)


def test_the_commands_of_the_developers_page_are_there() -> None:
    lines = [line for text in blocks(DOCS / "developer.md", "sh") for line in text.splitlines()]
    kinds = {"make": 0, "nomination-bot": 0, "python": 0}
    for line in lines:
        program, *words = shlex.split(line)
        kinds[program] += 1
        if program == "nomination-bot":
            assert run_here(*words).returncode == 0, line
            continue
        # What it does is another test; that it is there is this one's.
        real = ["make", "--dry-run", *words] if program == "make" else [sys.executable, *words]
        subprocess.run(real, cwd=ROOT, check=True, capture_output=True, timeout=60)  # noqa: S603
    assert min(kinds.values()) > 0


# --- from an empty GitLab to a gate that works ----------------------------------------------


@pytest.mark.sample(0)
@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_the_readme_leads_from_an_empty_gitlab_to_a_blocked_and_an_unblocked_merge(
    tmp_path: Path,
) -> None:
    commands = blocks(README, "sh")[0]
    port = free_port()
    install, export, serve, *others, doctor, unblock, check = commands.replace(
        "8080", str(port)
    ).splitlines()
    assert 5 + len(others) + 1 < 10
    assert install == "make install"  # stands in the environment of the tests already
    path = f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin"
    environment = {"PATH": path, "HOME": str(tmp_path), "LANG": "C.UTF-8"}
    sandbox = subprocess.Popen(  # noqa: S603  our own command
        serve.removesuffix(" &").split(), env=environment, stdout=subprocess.DEVNULL
    )
    try:
        wait_for(port)
        lines = ["set -eu", export, *others, until(doctor, "!1 has a failed gate"), unblock]
        address = '"$NOMINATION_BOT_GITLAB_URL/api/v4/projects/7764/merge_requests/1"'
        script = "\n".join([*lines, until(check, "; gate passed; "), f"curl -fsS {address}"])
        done = subprocess.run(  # noqa: S603  the page's own commands
            ["/bin/bash", "-c", script],
            env=environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )
    finally:
        sandbox.terminate()
        sandbox.wait(10)
    assert done.returncode == 0, done.stderr + done.stdout
    assert "gate-blocks: !1 has a failed gate and cannot be merged" in done.stdout
    assert "\nwrong" not in done.stdout
    assert '"detailed_merge_status": "mergeable"' in done.stdout
    assert "!1 @nominee1: ready; gate passed; comment http" in done.stdout
    assert "glptt-" not in done.stdout + done.stderr


def until(command: str, words: str) -> str:
    """Repeat a command until it says what it must: an event starts a job, which takes its time."""
    again = f"for i in $(seq 40); do {command} >said || true; "
    return (
        f"{again}grep -q '{words}' said && break; sleep 1; done; cat said; grep -q '{words}' said"
    )


def wait_for(port: int) -> None:
    """Wait until somebody listens."""
    ends = time.monotonic() + PATIENCE
    while time.monotonic() < ends:
        with socket.socket() as trial:
            if trial.connect_ex(("127.0.0.1", port)) == 0:
                return
        threading.Event().wait(0.2)
    raise TimeoutError(f"nobody listens on port {port}")


# --- releases -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def release() -> ModuleType:
    spec = importlib.util.spec_from_file_location("release", ROOT / ".ci" / "release.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_version_stands_in_one_place_and_in_the_changelog(release: ModuleType) -> None:
    version = release.read_version()
    assert re.fullmatch(r"\d+\.\d+\.\d+", version)
    assert release.write_notes()
    with pytest.raises(ValueError, match=r"the tag is v1, but `version` in pyproject.toml is"):
        release.write_notes("v1")
    assert f"nomination-bot@{version}" in read(README)


def test_the_changelog_has_upgrade_notes() -> None:
    assert "**Upgrade note" in read(ROOT / "CHANGELOG.md")


def test_a_dependency_without_a_licence_stops_the_release(
    release: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [
        {"name": "b", "version": "2", "licenses": [{"license": {"name": "License :: X"}}]},
        {"name": "a", "version": "1", "licenses": [{"expression": "MIT"}]},
    ]
    sbom = tmp_path / "sbom.json"
    sbom.write_text(json.dumps({"components": rows}))
    assert release.main(["licences", str(sbom)]) == 0
    assert capsys.readouterr().out.splitlines()[2:] == ["| a | 1 | MIT |", "| b | 2 | X |"]
    sbom.write_text(json.dumps({"components": [*rows, {"name": "c", "version": "3"}]}))
    assert release.main(["licences", str(sbom)]) == 1
    assert capsys.readouterr().err == "No release: no licence is known of c.\n"


@pytest.mark.parametrize("name", ["bot/policies/policy.schema.json", "bot/assessment.schema.json"])
def test_other_repositories_can_point_to_a_schema(name: str) -> None:
    schema = json.loads(read(ROOT / name))
    assert schema["$id"].startswith("https://")
    assert schema["$id"].endswith(f"/{name}")


def test_a_release_is_made_of_the_tag_alone() -> None:
    jobs = yaml.safe_load(read(ROOT / ".gitlab-ci.yml"))
    assert jobs["release"]["release"]["tag_name"] == "$CI_COMMIT_TAG"
    for name in ("package", "release"):
        (rule,) = jobs[name]["rules"]
        assert "$CI_COMMIT_TAG" in rule["if"]


def test_runs_keep_what_they_found_for_gitlabs_widgets() -> None:
    own = yaml.safe_load(read(ROOT / ".gitlab-ci.yml"))
    component = fill(BOT, package="https://gitlab.example.com/a.tar.gz")
    found = (own["nominate"], own["sweep"], component["nomination-run"])
    for job in (*found, component["nomination-sweep"]):
        folder = job["variables"]["NOMINATION_BOT_ARTIFACTS"]
        assert job["artifacts"]["paths"] == [folder]
        assert job["artifacts"]["when"] == "always"
        assert job["artifacts"]["reports"] == {
            "junit": f"{folder}/junit.xml",
            "metrics": f"{folder}/metrics.txt",
        }


def test_every_input_of_a_component_is_described() -> None:
    for file in (BOT, BOT.with_name("nomination-gate.yml")):
        header = yaml.safe_load(read(file).partition("\n---\n")[0])
        for name, each in header["spec"]["inputs"].items():
            assert each.get("description"), name


def test_the_including_projects_policies_are_checked() -> None:
    own = "https://gitlab.example.com/a.tar.gz"
    job = fill(BOT, package=own, policies="my policies")["nomination-policies"]
    assert job["script"] == ['nomination-bot policy check "my policies"']
    for name in ("run", "sweep"):
        with_own = fill(BOT, package=own, policies="p")[f"nomination-{name}"]
        assert with_own["variables"]["NOMINATION_BOT_POLICIES"] == "p"
        assert with_own["rules"][0]["variables"] == {"GIT_STRATEGY": "fetch"}
        assert '"p" != ""' in with_own["rules"][0]["if"]
    assert ci_definition()  # the project's own configuration is one that the sandbox can run
