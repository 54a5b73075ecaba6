"""Let programs that strangers wrote do a job each against the sandbox, as they are.

Usage: clients.py FOLDER, where `.ci/clients` has installed what could be.

A program that is not there is skipped and said to be; one that fails, or whose job is not done
in the world afterwards, fails the run.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from bot.sandbox.acts import actions
from bot.sandbox.acts.actions import CommitDraft
from bot.sandbox.acts.quick_actions import run_quick_actions
from bot.sandbox.http.server import Server
from bot.sandbox.world.entities import Level, MergeRequest
from bot.sandbox.world.state import World
from tests.sandbox_client import give_token
from tests.sandbox_worlds import PROJECT, make_world, open_mr

LONGEST = 180  # seconds for one program


@dataclass(kw_only=True)
class Scene:
    """A served world with an open merge request, a token of its owner, and an empty folder."""

    world: World
    mr: MergeRequest
    url: str
    token: str
    folder: Path
    tools: Path
    said: list[str] = field(default_factory=list)

    def run(
        self, *words: str | Path, more: Mapping[str, str] | None = None, given: str = ""
    ) -> str:
        """Run a program in the folder; raise RuntimeError with what it said when it fails."""
        kept = {"PATH": os.environ["PATH"], "HOME": str(self.folder), "LANG": "C.UTF-8"}
        done = subprocess.run(  # noqa: S603  the words are ours
            [str(word) for word in words],
            cwd=self.folder,
            env={**kept, "GIT_TERMINAL_PROMPT": "0", **(more or {})},
            input=given,
            capture_output=True,
            text=True,
            timeout=LONGEST,
            check=False,
        )
        told = done.stdout + done.stderr
        self.said.append(told)
        if done.returncode:
            raise RuntimeError(f"{words[0]} ended with {done.returncode}:\n{told[-3000:]}")
        return done.stdout

    def write(self, name: str, text: str) -> Path:
        """Write a file into the folder."""
        path = self.folder / name
        path.write_text(text)
        return path

    def push(self, branch: str, message: str, files: Mapping[str, str]) -> None:
        """Push files, as the author to a branch and as the owner to main."""
        who = self.world.user("owner" if branch == "main" else "author")
        changes = {name: text.encode() for name, text in files.items()}
        draft = CommitDraft(message=message, changes=changes)
        actions.push(self.world, who, self.mr.project, branch, draft)


def demand(done: object, what: str) -> None:
    """Raise RuntimeError unless something is so."""
    if not done:
        raise RuntimeError(f"not done: {what}")


def python_gitlab(scene: Scene) -> None:
    """Comment, approve and merge with the command line of python-gitlab."""
    program = [scene.tools / "python/bin/gitlab", "--server-url", scene.url]
    program += ["--private-token", scene.token, "-o", "json"]
    at = ["--project-id", PROJECT, "--iid", "1"]
    shown = json.loads(scene.run(*program, "project-merge-request", "get", *at))
    demand(shown["title"] == "Change", "the merge request shown")
    note = ["--project-id", PROJECT, "--mr-iid", "1", "--body", "By the command line"]
    scene.run(*program, "project-merge-request-note", "create", *note)
    script = (
        "import gitlab, sys\n"
        "mr = gitlab.Gitlab(sys.argv[1], sys.argv[2]).projects.get(7).mergerequests.get(1)\n"
        "mr.approve(); mr.merge(should_remove_source_branch=True)\n"
    )
    scene.run(scene.tools / "python/bin/python", "-c", script, scene.url, scene.token)
    demand([each.body for each in scene.mr.comments] == ["By the command line"], "the comment")
    demand(scene.mr.state == "merged" and scene.mr.approvals, "approved and merged")
    demand("change" not in scene.mr.project.repository.branches, "the branch removed")


def danger(scene: Scene) -> None:
    """Judge the merge request twice with Danger JS: one comment, edited, and one on a line."""
    program = scene.tools / "node/node_modules/.bin/danger"
    ci = {
        "CI": "true",
        "GITLAB_CI": "true",
        "CI_PROJECT_PATH": PROJECT,
        "CI_MERGE_REQUEST_PROJECT_PATH": PROJECT,
        "CI_MERGE_REQUEST_IID": "1",
        "CI_API_V4_URL": f"{scene.url}/api/v4",
        "DANGER_GITLAB_HOST": scene.url,
        "DANGER_GITLAB_API_TOKEN": scene.token,
    }
    for word in ("first", "second"):
        text = f"warn('{word}: ' + danger.git.created_files.join(' '));\n"
        text += "message('Here', 'change.md', 1);\n"
        scene.write("dangerfile.js", text)
        scene.run(program, "ci", "--failOnErrors", more=ci)
    told = [note.body for note in scene.mr.comments]
    demand(len(told) == 2, f"two comments: {told}")  # noqa: PLR2004
    demand(any("second: change.md" in each for each in told), "the last words")


def gitbeaker(scene: Scene) -> None:
    """Commit, open, discuss and merge with gitbeaker."""
    modules = scene.tools / "node/node_modules/@gitbeaker/rest/dist/index.mjs"
    path = scene.write(
        "job.mjs",
        f"import {{ Gitlab }} from {json.dumps(str(modules))};\n"
        "const [host, token] = process.argv.slice(2);\n"
        "const api = new Gitlab({ host, token });\n"
        "await api.Commits.create(7, 'beaker', 'Build', [{ action: 'create',\n"
        "  filePath: 'dam.md', content: 'wood\\n' }], { startBranch: 'main' });\n"
        "const mr = await api.MergeRequests.create(7, 'beaker', 'main', 'Build a dam');\n"
        "const thread = await api.MergeRequestDiscussions.create(7, mr.iid, 'Why?');\n"
        "await api.MergeRequestDiscussions.editNote(7, mr.iid, thread.id, thread.notes[0].id,\n"
        "  { body: 'Why not?' });\n"
        "await api.MergeRequestDiscussions.resolve(7, mr.iid, thread.id, true);\n"
        "const all = await api.MergeRequests.all({ projectId: 7, state: 'opened' });\n"
        "if (all.length !== 2) throw new Error('not two merge requests');\n"
        "await api.MergeRequests.merge(7, mr.iid, { squash: true });\n",
    )
    scene.run("node", path, scene.url, scene.token)
    mr = scene.mr.project.merge_requests[2]
    demand(mr.state == "merged" and mr.squash_commit_sha, "squashed and merged")
    demand((mr.comments[0].body, mr.comments[0].resolved) == ("Why not?", True), "the thread")


def ruby_gitlab(scene: Scene) -> None:
    """List, label, comment and merge with ruby-gitlab."""
    script = (
        "require 'gitlab'\n"
        "g = Gitlab.client(endpoint: ARGV[0] + '/api/v4', private_token: ARGV[1])\n"
        "raise 'nobody' unless g.user.username == 'owner'\n"
        "mr = g.merge_requests('group/team', state: 'opened', per_page: 1).auto_paginate.first\n"
        "g.update_merge_request('group/team', mr.iid, labels: 'bug,ui')\n"
        "g.create_merge_request_note('group/team', mr.iid, 'By ruby')\n"
        "g.create_commit('group/team', 'change', 'More', [{ action: 'create',\n"
        "  file_path: 'ruby.md', content: 'x' }])\n"
        "g.create_merge_request_discussion('group/team', mr.iid, body: 'Well?')\n"
        "g.approve_merge_request('group/team', mr.iid)\n"
        "g.accept_merge_request('group/team', mr.iid, should_remove_source_branch: true)\n"
    )
    scene.run("ruby", "-e", script, scene.url, scene.token)
    demand(scene.mr.state == "merged" and len(scene.mr.labels) == 2, "merged")  # noqa: PLR2004
    demand([each.body for each in scene.mr.comments] == ["By ruby", "Well?"], "the comments")


def marge(scene: Scene) -> None:
    """Give the merge request to marge-bot, which rebases it by git and merges it."""
    world, mr = scene.world, scene.mr
    mr.project.settings.pipelines, mr.project.settings.pipelines_must_succeed = "push", True
    bot = world.user("maintainer")
    scene.push("main", "Meanwhile", {"meanwhile.md": "x\n"})
    actions.assign(world, mr.author, mr, [bot])
    before, target = mr.head_sha, mr.project.repository.branches["main"]
    token = scene.write("token", give_token(world, "maintainer"))
    program = [scene.tools / "marge/bin/marge.app", "--gitlab-url", scene.url]
    program += ["--auth-token-file", token, "--use-https", "--cli"]
    scene.run(*program, "--ci-timeout", "1min", "--add-tested")
    demand(mr.state == "merged", f"merged: {[note.body for note in mr.comments]}")
    commit = mr.project.repository.store.commits[str(mr.head_sha)]
    demand(mr.head_sha != before and commit.parents == (target,), "rebased")
    demand("Tested-by:" in commit.message, "the trailer that marge-bot adds")


def semantic_release(scene: Scene) -> None:
    """Release by the plugin of semantic-release: a tag by git, and a release by the API."""
    modules = scene.tools / "node/node_modules"
    scene.push("main", "feat: begin", {"feature.md": "x\n"})
    address = f"{scene.url}/{PROJECT}.git"
    scene.run("git", "clone", "-q", address, "team")
    plugins = ["@semantic-release/commit-analyzer", "@semantic-release/release-notes-generator"]
    ours = [*plugins, ["@semantic-release/gitlab", {"gitlabUrl": scene.url}]]
    config = {"branches": ["main"], "plugins": ours, "repositoryUrl": address}
    (scene.folder / "team/.releaserc.json").write_text(json.dumps(config))
    (scene.folder / "team/node_modules").symlink_to(modules)
    script = "cd team && exec node_modules/.bin/semantic-release --no-ci --branches main"
    scene.run("sh", "-c", script, more={"GL_TOKEN": scene.token, "GL_URL": scene.url})
    project = scene.mr.project
    demand("v1.0.0" in project.repository.tags, "the tag")
    demand("feature" in project.releases["v1.0.0"].description.lower(), "the release notes")


def renovate(scene: Scene) -> None:
    """Let renovate look in a dry run: it clones, reads, and says what it would open."""
    need = {"name": "team", "dependencies": {"is-number": "6.0.0"}}
    config = {"enabledManagers": ["npm"], "dependencyDashboard": False}
    scene.push(
        "main", "Need", {"package.json": json.dumps(need), "renovate.json": json.dumps(config)}
    )
    program = scene.tools / "renovate/node_modules/.bin/renovate"
    words = ["--platform=gitlab", f"--endpoint={scene.url}/api/v4/", f"--token={scene.token}"]
    words += ["--dry-run=full", "--onboarding=false", PROJECT]
    more = {"LOG_LEVEL": "debug", "RENOVATE_BASE_DIR": str(scene.folder / "base")}
    told = scene.run(program, *words, more=more)
    demand("Repository finished" in told and '"is-number"' in told, "the dependency found")


def release_it(scene: Scene) -> None:
    """Release with release-it: a commit, a tag and a push by git, a release by the API."""
    scene.push("main", "Begin", {"package.json": '{"name": "team", "version": "0.1.0"}\n'})
    address = scene.url.replace("//", f"//oauth2:{scene.token}@") + f"/{PROJECT}.git"
    scene.run("git", "clone", "-q", address, "team")
    program = scene.tools / "release-it/node_modules/.bin/release-it"
    words = ["1.0.0", "--ci", "--no-npm.publish", "--gitlab.release"]
    words += [f"--gitlab.origin={scene.url}", "--gitlab.secure=false"]
    more = {"GITLAB_TOKEN": scene.token}
    more |= {f"GIT_{who}_NAME": "Owner" for who in ("AUTHOR", "COMMITTER")}
    more |= {f"GIT_{who}_EMAIL": "owner@example.com" for who in ("AUTHOR", "COMMITTER")}
    scene.run("sh", "-c", 'cd team && exec "$@"', "sh", program, *words, more=more)
    project = scene.mr.project
    head = project.repository.find_commit("main")
    demand("1.0.0" in project.repository.tags and "1.0.0" in project.releases, "the release")
    demand(head and head.title == "Release 1.0.0", "the commit")


def perl(scene: Scene) -> None:
    """Plan and review with GitLab::API::v4: milestone, issue, branch, merge request, release."""
    script = (
        'my $a = GitLab::API::v4->new(url => "$ARGV[0]/api/v4", private_token => $ARGV[1]);\n'
        "my $m = $a->create_project_milestone(7, {title => '1.0'});\n"
        "$a->create_issue(7, {title => 'Plan', labels => 'a,b', milestone_id => $m->{id}});\n"
        "$a->create_issue_note(7, 1, {body => 'Soon'});\n"
        "$a->create_file(7, 'p.txt', {branch => 'perl', start_branch => 'main',\n"
        "  content => 'x', commit_message => 'Write'});\n"
        "my $r = $a->create_merge_request(7, {source_branch => 'perl', target_branch => 'main',\n"
        "  title => 'By perl'});\n"
        "die 'lost' unless @{$a->paginator('merge_requests', 7, {per_page => 1})->all} == 2;\n"
        "$a->create_merge_request_note(7, $r->{iid}, {body => 'Well?'});\n"
        "$a->accept_merge_request(7, $r->{iid});\n"
        "$a->create_tag(7, {tag_name => 'v1', ref => 'main'});\n"
        "$a->create_release(7, {tag_name => 'v1', description => 'd'});\n"
    )
    scene.run("perl", "-MGitLab::API::v4", "-e", script, scene.url, scene.token)
    project, issue = scene.mr.project, scene.mr.project.issues[1]
    named = [each.name for each in issue.labels]
    demand(named == ["a", "b"] and issue.milestone["title"] == "1.0", "the issue")
    demand(project.merge_requests[2].state == "merged" and "v1" in project.releases, "released")


JOBS: Mapping[str, tuple[str, Callable[[Scene], None]]] = {
    "python-gitlab": ("python/bin/gitlab", python_gitlab),
    "danger": ("node/node_modules/.bin/danger", danger),
    "gitbeaker": ("node/node_modules/@gitbeaker/rest", gitbeaker),
    "ruby-gitlab": ("ruby", ruby_gitlab),
    "marge-bot": ("marge/bin/marge.app", marge),
    "semantic-release": ("node/node_modules/.bin/semantic-release", semantic_release),
    "release-it": ("release-it/node_modules/.bin/release-it", release_it),
    "perl": ("perl", perl),
    "renovate": ("renovate/node_modules/.bin/renovate", renovate),
}


def _is_there(tools: Path, needed: str) -> bool:
    asked = {"ruby": ["-e", "require 'gitlab'"], "perl": ["-MGitLab::API::v4", "-e", "1"]}
    if needed in asked:
        words = [shutil.which(needed) or "", *asked[needed]]
        done = words[0] and subprocess.run(words, capture_output=True, check=False)  # noqa: S603
        return bool(done) and not done.returncode
    return (tools / needed).exists()


def play(tools: Path, job: Callable[[Scene], None]) -> str:
    """Let one program do its job in a world of its own; return what went wrong."""
    world = make_world()
    world.strict, world.quick_actions = False, run_quick_actions
    mr = open_mr(world)
    mr.project.members[world.user("owner").id].level = Level.OWNER
    with TemporaryDirectory() as folder, Server(world) as server:
        token = give_token(world, "owner")
        scene = Scene(
            world=world, mr=mr, url=server.url, token=token, folder=Path(folder), tools=tools
        )
        try:
            job(scene)
        except (RuntimeError, subprocess.TimeoutExpired, KeyError) as problem:
            lines = [str(problem), *world.violations[-20:]]
            lines += [f"{r.method} {r.path} {r.status}" for r in world.requests[-15:]]
            return "\n  ".join(lines)
    return ""


def main(folder: str, *chosen: str) -> int:
    """Let each program do its job; return 1 if one failed, or if none was there."""
    tools, failed, done, skipped = Path(folder).resolve(), 0, 0, 0
    for name, (needed, job) in JOBS.items():
        if chosen and name not in chosen:
            continue
        if not _is_there(tools, needed):
            print(f"SKIPPED {name}: it is not installed here", flush=True)
            skipped += 1
            continue
        began = time.monotonic()
        problem = play(tools, job)
        failed, done = failed + bool(problem), done + 1
        word = "FAILED " if problem else "done   "
        print(f"{word} {name} ({time.monotonic() - began:.0f} s)", problem, flush=True)
    # Not in the words of a test runner: what was skipped has not passed.
    print(f"{done - failed} did their job, {failed} failed, {skipped} were not run")
    return 1 if failed or not done else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
