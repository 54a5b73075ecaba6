"""Git over smart HTTP: a real git reads and pushes, with the rights of a token."""

import os
import shutil
import subprocess
from base64 import b64encode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.sandbox.acts import actions
from bot.sandbox.acts.actions import CommitDraft
from bot.sandbox.http.server import Server
from bot.sandbox.world.entities import MergeRequest, Protection
from bot.sandbox.world.state import World
from tests.sandbox_client import Api, give_token
from tests.sandbox_worlds import PROJECT, make_world, open_mr


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A served world with an open merge request, and a folder for clones."""

    world: World
    mr: MergeRequest
    url: str
    folder: Path

    def git(self, *words: str, fails: bool = False) -> str:
        """Run git there; return what it says."""
        names = {"PATH": os.defpath, "HOME": str(self.folder), "GIT_TERMINAL_PROMPT": "0"}
        for who in ("AUTHOR", "COMMITTER"):
            names |= {f"GIT_{who}_NAME": "x", f"GIT_{who}_EMAIL": "x@example.com"}
        done = subprocess.run(  # noqa: S603  the words are ours
            [str(shutil.which("git")), *words],
            cwd=self.folder,
            capture_output=True,
            check=False,
            text=True,
            env=names,
            timeout=60,
        )
        assert (done.returncode != 0) is fails, done.stderr
        return done.stdout + done.stderr

    def address(self, who: str | None, *scopes: str) -> str:
        """Return the address of the project for one of its people."""
        head, tail = self.url.split("//")
        user = f"oauth2:{give_token(self.world, who, *scopes)}@" if who else ""
        return f"{head}//{user}{tail}/{PROJECT}.git"

    def clone(self, who: str | None, *scopes: str) -> None:
        """Clone the project into `team`."""
        self.git("clone", "-q", self.address(who, *scopes), "team")

    def commit(self, name: str, text: str, *, amend: bool = False) -> str:
        """Commit a file; return the number."""
        (self.folder / "team" / name).write_text(text)
        self.git("-C", "team", "add", "-A")
        self.git("-C", "team", "commit", "-q", "-m", f"Write {name}", *["--amend"] * amend)
        return self.git("-C", "team", "rev-parse", "HEAD").strip()


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    """Serve a world."""
    world = make_world()
    mr = open_mr(world)
    with Server(world) as server:
        yield Scene(world=world, mr=mr, url=server.url, folder=tmp_path)


@pytest.fixture(params=["main", "ma*"])
def guarded(scene: Scene, request: pytest.FixtureRequest) -> Scene:
    """Protect the branch by its name, or by a wildcard."""
    scene.mr.project.protected_branches = [Protection(name=request.param)]
    return scene


def test_a_clone_has_the_numbers_that_the_interfaces_tell(scene: Scene) -> None:
    scene.clone(None)
    heads = scene.mr.project.repository.branches
    assert scene.git("-C", "team", "rev-parse", "HEAD").strip() == heads["main"]
    assert scene.git("-C", "team", "rev-parse", "origin/change").strip() == heads["change"]
    scene.git("-C", "team", "fsck", "--strict")
    scene.git("-C", "team", "fetch", "-q", "origin", "refs/merge-requests/1/head")
    assert scene.git("-C", "team", "rev-parse", "FETCH_HEAD").strip() == scene.mr.head_sha


def test_a_push_renews_the_merge_request(scene: Scene) -> None:
    """A push resets approvals, starts pipelines and is in the history, as one by the API."""
    settings = scene.mr.project.settings
    settings.reset_approvals_on_push, settings.pipelines = True, "push"
    actions.approve(scene.world, scene.world.user("developer"), scene.mr)
    scene.clone("author")
    scene.git("-C", "team", "checkout", "-q", "change")
    sha = scene.commit("ünïcode.md", "x\n")
    scene.git("-C", "team", "push", "-q", "origin", "change")
    assert (scene.mr.head_sha, scene.mr.approvals) == (sha, {})
    assert scene.mr.project.pipelines[-1].sha == sha
    commit = scene.mr.project.repository.store.commits[sha]
    assert scene.mr.project.repository.content(commit, "ünïcode.md") == b"x\n"
    # And what the API writes upon that is fetched.
    draft = CommitDraft(message="By the API", changes={"a/b.md": b"y\n"})
    later = actions.push(scene.world, scene.mr.author, scene.mr.project, "change", draft)
    scene.git("-C", "team", "pull", "-q", "origin", "change")
    assert scene.git("-C", "team", "rev-parse", "HEAD").strip() == later.sha


WAITING = """#!/bin/sh
case "$PATH_INFO" in */git-receive-pack) touch "{began}"; sleep 0.5;; esac
exec "{git}" "$@"
"""


def test_what_the_api_writes_during_a_push_by_git_stays(
    scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    began, program = tmp_path / "began", tmp_path / "bin" / "git"
    program.parent.mkdir()
    program.write_text(WAITING.format(began=began, git=shutil.which("git")))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.defpath}")
    scene.clone("author")
    sha = scene.commit("other.md", "x\n")
    with ThreadPoolExecutor(1) as pool:
        pushing = pool.submit(scene.git, "-C", "team", "push", "-q", "origin", "HEAD:other")
        while not began.exists() and not wait([pushing], 0.01).done:
            pass
        draft = CommitDraft(message="By the API", changes={"a.md": b"y\n"})
        later = actions.push(scene.world, scene.mr.author, scene.mr.project, "change", draft)
        pushing.result()
    branches = scene.mr.project.repository.branches
    assert (branches["other"], branches["change"]) == (sha, later.sha)


def test_a_branch_is_rewritten_made_and_deleted(scene: Scene) -> None:
    scene.clone("author")
    scene.git("-C", "team", "checkout", "-q", "change")
    sha = scene.commit("change.md", "other\n", amend=True)
    assert "non-fast-forward" in scene.git("-C", "team", "push", "origin", "change", fails=True)
    scene.git("-C", "team", "push", "-q", "--force", "origin", "change", "change:new")
    branches = scene.mr.project.repository.branches
    assert (scene.mr.head_sha, branches["new"]) == (sha, sha)
    scene.git("-C", "team", "push", "-q", "origin", ":new")
    assert "new" not in branches


def test_tags_are_pushed_and_found(scene: Scene) -> None:
    scene.clone("owner")
    scene.git("-C", "team", "tag", "light")
    scene.git("-C", "team", "tag", "-a", "-m", "One", "v1.0.0")
    scene.git("-C", "team", "push", "-q", "origin", "--tags")
    repository = scene.mr.project.repository
    assert {name: sha for name, (sha, _) in repository.tags.items()} == dict.fromkeys(
        ("light", "v1.0.0"), repository.branches["main"]
    )
    scene.git("-C", "team", "push", "-q", "origin", "main:refs/notes/x", ":light")
    assert "light" not in repository.tags
    rule = {"name": "v*", "create_access_level": 0}
    assert Api(scene.world, "owner").post("/projects/7/protected_tags", **rule).status == 201
    scene.git("-C", "team", "tag", "v2")
    told = scene.git("-C", "team", "push", "origin", "v2", fails=True)
    assert "not allowed to create this tag as it is protected" in told
    assert "refs/tags/v1.0.0^{}" in scene.git("ls-remote", scene.address(None))


@pytest.mark.parametrize(
    ("who", "scopes", "words", "problem"),
    [
        (None, (), ["change"], "could not read Username"),
        ("reporter", (), ["change"], "not allowed to push code to this project"),
        ("author", ("read_repository",), ["change"], "Access denied"),
        ("author", ("read_api",), ["change"], "Access denied"),
        ("author", (), ["main"], "protected branches"),
        ("owner", (), ["--force", "main"], "force push code to a protected branch"),
        ("owner", (), [":main"], "not allowed to delete protected branches"),
        ("author", (), ["main:refs/pipelines/1"], "cannot be updated"),
    ],
)
@pytest.mark.sample(1)
def test_a_push_is_refused_with_its_reason(
    guarded: Scene, who: str | None, scopes: tuple[str, ...], words: list[str], problem: str
) -> None:
    scene = guarded
    scene.clone(None)
    before = dict(scene.mr.project.repository.branches)
    scene.git("-C", "team", "checkout", "-q", "-B", "change", "origin/change")
    scene.git("-C", "team", "checkout", "-q", "main")
    scene.commit("README.md", "new\n", amend="--force" in words)
    told = scene.git("-C", "team", "push", scene.address(who, *scopes), *words, fails=True)
    assert problem in told
    assert scene.mr.project.repository.branches == before


@pytest.mark.parametrize(
    ("who", "scopes", "problem"),
    [
        (None, (), "could not read Username"),
        ("outsider", (), "not found"),
        ("reporter", ("read_user",), "403"),
        ("reporter", ("read_repository",), ""),
    ],
)
def test_a_private_project_is_read_by_members(
    scene: Scene, who: str | None, scopes: tuple[str, ...], problem: str
) -> None:
    scene.mr.project.visibility = "private"
    told = scene.git("ls-remote", scene.address(who, *scopes), fails=bool(problem))
    assert problem in told


def test_a_server_that_starts_again_serves_git_again(tmp_path: Path) -> None:
    world = make_world()
    server, mr = Server(world), open_mr(world)
    for _ in range(2):
        with server:
            scene = Scene(world=world, mr=mr, url=server.url, folder=tmp_path)
            assert "refs/heads/change" in scene.git("ls-remote", scene.address(None))


@pytest.mark.parametrize(
    ("credentials", "body", "status"),
    [("x", b"", 401), (None, b"zzzz", 400), (None, b"\x1f\x8bz", 400)],
)
def test_what_no_git_sends_is_refused(
    scene: Scene, credentials: str | None, body: bytes, status: int
) -> None:
    value = credentials or b64encode(f"x:{give_token(scene.world, 'author')}".encode()).decode()
    headers = {"Authorization": f"Basic {value}"}
    api = Api(scene.world)
    sent = api.send("POST", f"/{PROJECT}.git/git-receive-pack", data=body, headers=headers)
    assert sent.status == status
    api.server.stop()


@pytest.mark.sample(1)
@pytest.mark.parametrize(
    ("scheme", "credentials", "status"),
    [
        ("Basic", "author", 200),
        ("basic", "author", 200),
        ("Basic", "", 401),
        ("basic", "", 401),
        ("Digest", "", 200),
    ],
)
def test_a_reader_is_who_the_password_says(
    scene: Scene, scheme: str, credentials: str, status: int
) -> None:
    scene.mr.project.visibility = "private" if credentials else "public"
    given = f"x:{give_token(scene.world, credentials)}" if credentials else ""
    headers = {"Authorization": f"{scheme} {b64encode(given.encode()).decode() or 'password=x'}"}
    api = Api(scene.world)
    sent = api.send("GET", f"/{PROJECT}.git/info/refs?service=git-upload-pack", headers=headers)
    assert sent.status == status
    api.server.stop()


@pytest.mark.parametrize(
    "changes",
    [
        {"added.md": b"x\n", "README.md": b"  hello\n"},
        {"moved.md": b"hello\n", "README.md": None},
        {"deep/er/binary": b"a\0b", "no-end": b"x"},
    ],
)
def test_a_version_has_the_number_that_git_gives_its_patch(
    scene: Scene, changes: dict[str, bytes | None]
) -> None:
    draft = CommitDraft(message="More", changes=changes)
    actions.push(scene.world, scene.mr.author, scene.mr.project, "change", draft)
    (newest, *_) = Api(scene.world, "author").get("/projects/7/merge_requests/1/versions").body
    scene.clone("author")
    shas = newest["base_commit_sha"], newest["head_commit_sha"]
    diff = scene.git("-C", "team", "diff", "--full-index", *shas)
    (scene.folder / "diff").write_text(diff)
    git = str(shutil.which("git"))
    told = subprocess.check_output([git, "patch-id", "--stable"], input=diff, text=True)  # noqa: S603
    assert newest["patch_id_sha"] == told.split()[0]


def test_options_of_a_push_open_a_merge_request(scene: Scene) -> None:
    scene.clone("author")
    push = ["-C", "team", "push", "-o", "merge_request.create", "-o", "merge_request.target=main"]
    scene.commit("new.md", "x\n")
    hint = scene.git("-C", "team", "push", "origin", "HEAD:plain")
    assert "To create a merge request for plain, visit:" in hint
    more = ["-o", "merge_request.title=Ünïcode", "-o", "merge_request.draft", "origin", "HEAD:new"]
    told = scene.git(*push, *more)
    mr = scene.mr.project.merge_requests[2]
    assert (mr.source_branch, mr.target_branch, mr.title) == ("new", "main", "Draft: Ünïcode")
    assert "View merge request for new:" in told
    assert f"{scene.url}/{PROJECT}/-/merge_requests/2" in told
    scene.commit("more.md", "x\n")
    scene.git(*push, "-o", "merge_request.title=Other", "origin", "HEAD:new")
    assert mr.title == "Other"
    scene.git(*push, "-o", "merge_request.target=nowhere", "origin", "HEAD:third")
    assert len(scene.mr.project.merge_requests) == 2
    scene.commit("again.md", "x\n")
    labels = [word for name in ("a", "b") for word in ("-o", f"merge_request.label={name}")]
    more = [*labels, "-o", "merge_request.remove_source_branch", "-o", "merge_request.draft"]
    scene.git("-C", "team", "push", *more, "origin", "HEAD:new")
    assert ([each.name for each in mr.labels], mr.title) == (["a", "b"], "Draft: Other")
    assert mr.force_remove_source_branch
    scene.commit("last.md", "x\n")
    scene.git("-C", "team", "push", "-o", "merge_request.unlabel=a", "origin", "HEAD:new")
    assert ([each.name for each in mr.labels], mr.title) == (["b"], "Draft: Other")


def test_a_push_to_a_fork_opens_a_merge_request_in_the_project_above(scene: Scene) -> None:
    author, above = scene.world.user("author"), scene.mr.project
    fork = actions.fork_project(scene.world, author, above)
    scene.git("clone", "-q", scene.address("author"), "team")
    there = scene.address("author").replace(PROJECT, fork.path_with_namespace)
    scene.commit("new.md", "x\n")
    push = ["-C", "team", "push", "-o", "merge_request.create", there, "HEAD:new"]
    assert f"{scene.url}/{PROJECT}/-/merge_requests/2" in scene.git(*push)
    mr = above.merge_requests[2]
    assert (mr.source_project, mr.source_branch, fork.merge_requests) == (fork, "new", {})
    scene.commit("more.md", "x\n")
    told = scene.git("-C", "team", "push", there, "HEAD:new")
    assert f"{scene.url}/{PROJECT}/-/merge_requests/2" in told
