"""A policy with mistakes stops its own nominations, loudly; the others go on."""

from pathlib import Path
from subprocess import CompletedProcess

import pytest

from bot.errors import PolicyError
from bot.rulebook.loading import SHIPPED, load_sound
from bot.sandbox.http.server import Server
from tests.nomination_world import FOLDER, TEAM, NominationWorld, entry, make_world, settings
from tests.processes import run_here

AI_GATEWAY = (SHIPPED / "ai-gateway.yml").read_text("utf-8")
OTHER = AI_GATEWAY.replace("project: ai-gateway", "project: other", 1).replace(
    "id: ai-gateway", "id: other", 1
)
MISTAKEN = "unheard_of: 1\n"


@pytest.fixture
def made() -> NominationWorld:
    return make_world()


def run(server: Server, policies: Path, *arguments: str) -> CompletedProcess[str]:
    return run_here(*arguments, NOMINATION_BOT_POLICIES=policies, **settings(server.url))


def write(folder: Path, **texts: str) -> Path:
    for name, text in texts.items():
        (folder / f"{name}.yml").write_text(text, encoding="utf-8")
    return folder


BROKEN = {
    "an unknown key": AI_GATEWAY + MISTAKEN,
    "a wrong number": AI_GATEWAY.replace("at_least: 5", "at_least: five"),
    "no YAML": AI_GATEWAY + "x: [\n",
    "a quoted key, and no YAML": AI_GATEWAY.replace(
        "project: ai-gateway", "project: 'ai-gateway'  # ours"
    )
    + "\tx\n",
}
UNTOLD = {
    "an empty file": "",
    "a list": "- 1\n",
    "no project": AI_GATEWAY.replace("project: ai-gateway\n", ""),
    "two projects": AI_GATEWAY + "project: more\n",
    "a glob that is none": AI_GATEWAY.replace("team_files: data", "team_files: /data"),
    "two globs": AI_GATEWAY + "team_files: people/*.yml\n",
    "two projects and no YAML": AI_GATEWAY + "project: more\n\tx\n",
}


def statuses(made: NominationWorld) -> list[str]:
    return [status.status for status in made.statuses() if not status.retried]


@pytest.mark.parametrize("name", BROKEN)
def test_nominations_of_a_broken_policy_are_unknown_and_shut(
    made: NominationWorld, server: Server, tmp_path: Path, name: str
) -> None:
    folder = write(tmp_path, broken=BROKEN[name], other=OTHER)
    done = run(server, folder, "check", f"{TEAM}!1")
    assert done.returncode == 1
    assert "broken.yml" in done.stderr
    assert "until this is mended, nominations for maintainer of ai-gateway are" in done.stderr
    assert statuses(made) == ["pending"]
    (note,) = made.own_notes()
    assert "the policy broken.yml for maintainer of ai-gateway has mistakes" in note.body
    assert str(tmp_path) not in note.body


@pytest.mark.parametrize("text", [*BROKEN.values()])
def test_the_other_policies_go_on(
    made: NominationWorld, server: Server, tmp_path: Path, text: str
) -> None:
    text = text.replace("ai-gateway", "another-project")
    folder = write(tmp_path, broken=text, ours=AI_GATEWAY)
    done = run(server, folder, "check", f"{TEAM}!1")
    assert done.returncode == 1
    assert "nominations for maintainer of another-project are unknown" in done.stderr
    assert "mistakes" not in made.own_notes()[0].body
    assert statuses(made) != ["pending"]


@pytest.mark.sample(1)
@pytest.mark.parametrize("name", UNTOLD)
def test_where_its_role_cannot_be_told_every_entry_is_unknown(
    made: NominationWorld, server: Server, tmp_path: Path, name: str
) -> None:
    folder = write(tmp_path, broken=UNTOLD[name], ours=AI_GATEWAY)
    mr = made.open({f"{FOLDER}/m/mia.yml": entry("mia", None, "max")}, branch="mia")
    readme = made.open({"README.md": b"more\n"}, branch="readme")
    for each in (mr, readme):
        assert run(server, folder, "check", f"{TEAM}!{each.iid}").returncode == 1
    assert "does not tell for which role it is" in made.own_notes(mr)[0].body
    assert made.own_notes(readme) == []
    assert statuses(made) == ["pending"]


def test_entries_that_nominate_for_nothing_broken_stay_quiet(
    made: NominationWorld, server: Server, tmp_path: Path
) -> None:
    folder = write(tmp_path, broken=AI_GATEWAY + MISTAKEN, other=OTHER)
    mr = made.open({f"{FOLDER}/m/mia.yml": entry("mia", None, "max")}, branch="mia")
    run(server, folder, "check", f"{TEAM}!{mr.iid}")
    assert made.own_notes(mr) == []
    assert made.writes() == []


def test_a_sweep_fails_as_long_as_a_policy_is_broken(
    made: NominationWorld, server: Server, tmp_path: Path
) -> None:
    folder = write(tmp_path, broken=OTHER + MISTAKEN, ours=AI_GATEWAY)
    assert run(server, folder, "sweep").returncode == 1
    assert len(made.own_notes()) == 1


def test_a_broken_policy_for_entries_elsewhere_watches_those(
    made: NominationWorld, server: Server, tmp_path: Path
) -> None:
    text = AI_GATEWAY.replace("data/team_members/person/*/*.yml", "people/*/*.yml")
    folder = write(tmp_path, broken=text + MISTAKEN, ours=OTHER)
    mr = made.open({"people/n/nina.yml": entry("nina", "maintainer")}, branch="people")
    run(server, folder, "check", f"{TEAM}!{mr.iid}")
    assert "has mistakes" in made.own_notes(mr)[0].body


def test_of_two_that_contradict_each_other_the_first_counts_and_the_gate_is_shut(
    made: NominationWorld, server: Server, tmp_path: Path
) -> None:
    folder = write(tmp_path, a=AI_GATEWAY, b=AI_GATEWAY)
    done = run(server, folder, "check", f"{TEAM}!1")
    assert done.returncode == 1
    assert statuses(made) == ["pending"]


def test_no_policy_at_all_is_a_mistake_of_the_settings(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="no policies"):
        load_sound(tmp_path)


def test_a_policy_that_cannot_be_read_beside_others_tells_nothing(tmp_path: Path) -> None:
    write(tmp_path, ours=AI_GATEWAY)
    (tmp_path / "odd.yml").write_bytes(b"\xff\xfe")
    _, (broken,) = load_sound(tmp_path)
    assert (broken.project, broken.role, broken.team_files) == (None, None, None)


def test_the_doctor_finds_it(made: NominationWorld, server: Server, tmp_path: Path) -> None:
    folder = write(tmp_path, broken=AI_GATEWAY + MISTAKEN + "more: 1\n", other=OTHER)
    done = run(server, folder, "doctor", "-q")
    (line,) = [each for each in done.stdout.splitlines() if " policies: " in each]
    assert "broken.yml:" in line
    assert "(and 1 more)" in line

    assert made.writes() == []
