"""Detection between two directories, without git, network or trust in what lies there."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from bot.errors import TeamDatabaseError
from bot.nomination.checkouts import as_json, run_detect
from bot.nomination.values import Detection
from tests.team_files import ADA, BEA, MAINTAINER, PERSON, gains, make_entry, messages

Files = Mapping[str, str | bytes]


def lay_out(root: Path, files: Files) -> Path:
    """Write files below a directory."""
    root.mkdir(exist_ok=True)
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return root


def compare(tmp_path: Path, base: Files, head: Files) -> Detection:
    lay_out(tmp_path / "base", base)
    lay_out(tmp_path / "head", head)
    return run_detect(str(tmp_path / "base"), str(tmp_path / "head"), [MAINTAINER])


def test_a_gained_role_is_found(tmp_path: Path) -> None:
    found = compare(
        tmp_path,
        {ADA: make_entry(role="reviewer"), BEA: make_entry("bea")},
        {ADA: make_entry(role="maintainer"), BEA: make_entry("bea")},
    )
    assert as_json(found) == {
        "nominations": [
            {
                "username": "ada",
                "project": "ai-gateway",
                "from": ["reviewer"],
                "to": ["maintainer"],
                "path": ADA,
            }
        ],
        "remarks": [],
    }


def test_a_directory_compared_with_itself_is_silent(tmp_path: Path) -> None:
    root = str(lay_out(tmp_path, {ADA: make_entry(role="maintainer"), BEA: "\t[\n"}))
    assert run_detect(root, root, [MAINTAINER]) == Detection(nominations=(), remarks=(), unread=())


def test_a_moved_person_is_followed(tmp_path: Path) -> None:
    found = compare(
        tmp_path, {ADA: make_entry(role="reviewer")}, {BEA: make_entry(role="maintainer")}
    )
    assert [(n.path, n.base_path, n.before) for n in found.nominations] == [
        (BEA, ADA, ("reviewer",))
    ]


def test_the_answer_is_the_same_in_both_runs(tmp_path: Path) -> None:
    files = {f"{PERSON}/{c}/{c}.yml": make_entry(c) for c in "abcdef"}
    more = {path: make_entry(path[-5], "maintainer") for path in files}
    one, other = compare(tmp_path, files, more), compare(tmp_path, files, more)
    assert one == other
    assert len(one.nominations) == 6


def test_an_unchanged_file_that_claims_the_username_is_noticed(tmp_path: Path) -> None:
    same = {BEA: make_entry("ADA"), f"{PERSON}/c/cid.yml": make_entry("cid")}
    found = compare(tmp_path, same, {**same, ADA: make_entry(role="maintainer")})
    assert {remark.path for remark in found.remarks} == {ADA, BEA}


def test_a_maintainer_in_an_unchanged_file_is_not_nominated_again(tmp_path: Path) -> None:
    same = {BEA: make_entry(role="maintainer")}
    found = compare(tmp_path, same, {**same, ADA: make_entry(role="maintainer")})
    assert found.nominations == ()


@pytest.mark.parametrize(
    ("path", "near_miss"),
    [
        ("data/team.yml", True),
        (f"{PERSON}/a/ada.yaml", True),
        (f"{PERSON}/ada.yml", True),
        (f"{PERSON}/a/b/ada.yml", True),
        ("data/team_members/ada.yml", True),
        ("data/team_members/vacancy/ada.yml", False),
        ("data/other.yml", False),
        ("ada.yml", False),
        (f"{PERSON}/a/ada.txt", False),
        (f"{PERSON}/.git/ada.yml", False),
        (f"{PERSON}/a/b/c/d/ada.yml", False),
    ],
)
def test_roles_in_other_files_are_remarked_on_where_somebody_meant_them(
    tmp_path: Path, path: str, near_miss: bool
) -> None:
    old = {ADA: make_entry(), path: make_entry()}
    found = compare(tmp_path, old, {**old, path: make_entry(role="maintainer")})
    assert found.nominations == ()
    assert [remark.path for remark in found.remarks] == ([path] if near_miss else [])


def test_a_new_symbolic_link_is_never_followed(tmp_path: Path) -> None:
    secret = tmp_path / "secret.yml"
    secret.write_text(make_entry(role="maintainer"))
    lay_out(tmp_path / "head", {BEA: make_entry("bea")})
    (tmp_path / "head" / PERSON / "b" / "eve.yml").symlink_to(secret)
    (tmp_path / "head" / PERSON / "c").symlink_to(tmp_path)
    found = compare(tmp_path, {BEA: make_entry("bea")}, {})
    assert found.nominations == ()
    assert {Path(remark.path).name for remark in found.unread} == {"eve.yml", "c"}
    assert "a symbolic link" in messages(found)
    assert "secret" not in messages(found)


def test_a_symbolic_link_beside_the_folder_of_entries_is_unknown(tmp_path: Path) -> None:
    lay_out(tmp_path / "head", {BEA: make_entry("bea")})
    beside = Path(PERSON).parent / "people"
    (tmp_path / "head" / beside).symlink_to(tmp_path)
    found = compare(tmp_path, {BEA: make_entry("bea")}, {})
    assert [remark.path for remark in found.unread] == [str(beside)]
    assert "a symbolic link" in messages(found)


def test_equal_symbolic_links_and_folders_are_silent(tmp_path: Path) -> None:
    for side in ("base", "head"):
        lay_out(tmp_path / side, {BEA: make_entry("bea"), f"{PERSON}/d/d.yml/x": ""})
        (tmp_path / side / PERSON / "b" / "eve.yml").symlink_to("bea.yml")
    assert compare(tmp_path, {}, {}) == Detection(nominations=(), remarks=(), unread=())


def test_what_is_no_regular_file_is_never_opened(tmp_path: Path) -> None:
    lay_out(tmp_path / "head", {BEA: make_entry("bea")})
    os.mkfifo(tmp_path / "head" / PERSON / "b" / "pipe.yml")
    (tmp_path / "head" / ADA).mkdir(parents=True)
    found = compare(tmp_path, {BEA: make_entry("bea")}, {})
    assert {Path(remark.path).name for remark in found.unread} == {"pipe.yml", "ada.yml"}
    assert "no regular file" in messages(found)


def test_a_file_that_becomes_a_link_is_unknown(tmp_path: Path) -> None:
    lay_out(tmp_path / "head", {BEA: make_entry("bea")})
    (tmp_path / "head" / PERSON / "a").mkdir()
    (tmp_path / "head" / ADA).symlink_to("../b/bea.yml")
    found = compare(tmp_path, {ADA: make_entry(), BEA: make_entry("bea")}, {})
    assert [remark.path for remark in found.unread] == [ADA]


def test_unread_files_are_among_the_remarks_of_the_json(tmp_path: Path) -> None:
    found = compare(tmp_path, {ADA: make_entry()}, {ADA: make_entry(more="\tai-gateway: x\n")})
    assert len(found.unread) == 1
    assert [remark["path"] for remark in as_json(found)["remarks"]] == [ADA]


def test_file_names_that_are_no_utf8_are_escaped(tmp_path: Path) -> None:
    lay_out(tmp_path / "head", {BEA: make_entry("bea")})
    folder = os.fsencode(tmp_path / "head" / PERSON / "b")
    with open(folder + b"/\xff.yml", "wb") as file:
        file.write(make_entry(role="maintainer").encode())
    found = as_json(compare(tmp_path, {}, {}))
    path = f"{PERSON}/b/\\udcff.yml"
    assert [nomination["path"] for nomination in found["nominations"]] == [path]
    assert json.dumps(found, ensure_ascii=False).encode()


def test_files_of_one_size_and_date_are_compared_by_content(tmp_path: Path) -> None:
    lay_out(tmp_path / "base", {ADA: make_entry(role="reviewerxx")})
    lay_out(tmp_path / "head", {ADA: make_entry(role="maintainer")})
    for side in ("base", "head"):
        os.utime(tmp_path / side / ADA, ns=(1, 1))
    assert len(compare(tmp_path, {}, {}).nominations) == 1


def test_huge_files_are_refused_without_reading_them_whole(tmp_path: Path) -> None:
    huge = make_entry() + "# x\n" * 600_000
    found = compare(tmp_path, {ADA: make_entry(), BEA: huge}, {ADA: huge, BEA: huge})
    assert [remark.path for remark in found.remarks] == [ADA]
    assert "bytes that are read" in messages(found)


@pytest.fixture
def unprivileged() -> Iterator[Path]:
    """Make a directory and stop being the superuser, who may read everything."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o777)
    user = os.geteuid()
    os.seteuid(user or 65534)
    yield folder
    os.seteuid(user)
    shutil.rmtree(folder)


def test_an_entry_that_cannot_be_opened_is_unknown(unprivileged: Path) -> None:
    lay_out(unprivileged / "head", {ADA: make_entry(role="maintainer")})
    (unprivileged / "head" / ADA).chmod(0)
    found = compare(unprivileged, {ADA: make_entry()}, {})
    assert found.nominations == ()
    assert "Permission denied" in messages(found)


def test_a_file_that_becomes_a_folder_is_unknown(tmp_path: Path) -> None:
    lay_out(tmp_path / "head", {f"{ADA}/x": ""})
    found = compare(tmp_path, {ADA: make_entry()}, {})
    assert [remark.path for remark in found.unread] == [ADA]


@pytest.mark.parametrize(
    ("side", "name"), [("base", "missing"), ("head", "file"), ("head", "a\0b")]
)
def test_a_directory_that_is_none_is_an_error_that_says_so(
    tmp_path: Path, side: str, name: str
) -> None:
    (tmp_path / "file").write_text("x")
    sides = {"base": str(tmp_path), "head": str(tmp_path), side: f"{tmp_path}/{name}"}
    with pytest.raises(TeamDatabaseError, match=f"The {side} directory .* checkout of the team"):
        run_detect(sides["base"], sides["head"], [MAINTAINER])


def test_a_directory_that_cannot_be_listed_is_an_error(tmp_path: Path) -> None:
    lay_out(tmp_path / "base", {"data/team_members": "a file"})
    with pytest.raises(TeamDatabaseError, match="cannot be listed"):
        run_detect(str(tmp_path / "base"), str(tmp_path / "base"), [MAINTAINER])


def test_directories_without_any_entry_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(TeamDatabaseError, match="two checkouts of the team database"):
        compare(tmp_path, {}, {})


def test_one_side_may_be_empty(tmp_path: Path) -> None:
    found = compare(tmp_path, {}, {ADA: make_entry(role="maintainer")})
    assert gains(found) == [("ada", "ai-gateway", "maintainer", (), ("maintainer",))]
    assert compare(tmp_path, {ADA: make_entry()}, {}) is not None


@pytest.mark.parametrize("glob", ["*.yml", "people/*.yml", "a/b/c/*/*.yml"])
def test_another_glob_may_be_used(tmp_path: Path, glob: str) -> None:
    path = glob.replace("*", "ada")
    lay_out(tmp_path / "base", {path: make_entry()})
    lay_out(tmp_path / "head", {path: make_entry(role="maintainer")})
    found = run_detect(str(tmp_path / "base"), str(tmp_path / "head"), [MAINTAINER], glob)
    assert [n.path for n in found.nominations] == [path]


def make_database(root: Path, size: int, note: str) -> None:
    """Write a team database with one maintainer-to-be at the head."""
    story = "Writes code and likes to review it. " * 12
    for number in range(size):
        folder = root / PERSON / "abcdefghijklmnopqrstuvwxyz"[number % 26]
        folder.mkdir(parents=True, exist_ok=True)
        role = "maintainer" if note and number == size // 2 else None
        more = f"story: |\n  {story}{note}\ndepartments:\n- Engineering\n- Development\n"
        (folder / f"user{number}.yml").write_text(make_entry(f"user{number}", role, more))


PROGRAM = """
import sys
from bot.nomination.checkouts import as_json, run_detect
from bot.team import RoleKey
wanted = [RoleKey(project="ai-gateway", role="maintainer")]
found = as_json(run_detect(sys.argv[1], sys.argv[2], wanted))
print([n["username"] for n in found["nominations"]])
"""


def run_program(base: Path, head: Path) -> tuple[str, float]:
    """Run a detection as a process of its own; return its output and processor seconds."""
    before = os.times()
    done = subprocess.run(  # noqa: S603 - the program is the constant above
        [sys.executable, "-c", PROGRAM, str(base), str(head)],
        check=True,
        capture_output=True,
        text=True,
    )
    after = os.times()
    spent = after.children_user + after.children_system
    return done.stdout.strip(), spent - before.children_user - before.children_system


@pytest.mark.sample(0)
def test_three_thousand_people_on_both_sides_take_less_than_three_seconds(tmp_path: Path) -> None:
    make_database(tmp_path / "base", 3_000, "")
    make_database(tmp_path / "head", 3_000, "more")
    found, seconds = run_program(tmp_path / "base", tmp_path / "head")
    assert found == "['user1500']"
    assert seconds < 3


def test_identical_files_take_less_than_half_a_second(tmp_path: Path) -> None:
    make_database(tmp_path / "base", 3_000, "")
    for path in (tmp_path / "base").rglob("*.yml"):
        twin = tmp_path / "head" / path.relative_to(tmp_path / "base")
        twin.parent.mkdir(parents=True, exist_ok=True)
        twin.hardlink_to(path)
    changed = tmp_path / "head" / PERSON / "a" / "user0.yml"
    changed.unlink()
    changed.write_text(make_entry("user0", "maintainer"))
    found, seconds = run_program(tmp_path / "base", tmp_path / "head")
    assert found == "['user0']"
    assert seconds < 0.5
