"""The sandbox's pages show what GitLab would, escape all foreign text, and act with rights."""

import json
import re
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from werkzeug.test import Client, TestResponse

from bot.sandbox.acts import actions
from bot.sandbox.acts.actions import NoteDraft, StatusDraft
from bot.sandbox.acts.quick_actions import run_quick_actions
from bot.sandbox.ci.jobs import Runner
from bot.sandbox.pages.app import Pages
from bot.sandbox.story.serve import serve
from bot.sandbox.world.entities import (
    Group,
    Level,
    Member,
    MergeRequest,
    ProjectSettings,
    StatusCheck,
)
from bot.sandbox.world.shipped import CI_FILE
from bot.sandbox.world.state import TriggerCall, World
from tests.sandbox_worlds import NOW, OUTSIDER, PROJECT, make_world, open_mr

EVIL = "<script>alert(1)</script>"
JOB = b"""
answer:
  rules: [{if: $CI_PIPELINE_SOURCE == "trigger"}]
  script: ["echo '<b>bold</b>'"]
"""


@dataclass(slots=True)
class Site:
    """The pages over a small world with one merge request."""

    world: World
    mr: MergeRequest
    runner: Runner
    client: Client

    def text(self, path: str) -> str:
        """Read a page that must exist."""
        response = self.client.get(path)
        assert response.status_code == 200
        return response.get_data(as_text=True)

    @property
    def page(self) -> str:
        """The merge request's page."""
        return self.text(self.url)

    @property
    def url(self) -> str:
        """The address of the merge request."""
        return f"/{PROJECT}/-/merge_requests/{self.mr.iid}"

    def post(self, path: str, form: Mapping[str, str]) -> TestResponse:
        """Send a form."""
        return self.client.post(path, data=form)


@pytest.fixture
def site() -> Iterator[Site]:
    """Build the pages; the runner's jobs print HTML."""
    world = make_world({"README.md": b"hello\n", "list.json": b'{"a": 1}\n', CI_FILE: JOB})
    world.quick_actions = run_quick_actions
    group = world.add_group(Group(id=1, full_path="group/owners", name="Owners", created_at=NOW))
    owner = world.user("owner")
    group.members[owner.id] = Member(user=owner, level=Level.OWNER, created_at=NOW)
    runner = Runner(world, {})
    yield Site(world, open_mr(world), runner, Client(Pages(world, runner)))
    runner.close()


def say(site: Site, body: str, by: str = "developer", *, internal: bool = False) -> None:
    """Write a note as a person."""
    draft = NoteDraft(body=body, internal=internal)
    actions.create_note(site.world, site.world.user(by), site.mr, draft)


def test_a_comment_is_rendered_as_markdown(site: Site) -> None:
    say(site, "| a |\n|---|\n| @owner |\n\n<details><summary>more</summary>x</details>")
    assert "<table>" in site.page
    assert '<a href="/owner" class="ref ref-mention">@owner</a>' in site.page
    assert "<details><summary>more</summary>x</details>" in site.page


def test_foreign_text_is_escaped_everywhere(site: Site) -> None:
    site.mr.title = site.mr.description = site.mr.source_branch = EVIL
    site.world.user("developer").name = EVIL
    say(site, EVIL + " text")
    update = actions.MergeRequestUpdate(labels=(EVIL,))
    actions.update_merge_request(site.world, site.world.user("author"), site.mr, update)
    draft = StatusDraft(state="failed", name=EVIL, description=EVIL)
    maintainer = site.world.user("maintainer")
    actions.set_commit_status(site.world, maintainer, site.mr.project, str(site.mr.head_sha), draft)
    for path in ("/", site.url, f"/{PROJECT}/-/merge_requests"):
        assert "<script>alert" not in site.text(path)


def test_nothing_may_come_from_elsewhere(site: Site) -> None:
    response = site.client.get(site.url)
    policy = response.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    assert not re.search(r'(?:src|href)="(?:https?:)?//', response.get_data(as_text=True))
    for asset in ("style.css", "page.js", "icon.svg"):
        assert site.text(f"/-/sandbox/assets/{asset}")


def test_the_gate_is_shown_with_its_words(site: Site) -> None:
    draft = StatusDraft(state="failed", name="nomination-bot", description="2 of 5 reviews")
    actions.set_commit_status(
        site.world, site.world.user("maintainer"), site.mr.project, str(site.mr.head_sha), draft
    )
    gates = site.page.partition("Merge checks")[2].partition("Activity")[0]
    assert "nomination-bot" in gates
    assert "state-failed" in gates
    assert "2 of 5 reviews" in gates
    assert "Ready to merge" in gates


def test_an_external_check_is_shown(site: Site) -> None:
    site.mr.project.settings = ProjectSettings(tier="ultimate", checks_must_succeed=True)
    site.mr.project.status_checks.append(StatusCheck(id=1, name="bot check", external_url="/x"))
    assert "bot check" in site.page
    assert "Status checks must pass" in site.page


def test_people_labels_and_reactions_are_shown(site: Site) -> None:
    people = (site.world.user("owner"),)
    update = actions.MergeRequestUpdate(assignees=people, reviewers=people, labels=("bug",))
    author = site.world.user("author")
    actions.update_merge_request(site.world, author, site.mr, update)
    actions.approve(site.world, site.world.user("maintainer"), site.mr)
    say(site, "hello")
    actions.award_emoji(site.world, author, site.mr, "tada", site.mr.comments[-1])
    side = site.page.partition("<aside")[2].partition("</aside>")[0]
    assert re.findall(r"@\w+", side) == ["@owner", "@owner", "@maintainer"]
    assert "<li>bug</li>" in side
    assert "🎉" in site.page
    assert "requested review from" in site.page


def test_internal_notes_are_not_shown(site: Site) -> None:
    say(site, "only for us", internal=True)
    assert "only for us" not in site.page


def test_edits_and_merges_are_told(site: Site) -> None:
    say(site, "before")
    note = site.mr.comments[-1]
    actions.edit_note(site.world, note.author, site.mr, note, "after")
    assert "edited 2 Feb 2026" in site.page
    actions.merge(site.world, site.world.user("maintainer"), site.mr)
    assert "Merged 2 Feb 2026" in site.page


def test_anybody_can_be_chosen_to_write_but_bots(site: Site) -> None:
    site.world.user("reporter").bot = True
    names = set(re.findall(r'<option value="(\w+)"', site.page))
    assert names == {"owner", "maintainer", "developer", "author", OUTSIDER}


def test_a_comment_is_written_as_the_person_chosen(site: Site) -> None:
    form = {"as": "reporter", "text": "/nomination recheck\r\nplease"}
    response = site.post(f"{site.url}/notes", form)
    assert response.status_code == 303
    note = site.mr.comments[-1]
    assert (note.author.username, note.body) == ("reporter", "/nomination recheck\nplease")
    assert response.location == f"{site.url}?as=reporter#note_{note.id}"
    assert '<option value="reporter" selected>' in site.text(response.location)


def test_quick_actions_in_the_box_work_and_leave_no_comment(site: Site) -> None:
    response = site.post(f"{site.url}/notes", {"as": "author", "text": "/assign @owner"})
    assert response.location == f"{site.url}?as=author"
    assert [each.username for each in site.mr.assignees] == ["owner"]


@pytest.mark.parametrize(
    ("button", "by", "other", "holds"),
    [
        ("approve", "maintainer", "", lambda mr: len(mr.approvals) == 1),
        ("merge", "maintainer", "", lambda mr: mr.state == "merged"),
        ("close", "author", "", lambda mr: mr.state == "closed"),
        ("reopen", "author", "", lambda mr: mr.state == "opened"),
        ("assign", "author", "owner", lambda mr: len(mr.assignees) == 1),
        ("unassign", "author", "owner", lambda mr: mr.assignees == []),
        ("request_review", "author", "owner", lambda mr: len(mr.reviewers) == 1),
    ],
)
def test_buttons_act(site: Site, button: str, by: str, other: str, holds: object) -> None:
    form = {"as": by, "button": button, "person": other}
    assert site.post(f"{site.url}/acts", form).status_code == 303
    assert callable(holds)
    assert holds(site.mr)


def test_an_approval_can_be_withdrawn(site: Site) -> None:
    for button in ("approve", "unapprove"):
        site.post(f"{site.url}/acts", {"as": "maintainer", "button": button})
    assert site.mr.approvals == []


@pytest.mark.parametrize(
    ("form", "status", "words"),
    [
        ({"as": "nobody", "button": "merge"}, 400, "Choose a person to act as."),
        ({"as": "author", "button": "explode"}, 400, "There is no such button."),
        ({"as": "author", "button": "assign"}, 400, "Choose a person."),
        ({"as": OUTSIDER, "button": "merge"}, 401, "401 Unauthorized"),
    ],
)
def test_a_refusal_is_said_in_words(
    site: Site, form: Mapping[str, str], status: int, words: str
) -> None:
    response = site.post(f"{site.url}/acts", form)
    assert response.status_code == status
    assert words in response.get_data(as_text=True)


def test_other_sites_cannot_post(site: Site) -> None:
    form = {"as": "author", "text": "hello"}
    for origin, status in (("http://evil.test", 403), ("http://localhost", 303)):
        response = site.client.post(f"{site.url}/notes", data=form, headers={"Origin": origin})
        assert response.status_code == status
    assert len(site.mr.comments) == 1


def test_the_pulse_changes_with_what_the_page_shows(site: Site) -> None:
    first = json.loads(site.text(f"{site.url}/pulse"))
    assert first == {"pulse": json.loads(site.text(f"{site.url}/pulse"))["pulse"], "busy": False}
    say(site, "hello")
    site.runner.activity.begin()
    second = json.loads(site.text(f"{site.url}/pulse"))
    site.runner.activity.end()
    assert second["pulse"] != first["pulse"]
    assert second["busy"]
    assert f'data-pulse="{second["pulse"]}"' in site.page


def run_job(site: Site, payload: Mapping[str, object]) -> int:
    """Run a job for a payload, and return its number."""
    project = site.world.project(PROJECT)
    call = TriggerCall(project=project, ref="main", trigger=project.triggers[0], payload=payload)
    site.runner.trigger(site.world, call)
    assert site.runner.activity.wait(10)
    return site.runner.runs[-1].job.id


def test_jobs_of_this_merge_request_and_their_logs_are_shown(site: Site) -> None:
    mine = run_job(site, {"merge_request": {"id": site.mr.id}})
    other = run_job(site, {"object_attributes": {"id": site.mr.id + 1}})
    empty = run_job(site, {})
    jobs = f"/{PROJECT}/-/jobs"
    assert f"{jobs}/{mine}" in site.page
    assert f"{jobs}/{other}" not in site.page
    assert f"{jobs}/{empty}" in site.text("/")
    assert "&lt;b&gt;bold&lt;/b&gt;" in site.text(f"{jobs}/{mine}")


def test_a_group_shows_members_and_its_owner_can_add_some(site: Site) -> None:
    path = "/groups/group/owners/-/group_members"
    assert "@owner" in site.text(path)
    assert site.post(path, {"as": "owner", "person": "author"}).status_code == 303
    assert "@author" in site.text(path)
    assert site.post(path, {"as": "author", "person": "developer"}).status_code == 403


@pytest.mark.parametrize("page", ["blob", "edit"])
def test_a_file_is_shown_and_can_be_changed(site: Site, page: str) -> None:
    path = f"/{PROJECT}/-/{page}/main/list.json"
    assert "{&#34;a&#34;: 1}" in site.text(path)
    form = {"as": "maintainer", "text": '{"a": 2}'}
    assert site.post(path, form).status_code == 303
    assert "{&#34;a&#34;: 2}\n</pre>" in site.text(path)
    old = site.text(path.replace("main", str(site.mr.diff and site.mr.diff.base_sha)))
    assert "Change this file" not in old


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("", True),
        ("?state=opened", True),
        ("?state=merged", False),
        ("?author_username=author", True),
        ("?author_username=owner", False),
        ("?reviewer_username=owner", True),
        ("?reviewer_username=author", False),
        ("?scope=all&state=opened&approved_by_usernames%5B%5D=maintainer", True),
        ("?approved_by_usernames[]=owner", False),
    ],
)
def test_a_list_is_filtered_as_evidence_links_ask(site: Site, query: str, *, shown: bool) -> None:
    author, owner = site.world.user("author"), site.world.user("owner")
    actions.set_reviewers(site.world, author, site.mr, [owner])
    actions.approve(site.world, site.world.user("maintainer"), site.mr)
    assert (site.url in site.text(f"/{PROJECT}/-/merge_requests{query}")) == shown


@pytest.mark.parametrize(
    ("path", "leads_to"),
    [
        ("/group/owners", "/groups/group/owners/-/group_members"),
        (f"/{PROJECT}", f"/{PROJECT}/-/merge_requests"),
    ],
)
def test_names_lead_to_their_pages(site: Site, path: str, leads_to: str) -> None:
    assert site.client.get(path).location == leads_to
    assert "@author" in site.text("/author")


@pytest.mark.parametrize("path", ["/-/profile", f"/{PROJECT}/-/wikis/home", f"/{PROJECT}/-/issues"])
def test_a_page_that_is_not_offered_is_said_to_be(site: Site, path: str) -> None:
    reply = site.client.get(path)
    assert reply.status_code == 404
    assert f"the sandbox does not offer GET {path}" in reply.text


@pytest.mark.parametrize(
    "path",
    [
        "/nobody",
        "/no/project/-/merge_requests",
        f"/{PROJECT}/-/merge_requests/99",
        f"/{PROJECT}/-/jobs/99",
        f"/{PROJECT}/-/blob/main/none",
        f"/{PROJECT}/-/blob/none/README.md",
        "/no/project/-/blob/main/x",
        "/groups/none/-/group_members",
        "/-/sandbox/assets/none.js",
        "/-/sandbox/assets/base.html",
    ],
)
def test_what_is_not_there_is_not_found(site: Site, path: str) -> None:
    assert site.client.get(path).status_code == 404


def test_pages_work_without_a_runner(site: Site) -> None:
    client = Client(Pages(site.world))
    for path in ("/", site.url, f"{site.url}/pulse"):
        assert client.get(path).status_code == 200
    assert client.get(f"/{PROJECT}/-/jobs/1").status_code == 404


def test_the_sandbox_serves_until_stopped(capsys: pytest.CaptureFixture[str]) -> None:
    stop = threading.Event()
    stop.set()
    assert serve(None, 0, stop) == 0
    told = capsys.readouterr().out
    assert "The sandbox is at http://127.0.0.1:" in told
    assert "/gitlab-com/www-gitlab-com/-/merge_requests/1\n" in told
    assert "nomination-bot check 'gitlab-com/www-gitlab-com!1' --dry-run" in told


SEED = "users: {bot: {bot: true}}\n"
ONE_BOT = "tokens: [{token: t, user: bot, scopes: [api]}]\n"
OPENING = """
title: T
steps:
  - title: t
    by: nobody
    open_merge_request: {project: a/b, branch: b, title: t, files: {}}
"""


def test_a_scenario_without_steps_is_served_as_it_is(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "seed.yml").write_text(SEED + ONE_BOT)
    stop = threading.Event()
    stop.set()
    assert serve(tmp_path, 0, stop) == 0
    assert "opens no merge request" in capsys.readouterr().out


def test_steps_alone_are_played_in_the_first_nominations_world(
    capsys: pytest.CaptureFixture[str],
) -> None:
    stop = threading.Event()
    stop.set()
    assert serve(Path(__file__).parent / "scenarios" / "status-check", 0, stop) == 0
    assert "NOMINATION_BOT_GATE=external-status-check" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("seed", "steps", "says"),
    [
        (SEED + ONE_BOT, "title: T", "expected a mapping"),
        ("oh: no", "title: T\nsteps: []", "oh"),
        (SEED, "title: T\nsteps: []", "no token of a bot"),
        (SEED + ONE_BOT, OPENING, "there is no user 'nobody'"),
    ],
)
def test_a_wrong_scenario_is_one_line(
    seed: str, steps: str, says: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "seed.yml").write_text(seed)
    (tmp_path / "steps.yml").write_text(steps)
    assert serve(tmp_path, 0) == 1
    told = capsys.readouterr().err
    assert told.startswith("nomination-bot: the scenario cannot be used: ")
    assert len(told.splitlines()) == 1
    assert says in told
