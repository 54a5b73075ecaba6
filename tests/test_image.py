"""What a job starts from: the image that holds the bot, or the wheelhouse in its place."""

import hashlib
import io
import re
import subprocess
import threading
import zipfile
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
import yaml

from bot.sandbox.ci.ci_file import select_jobs
from bot.sandbox.world.shipped import ci_definition
from tests.test_components import BOT, fill, run_lines

ROOT = Path(__file__).parents[1]
ADA, BOB = "ada-1.0-py3-none-any.whl", "bob_by-2.0-py3-none-any.whl"
PAUSE = 0.01  # seconds between two looks whether to stop
PINNED = re.compile(r"docker\.io/library/python:3\.1\d-slim@sha256:[0-9a-f]{64}")


# --- the image -------------------------------------------------------------------------------


def read_containerfile() -> list[tuple[str, str]]:
    """Return the instructions, each as its word and the rest."""
    lines = (ROOT / "Containerfile").read_text("utf-8").splitlines()
    text = "\n".join(line for line in lines if not line.startswith("#"))
    whole = re.sub(r"\\\n\s*", "", text)
    return [
        (word, rest)
        for word, _, rest in (line.partition(" ") for line in whole.splitlines() if line)
    ]


def test_the_base_is_pinned_once_for_the_image_and_the_jobs() -> None:
    instructions = read_containerfile()
    (base,) = [rest for word, rest in instructions if word == "ARG"]
    assert PINNED.fullmatch(base.removeprefix("BASE="))
    assert [rest for word, rest in instructions if word == "FROM"] == [
        "${BASE} AS build",
        "${BASE}",
    ]
    own = yaml.safe_load(ci_definition())
    assert own["variables"]["BOT_IMAGE"] == base.removeprefix("BASE=")
    assert own["wheelhouse"]["image"] == own["check"]["image"] == base.removeprefix("BASE=")


def test_what_the_image_copies_is_there() -> None:
    copied = [rest.split() for word, rest in read_containerfile() if word == "COPY"]
    names = [name for words in copied if not words[0].startswith("--") for name in words[:-1]]
    assert {"bot", "templates", "requirements.txt"} <= set(names)
    assert all((ROOT / name).exists() for name in names)


def test_the_image_installs_nothing_but_what_is_locked() -> None:
    runs = [rest for word, rest in read_containerfile() if word == "RUN"]
    pips = [
        part
        for run in runs
        for part in run.split("&&")
        if re.search(r"\bpip\b.* (download|install|wheel) ", part)
    ]
    assert len(pips) == 4
    for line in pips:
        assert "--no-index" in line or {"--require-hashes", "--no-deps"} <= set(line.split()), line
    assert not any(re.search(r"\b(curl|wget|apt-get|apk)\b", run) for run in runs)
    assert not any(word == "ADD" for word, _ in read_containerfile())


def test_the_image_runs_the_bot_as_nobody_with_all_byte_code() -> None:
    instructions = read_containerfile()
    last = max(number for number, (word, _) in enumerate(instructions) if word == "FROM")
    final = instructions[last:]
    assert [rest for word, rest in final if word == "ENTRYPOINT"] == ['["nomination-bot"]']
    (user,) = [rest for word, rest in final if word == "USER"]
    assert int(user.partition(":")[0]) > 0
    assert [word for word, _ in final].index("USER") > [word for word, _ in final].index("RUN")
    compiled = [rest for word, rest in instructions if word == "RUN" and "compileall" in rest]
    assert any("/opt/bot" in run for run in compiled)
    assert any('get_path("stdlib")' in run for word, run in final if word == "RUN")


@pytest.mark.parametrize(
    ("given", "built"),
    [
        ({"CI_COMMIT_BRANCH": "main", "CI_REGISTRY_IMAGE": "r/x"}, True),
        ({"CI_COMMIT_BRANCH": "main"}, False),
        ({"CI_COMMIT_TAG": "v1", "CI_REGISTRY_IMAGE": "r/x"}, True),
        (
            {
                "CI_COMMIT_BRANCH": "main",
                "CI_REGISTRY_IMAGE": "r/x",
                "CI_PIPELINE_SOURCE": "trigger",
            },
            False,
        ),
        (
            {"CI_COMMIT_TAG": "v1", "CI_REGISTRY_IMAGE": "r/x", "CI_PIPELINE_SOURCE": "schedule"},
            False,
        ),
    ],
)
def test_the_image_is_built_on_the_default_branch_and_on_tags(
    given: Mapping[str, str], built: bool
) -> None:
    variables = {"CI_DEFAULT_BRANCH": "main", "CI_PIPELINE_SOURCE": "push"} | dict(given)
    names = {job.name for job in select_jobs(ci_definition() + KEEPS_ONE, variables)}
    assert ("build-image" in names) == built


KEEPS_ONE = "\nany: {script: ['true']}\n"  # GitLab refuses a pipeline without jobs


def test_the_jobs_take_the_image_and_the_runner_gets_a_shell_in_it() -> None:
    own = yaml.safe_load(ci_definition())
    jobs = fill(BOT, package="https://gitlab.example.com/a.tar.gz", image="r/x@sha256:1")
    for name in ("nominate", "sweep"):
        assert own[name]["image"] == {"name": "$BOT_IMAGE", "entrypoint": [""]}
    for job in jobs.values():
        assert job["image"] == {"name": "r/x@sha256:1", "entrypoint": [""]}


# --- the wheelhouse --------------------------------------------------------------------------


def make_wheel(name: str, extra: Mapping[str, str] = {}) -> bytes:
    """Make a wheel of one module."""
    content = io.BytesIO()
    module = name.partition("-")[0]
    with zipfile.ZipFile(content, "w") as files:
        for path, text in {f"{module}/__init__.py": "WORD = 'there'\n", **extra}.items():
            files.writestr(path, text)
    return content.getvalue()


def make_archive(wheels: Mapping[str, bytes]) -> bytes:
    """Pack wheels as the pipeline does."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, wheel in wheels.items():
            archive.writestr(name, wheel)
    return content.getvalue()


class Packages(HTTPServer):
    """A GitLab that keeps one generic package."""

    content: bytes | None = None
    elsewhere = ""  # where its files lie, if not here
    asked: tuple[str, str, str | None] = ("", "", None)


class Handler(BaseHTTPRequestHandler):
    """Answers as GitLab's generic packages do (doc/user/packages/generic_packages)."""

    server: Packages

    def do_GET(self) -> None:
        """Send what is kept, or say where it is."""
        self._note()
        if self.server.elsewhere:
            self.send_response(302)
            self.send_header("Location", self.server.elsewhere)
            self.end_headers()
            return
        self.send_response(404 if self.server.content is None else 200)
        self.end_headers()
        self.wfile.write(self.server.content or b"{}")

    def do_PUT(self) -> None:
        """Keep it."""
        self._note()
        self.server.content = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(201)
        self.end_headers()

    def _note(self) -> None:
        self.server.asked = (self.command, self.path, self.headers["JOB-TOKEN"])

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def packages() -> Iterator[Packages]:
    """Serve packages on loopback."""
    with Packages(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(PAUSE,), daemon=True).start()
        yield server
        server.shutdown()


class Job:
    """A checkout whose lock names two packages, and a bot that needs them."""

    def __init__(self, folder: Path, packages: Packages) -> None:
        """Write the checkout."""
        self.folder = folder / "project"
        self._temporary = folder / "temporary"
        self._temporary.mkdir()
        self.wheels = {ADA: make_wheel(ADA), BOB: make_wheel(BOB)}
        self._url = f"http://127.0.0.1:{packages.server_port}/api/v4"
        (self.folder / ".ci").mkdir(parents=True)
        (self.folder / "bot").mkdir()
        (self.folder / "bot" / "__main__.py").write_text(
            "import sys, ada, bob_by\nprint('ran:', *sys.argv[1:], ada.WORD)\n"
        )
        script = ROOT / ".ci" / "wheelhouse.py"
        (self.folder / ".ci" / "wheelhouse.py").write_bytes(script.read_bytes())
        self.lock()

    def lock(self) -> None:
        """Write the hashes of the wheels as they are now into the lock."""
        lines = [
            f"{name.partition('-')[0].replace('_', '-')}==1 \\\n"
            f"    --hash=sha256:{'0' * 64} \\\n"
            f"    --hash=sha256:{hashlib.sha256(wheel).hexdigest()}\n    # via x\n"
            for name, wheel in self.wheels.items()
        ]
        (self.folder / "requirements.txt").write_text("".join(lines))

    def run(self, lines: list[str]) -> subprocess.CompletedProcess[str]:
        """Run lines as the runner does; pip only says that it was called."""
        return run_lines(
            ["pip() { echo pip; }", *lines],
            self.folder,
            {
                "CI_API_V4_URL": self._url,
                "CI_PROJECT_ID": "7",
                "CI_JOB_TOKEN": "job-secret",
                "TMPDIR": str(self._temporary),
            },
        )

    def sweep(self) -> subprocess.CompletedProcess[str]:
        """Run the job of the sweep, which installs and runs."""
        (job,) = select_jobs(ci_definition(), {"CI_PIPELINE_SOURCE": "schedule"})
        return self.run(list(job.script))

    @property
    def unpacked(self) -> list[Path]:
        """All files that were written for the job, wherever in its folders."""
        return [path for path in self._temporary.rglob("*") if path.is_file()]


@pytest.fixture
def job(tmp_path: Path, packages: Packages) -> Job:
    """Make a job."""
    return Job(tmp_path, packages)


def test_the_bot_runs_from_the_wheelhouse_without_an_install(job: Job, packages: Packages) -> None:
    packages.content = make_archive(job.wheels)
    done = job.sweep()
    assert (done.returncode, done.stdout, done.stderr) == (0, "ran: sweep there\n", "")
    method, path, token = packages.asked
    assert re.fullmatch(
        r"/api/v4/projects/7/packages/generic/wheelhouse/[0-9a-f]{64}/wheels-3\.\d+\.zip", path
    )
    assert (method, token) == ("GET", "job-secret")


def test_the_token_stays_with_gitlab_where_the_files_lie_elsewhere(
    job: Job, packages: Packages
) -> None:
    with Packages(("127.0.0.1", 0), Handler) as store:
        threading.Thread(target=store.serve_forever, args=(PAUSE,), daemon=True).start()
        store.content = make_archive(job.wheels)
        packages.elsewhere = f"http://127.0.0.1:{store.server_port}/file?signature=1"
        assert job.sweep().stdout == "ran: sweep there\n"
        store.shutdown()
    assert packages.asked[2] == "job-secret"
    assert store.asked == ("GET", "/file?signature=1", None)


def test_what_the_pipeline_sends_is_what_the_job_fetches(job: Job, packages: Packages) -> None:
    wheels = job.folder / "wheels"
    wheels.mkdir()
    for name, wheel in job.wheels.items():
        (wheels / name).write_bytes(wheel)
    sent = job.run(["python3 -IS .ci/wheelhouse.py send wheels"])
    assert (sent.returncode, packages.asked[0]) == (0, "PUT")
    assert job.sweep().stdout == "ran: sweep there\n"


SPOILT: dict[str, Callable[[dict[str, bytes]], bytes | None]] = {
    "nothing is kept": lambda _: None,
    "no archive": lambda _: b"<html>",
    "empty": lambda _: make_archive({}),
    "one is missing": lambda wheels: make_archive({ADA: wheels[ADA]}),
    "another content": lambda wheels: make_archive(wheels | {BOB: make_wheel(BOB, {"x.py": ""})}),
    "one more": lambda wheels: make_archive(wheels | {"eve-1-py3-none-any.whl": wheels[ADA]}),
    "under another name": lambda wheels: make_archive({ADA: wheels[BOB], BOB: wheels[ADA]}),
    "outside of the folder": lambda wheels: make_archive(wheels | {"../project/bot/x.py": b""}),
    "cut": lambda wheels: make_archive(wheels)[:-9],
}


@pytest.mark.sample(1)
@pytest.mark.parametrize("spoil", SPOILT.values(), ids=SPOILT)
def test_an_archive_that_is_not_what_is_locked_is_left_alone(
    job: Job, packages: Packages, spoil: Callable[[dict[str, bytes]], bytes | None]
) -> None:
    packages.content = spoil(job.wheels)
    (job.folder / "nomination-bot").write_text("#!/bin/sh\necho ran by pip: $*\n")
    (job.folder / "nomination-bot").chmod(0o755)
    (found,) = select_jobs(ci_definition(), {"CI_PIPELINE_SOURCE": "schedule"})
    install, run = found.script
    done = job.run([install, "PATH=$PWD:$PATH", run])
    assert done.returncode == 0
    assert done.stdout == "pip\npip\nran by pip: sweep\n"
    assert done.stderr.startswith("No wheelhouse: ")
    assert "job-secret" not in done.stderr
    assert job.unpacked == []


def test_a_wheel_that_needs_an_installer_is_left_to_pip(job: Job, packages: Packages) -> None:
    job.wheels[BOB] = make_wheel(BOB, {"bob_by-2.0.data/scripts/x": ""})
    job.lock()
    packages.content = make_archive(job.wheels)
    done = job.run(
        list(select_jobs(ci_definition(), {"CI_PIPELINE_SOURCE": "schedule"})[0].script[:1])
    )
    assert done.stdout == "pip\npip\n"
    assert job.unpacked == []
