"""Make a release in a local runner, against the sandbox, and build the pages in one.

Usage: releasing.py, with gitlab-ci-local on the PATH and the package index within reach.

A clone gets the tag of its version and is pushed to the sandbox. The jobs `package` and `release`
then run as `.gitlab-ci.yml` has them. What GitLab adds to a job for the keyword `release`, a call
of `glab`, is added here; a stand-in for that program sends what `glab` sends. Afterwards the
release must be there, and hold what it promises. The job `site` must make the pages.
"""

import json
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from bot.sandbox.scenarios import EMPTY
from bot.sandbox.story.running import Sandbox
from bot.sandbox.world.entities import Release, Token

ROOT = Path(__file__).parents[1]
LONGEST = 600
HOST = "gitlab-org/nomination-bot"
CI_FILE = ".gitlab-ci.yml"
ARTIFACTS = Path(".gitlab-ci-local", "artifacts")  # where the runner keeps them
JOB_TOKEN = "glcbt-of-the-release-job"  # noqa: S105  made up
# lib/gitlab/ci/build/releaser.rb: how GitLab has the keyword done where there is `glab`.
LOGIN = 'glab auth login --job-token "$CI_JOB_TOKEN" --hostname "$CI_SERVER_FQDN"'
CREATE = (
    'GITLAB_HOST="$CI_SERVER_URL" glab release create -R "$CI_PROJECT_PATH" "{tag}"'
    " --assets-links {links}"
    ' --experimental-notes-text-or-file "{description}" --ref "$CI_COMMIT_SHA"'
    " --no-update --no-close-milestone"
)
# gitlab-org/cli, internal/commands/release/create: it looks, makes the release, then its links.
GLAB = """#!{python}
import argparse, json, os, pathlib, urllib.error, urllib.parse, urllib.request

parser = argparse.ArgumentParser(prog="glab")
commands = parser.add_subparsers(dest="command", required=True)
login = commands.add_parser("auth").add_subparsers(required=True).add_parser("login")
for name in ("--job-token", "--hostname"):
    login.add_argument(name, required=True)
create = commands.add_parser("release").add_subparsers(required=True).add_parser("create")
create.add_argument("tag")
create.add_argument("-R", dest="project")
for name in ("--assets-links", "--experimental-notes-text-or-file", "--ref"):
    create.add_argument(name, dest=name.strip("-").replace("-", "_"))
for name in ("--no-update", "--no-close-milestone"):
    create.add_argument(name, action="store_true")
given = parser.parse_args()
kept = pathlib.Path.home() / "job-token"
if given.command == "auth":
    kept.write_text(given.job_token)
    raise SystemExit
releases = "{{}}/api/v4/projects/{{}}/releases".format(
    os.environ["GITLAB_HOST"], urllib.parse.quote(given.project, safe="")
)


def ask(path, body=None):
    headers = {{"JOB-TOKEN": kept.read_text(), "Content-Type": "application/json"}}
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(releases + path, data, headers)) as answer:
        return json.load(answer)


try:
    ask("/" + given.tag)
    raise SystemExit("release exists and --no-update flag was specified")
except urllib.error.HTTPError as error:
    if error.code not in (403, 404):
        raise
notes = given.experimental_notes_text_or_file
if " " not in notes and pathlib.Path(notes).is_file():
    notes = pathlib.Path(notes).read_text()
made = {{"name": given.tag, "tag_name": given.tag, "description": notes, "ref": given.ref}}
ask("", made)
for link in json.loads(given.assets_links):
    ask("/" + given.tag + "/assets/links", link)
print("Release created:", given.tag)
"""


def run(*words: str | Path, cwd: Path, env: Mapping[str, str] | None = None) -> str:
    """Run a program; end everything with what it said where it fails."""
    done = subprocess.run(  # noqa: S603  the words are ours
        [str(word) for word in words],
        cwd=cwd, env=env, capture_output=True, text=True, timeout=LONGEST, check=False,
    )  # fmt: skip
    if done.returncode:
        sys.exit(f"{words[0]} ended with {done.returncode}:\n{(done.stdout + done.stderr)[-4000:]}")
    return done.stdout


def make_checkout(folder: Path, version: str) -> None:
    """Copy the tracked files as they are, let the changelog tell of the version, and tag it."""
    run("git", "init", "--quiet", "--initial-branch=main", folder, cwd=ROOT)
    tracked = run("git", "ls-files", "-z", cwd=ROOT).split("\0")
    for name in filter(None, tracked):
        if (ROOT / name).is_file():
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes((ROOT / name).read_bytes())
            target.chmod((ROOT / name).stat().st_mode)
    changelog = folder / "CHANGELOG.md"
    changelog.write_text(
        changelog.read_text().replace(f"## {version} (unreleased)", f"## {version}")
    )
    add_keyword(folder / CI_FILE)
    run("git", "remote", "add", "origin", f"https://gitlab.example.com/{HOST}.git", cwd=folder)
    run("git", "add", "--all", cwd=folder)
    who = ("-c", "user.name=a", "-c", "user.email=a@example.com")
    run("git", *who, "commit", "--quiet", "-m", f"Release {version}", cwd=folder)
    run("git", "tag", version, cwd=folder)


def add_keyword(path: Path) -> None:
    """Add to the script what GitLab adds for the keyword `release` of that job."""
    written: dict[str, Any] = yaml.safe_load(path.read_text())
    keyword = written["release"]["release"]
    # GitLab writes the links as JSON within JSON, which is a text in quotes for the shell.
    links = json.dumps(json.dumps(keyword["assets"]["links"]))
    create = CREATE.format(tag=keyword["tag_name"], description=keyword["description"], links=links)
    written["release"]["script"] += [LOGIN, create]
    path.write_text(yaml.safe_dump(written, sort_keys=False))


def play(checkout: Path, programs: Path, variables: Mapping[str, str], *jobs: str) -> str:
    """Run jobs in a shell, with the variables that a pipeline would have."""
    given = [part for item in variables.items() for part in ("--variable", "=".join(item))]
    kept = ("HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")
    pip = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
    environment = {
        **pip,
        **{name: os.environ[name] for name in kept if name in os.environ},
        "PATH": f"{programs}:{os.environ['PATH']}",
        "HOME": str(checkout.parent),
    }
    predefined = ",".join(name for name in variables if name.startswith("CI_"))
    return run(
        "gitlab-ci-local", *jobs, "--force-shell-executor", "--ignore-predefined-vars", predefined,
        *given, cwd=checkout, env=environment,
    )  # fmt: skip


def demand(held: object, what: str) -> None:
    """End everything where something does not hold."""
    if not held:
        sys.exit(f"not as it must be: {what}")


def check_release(release: Release, checkout: Path, home: str) -> None:
    """Look at what was made: the notes, the wheel, the parts and their licences."""
    version = release.tag
    notes = (checkout / "CHANGELOG.md").read_text().split(f"## {version}\n")[1]
    section = re.split(r"^## ", notes, flags=re.MULTILINE)[0].strip()
    demand(section and release.description.strip() == section, "the notes of the release")
    page = f"{home}/-/jobs/artifacts/{version}/browse/dist?job=package"
    demand([each["url"] for each in release.links] == [page], f"the links {release.links}")
    dist = checkout / ARTIFACTS / "package" / "dist"
    wheel = next(dist.glob(f"*-{version}-*.whl"))
    with zipfile.ZipFile(wheel) as archive:
        demand("bot/__main__.py" in archive.namelist(), wheel.name)
    parts = json.loads((dist / "sbom.cdx.json").read_text())
    demand(parts["metadata"]["component"]["version"] == version, "the version in the SBOM")
    locked = (checkout / "requirements.txt").read_text()
    named = {
        (name.casefold(), number)
        for name, number in re.findall(r"^([\w.-]+)==(\S+)", locked, re.MULTILINE)
    }
    found = {(each["name"].casefold(), each["version"]) for each in parts["components"]}
    demand(named == found, f"the SBOM is not the lock: {named ^ found}")
    licences = (dist / "licences.md").read_text().casefold()
    demand(all(f"| {name} | {number} |" in licences for name, number in named), "the licences")
    print(f"the release {version} holds {wheel.name} and {len(found)} packages with licences")


def check_pages(checkout: Path) -> None:
    """Look at the pages, and at the schemas that others point to."""
    pages = checkout / ARTIFACTS / "site" / "public" / "docs"
    demand("Nomination bot" in (pages / "index.html").read_text(), "the first page")
    demand((pages / "schemas" / "policy.schema.json").is_file(), "the schema of policies")
    print(f"the job `site` made {len(list(pages.rglob('*.html')))} pages")


def make_programs(work: Path) -> Path:
    """Make an environment of Python for the jobs, with the stand-in for `glab` in it."""
    run(sys.executable, "-m", "venv", work / "venv", cwd=work)
    programs = work / "venv" / "bin"
    (programs / "glab").write_text(GLAB.format(python=programs / "python3"))
    (programs / "glab").chmod(0o700)
    return programs


def main() -> None:
    """Play the jobs, and check what they leave."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    with TemporaryDirectory() as name, Sandbox(EMPTY) as sandbox:
        work, world = Path(name), sandbox.world
        checkout, programs = work / "checkout", make_programs(work)
        make_checkout(checkout, version)
        operator = world.user("operator1")
        world.tokens.append(Token(id=900, value=JOB_TOKEN, user=operator, kind="job"))
        origin = sandbox.url.replace("://", "://x:glpat-sandbox-operator@")
        run("git", "push", "--quiet", f"{origin}/{HOST}.git", version, cwd=checkout)
        common = {
            "CI_PROJECT_PATH": HOST,
            "CI_PROJECT_URL": f"{sandbox.url}/{HOST}",
            "CI_SERVER_URL": sandbox.url,
            "CI_SERVER_FQDN": sandbox.url.partition("://")[2],
            "CI_DEFAULT_BRANCH": "main",
            "CI_COMMIT_BRANCH": "",  # a tag has none; the runner would take that of the clone
            "CI_REGISTRY_IMAGE": "",
        }
        tagged = common | {"CI_PIPELINE_SOURCE": "push", "CI_COMMIT_TAG": version}
        play(checkout, programs, tagged, "package")
        play(checkout, programs, tagged | {"CI_JOB_TOKEN": JOB_TOKEN}, "release")
        release = world.project(HOST).releases[version]
        check_release(release, checkout, common["CI_PROJECT_URL"])
        asked = common | {"CI_PIPELINE_SOURCE": "schedule", "NOMINATION_BOARD": "true"}
        play(checkout, programs, asked, "site")
        check_pages(checkout)


if __name__ == "__main__":
    main()
