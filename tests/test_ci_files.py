"""A nomination that changes the job which guards its gate stays shut, through HTTP."""

import pytest

from bot.evidence.ci_files import LEVELS, MOST_FILES
from bot.sandbox.acts import actions
from bot.sandbox.acts.actions import CommitDraft
from bot.sandbox.http.faults import Fault, Kind
from bot.sandbox.http.server import Server
from tests.nomination_world import ENTRY, NominationWorld, entry, make_world, run_on

BRANCH = "nominate-nina"
INCLUDES = b"""include:
  - local: '/jobs/guard.yml'
  - local: more/*.yml
  - local: $PLACE/one.yml
  - local: "${PLACE}/two.yml"
  - local: 'loud/GUARD.YML'
"""
NESTED = {
    "jobs/guard.yml": b"include: [{local: 'deeper/guard.yml'}]\n",
    "deeper/guard.yml": b"include: 'deepest/$[[ inputs.job-name ]].yml'\n",
}


@pytest.fixture
def made() -> NominationWorld:
    """Open a nomination that is ready, where the configuration includes others."""
    made = make_world()
    draft = CommitDraft(
        message="Guard", changes={".gitlab-ci.yml": INCLUDES, "c/d.yml": INCLUDES, **NESTED}
    )
    actions.push(made.world, made.user("olga"), made.team, "main", draft)
    return made


def touch(made: NominationWorld, path: str) -> None:
    """Let the nominee change one more file, and renew what a push resets."""
    made.push({path: b"changed: true\n"}, branch=BRANCH)


@pytest.mark.sample(1)
@pytest.mark.parametrize(
    ("path", "config"),
    [
        (".gitlab-ci.yml", ""),
        (".gitlab/ci/guard.yml", ""),
        ("ci/guard.yaml", ""),
        ("sub/My.GitLab-CI.yml", "elsewhere.yml"),
        ("jobs/guard.yml", ""),
        ("more/x.yml", ""),
        ("c/d.yml", "c/d.yml"),
        ("jobs/guard.yml", "c/d.yml"),
        ("loud/GUARD.YML", ""),
        ("any/one.yml", ""),
        ("any/two.yml", ""),
        ("deeper/guard.yml", ""),
        ("deepest/x.yml", ""),
        ("deepest/x.yml", "c/d.yml"),
    ],
)
def test_a_nomination_that_changes_its_guard_stays_shut(
    made: NominationWorld, server: Server, path: str, config: str
) -> None:
    made.team.settings.ci_config_path = config
    touch(made, path)
    outcome = run_on(server, made.nomination)
    assert outcome.gate == "pending"
    assert "holds or may hold the CI configuration" in outcome.body
    assert path in outcome.evaluation.findings.unknown[0]


@pytest.mark.sample(1)
@pytest.mark.parametrize(
    ("path", "config"),
    [
        ("README.md", ""),
        ("sites/data.yml", ""),
        ("jobs/other.yml", ""),
        ("jobs/guard.yml", "ci.yml@tools/guard"),
        ("jobs/guard.yml", "https://gitlab.example.com/ci.yml"),
        ("jobs/guard.yml", "gone.yml"),
    ],
)
def test_another_change_beside_it_is_harmless(
    made: NominationWorld, server: Server, path: str, config: str
) -> None:
    made.team.settings.ci_config_path = config
    touch(made, path)
    assert run_on(server, made.nomination).gate == "passed"


@pytest.mark.sample(1)
@pytest.mark.parametrize(
    "files",
    [
        {f"chain/{n}.yml": f"include: chain/{n + 1}.yml\n" for n in range(LEVELS)},
        {"chain/0.yml": "\n".join(f"- chain/{n}.yml" for n in range(MOST_FILES + 1))},
    ],
)
def test_includes_that_are_not_all_followed_keep_it_shut(
    made: NominationWorld, server: Server, files: dict[str, str]
) -> None:
    made.team.settings.ci_config_path = "chain/0.yml"
    written: dict[str, bytes | None] = {path: text.encode() for path, text in files.items()}
    made.push(written, branch="main", by="olga")
    touch(made, "sites/data.yml")
    outcome = run_on(server, made.nomination)
    assert outcome.gate == "pending"
    assert "it includes more files than are followed" in outcome.body


def test_what_no_configuration_can_include_is_harmless_beside_any(
    made: NominationWorld, server: Server
) -> None:
    endless = "\n".join(f"- chain/{n}.yml" for n in range(MOST_FILES + 1)).encode()
    made.push({".gitlab-ci.yml": endless}, branch="main", by="olga")
    touch(made, "images/nina.png")
    assert run_on(server, made.nomination).gate == "passed"


@pytest.mark.sample(1)
@pytest.mark.parametrize("route", ["GET /api/v4/projects/{id}", "POST /api/graphql"])
def test_what_cannot_be_read_keeps_it_shut(
    made: NominationWorld, server: Server, route: str
) -> None:
    touch(made, "sites/data.yml")
    # Of the queries the last but one reads the configuration's file.
    calls = None if route.startswith("GET") else {2}
    server.fault(Fault(route=route, kind=Kind.FORBIDDEN, calls=calls))
    outcome = run_on(server, made.nomination)
    assert outcome.gate == "pending"
    assert "which files hold the CI configuration could not be read" in outcome.body


def test_who_nominates_nobody_may_change_the_configuration_in_peace(
    made: NominationWorld, server: Server
) -> None:
    files = {".gitlab-ci.yml": b"x: {script: [y]}\n", ENTRY: entry("nina")}
    other = made.open(files, branch="other")
    outcome = run_on(server, other)
    assert outcome.body == ""
