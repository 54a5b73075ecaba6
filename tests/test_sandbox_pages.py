"""The sandbox's pages show what GitLab would, escape all foreign text, and act with rights."""

import html
import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from werkzeug.test import Client, TestResponse

from bot.sandbox.acts import actions
from bot.sandbox.acts.actions import NoteDraft, StatusDraft
from bot.sandbox.acts.quick_actions import run_quick_actions
from bot.sandbox.ci.jobs import Runner
from bot.sandbox.http.server import Server
from bot.sandbox.pages.app import Pages
from bot.sandbox.scenarios import EMPTY, FIRST_NOMINATION
from bot.sandbox.story.seed import load_scenario
from bot.sandbox.story.serve import serve
from bot.sandbox.webhooks.deliveries import Hooks
from bot.sandbox.world.entities import (
    Group,
    Level,
    Member,
    MergeRequest,
    ProjectSettings,
    Start,
    StatusCheck,
    Webhook,
)
from bot.sandbox.world.shipped import CI_FILE
from bot.sandbox.world.state import World
from tests.processes import run_job_here
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
    files = actions.CommitDraft(message=EVIL, changes={"evil.md": EVIL.encode()})
    actions.push(site.world, site.world.user("author"), site.mr.project, "change", files)
    project = f"/{PROJECT}/-"
    for path in (
        "/", "/developer", site.url, f"{site.url}/commits", f"{site.url}/diffs",
        f"{project}/merge_requests", f"{project}/merge_requests/new", f"{project}/tree/change",
        f"{project}/blob/change/evil.md", f"{project}/edit/change/evil.md",
    ):  # fmt: skip
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
    names = set(re.findall(r'<option value="(\w+)"', site.page.partition("Write as")[2]))
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


def press(site: Site, button: str, by: str, other: str = "") -> TestResponse:
    """Press a button on the merge request's page as a person."""
    return site.post(f"{site.url}/acts", {"as": by, "button": button, "person": other})


@pytest.mark.parametrize(
    ("presses", "holds"),
    [
        (["approve maintainer"], lambda mr: len(mr.approvals) == 1),
        (["approve maintainer", "unapprove maintainer"], lambda mr: not mr.approvals),
        (["merge maintainer"], lambda mr: mr.state == "merged"),
        (["close author"], lambda mr: mr.state == "closed"),
        (["close author", "reopen author"], lambda mr: mr.state == "opened"),
        (["assign author owner"], lambda mr: len(mr.assignees) == 1),
        (["assign author owner", "unassign author owner"], lambda mr: mr.assignees == []),
        (["request_review author owner"], lambda mr: len(mr.reviewers) == 1),
        (
            ["request_review author owner", "request_changes owner"],
            lambda mr: mr.reviewers[0].state == "requested_changes",
        ),
        (
            ["request_review author owner", "approve owner", "request_review author owner"],
            lambda mr: [each.state for each in mr.reviewers] == ["unreviewed"],
        ),
    ],
)
def test_buttons_act(site: Site, presses: list[str], holds: Callable[[MergeRequest], bool]) -> None:
    for each in presses:
        assert press(site, *each.split()).status_code == 303
    assert holds(site.mr)


@pytest.mark.parametrize(
    ("before", "form", "status", "words"),
    [
        ("", {"as": "nobody", "button": "merge"}, 400, "Choose a person to act as."),
        ("", {"as": "author", "button": "explode"}, 400, "There is no such button."),
        ("", {"as": "author", "button": "assign"}, 400, "Choose a person."),
        ("", {"as": OUTSIDER, "button": "merge"}, 403, "Merge: @outsider may not push to main."),
        ("", {"as": "author", "button": "approve"}, 403, "Approve: @author is the author."),
        ("", {"as": "reporter", "button": "approve"}, 403, "@reporter is no Developer here."),
        ("", {"as": "owner", "button": "unapprove"}, 405, "Nobody has approved."),
        ("approve maintainer", {"as": "owner", "button": "unapprove"}, 403, "has not approved"),
        ("approve owner", {"as": "owner", "button": "approve"}, 403, "@owner has approved."),
        ("", {"as": "owner", "button": "request_changes"}, 405, "Nobody is asked for a review."),
        (
            "request_review author owner",
            {"as": "maintainer", "button": "request_changes"},
            403,
            "@maintainer is not a reviewer",
        ),
        ("", {"as": "author", "button": "reopen"}, 405, "Merge request is not closed."),
        ("close author", {"as": "maintainer", "button": "merge"}, 405, "is not open."),
        ("", {"as": "author", "button": "unassign", "person": "owner"}, 405, "Nobody is assigned"),
        ("", {"as": "reporter", "button": "close"}, 403, "is neither author nor Developer"),
    ],
)
def test_a_refusal_is_said_in_words(
    site: Site, before: str, form: Mapping[str, str], status: int, words: str
) -> None:
    if before:
        press(site, *before.split())
    response = site.post(f"{site.url}/acts", form)
    assert response.status_code == status
    assert words in response.get_data(as_text=True)


@pytest.mark.parametrize(
    ("path", "form", "words"),
    [
        ("/notes", {"as": "author", "text": " "}, "Comment: can&#39;t be blank"),
        ("/notes", {"as": "reporter", "text": "/assign @nobody"}, "Comment: "),
        ("/commits", {}, "This page cannot be used in that way."),
    ],
)
def test_what_the_api_refuses_is_said_in_words_too(
    site: Site, path: str, form: Mapping[str, str], words: str
) -> None:
    shown = site.post(site.url + path, form).get_data(as_text=True)
    assert words in shown
    assert "{" not in shown.partition("<main")[2]


def test_a_refusal_leads_back_to_this_site_alone(site: Site) -> None:
    for before, back in (("http://localhost/x", "http://localhost/x"), ("http://evil.test/", "/")):
        response = site.client.get("/nobody", headers={"Referer": before})
        assert f'href="{back}">Go back' in response.get_data(as_text=True)


def offered(text: str, label: str) -> tuple[str, dict[str, str]]:
    """Read a list of people by its label: who is chosen, and who may not, with the reason."""
    shown = text.partition(f"<label>{label}\n")[2].partition("</label>")[0]
    chosen = re.findall(r'value="(\w+)" selected', shown)
    closed = re.findall(r'value="(\w+)" disabled>[^:]*: ([^<]*)<', shown)
    return chosen[0], dict(closed)


def test_people_who_may_not_are_told_why_and_one_who_may_is_chosen(site: Site) -> None:
    chosen, closed = offered(site.page, "Merge as")
    assert chosen == "owner"
    assert closed.keys() == {"developer", "author", "reporter", OUTSIDER}
    assert closed["author"] == "may not push to main"
    assert offered(site.text(f"{site.url}?as=maintainer"), "Merge as")[0] == "maintainer"
    assert offered(site.text(f"{site.url}?as=reporter"), "Merge as")[0] == "owner"
    press(site, "assign", "author", "maintainer")
    assert offered(site.page, "Merge as")[0] == "maintainer"
    assert offered(site.page, "Whom to unassign")[0] == "maintainer"
    assert offered(site.page, "Write as")[0] == "author"


def test_a_button_that_may_not_be_pressed_says_why(site: Site) -> None:
    site.mr.title = "Draft: Change"
    merge = site.page.partition('id="press-merge"')
    assert merge[0].endswith("<button disabled ")
    assert "Merge request must not be draft" in merge[2].partition("</form>")[0]
    assert 'aria-describedby="why-merge"' in merge[2]


def test_a_form_without_anybody_who_may_says_so(site: Site) -> None:
    site.world.user("owner").state = "blocked"
    text = site.text("/groups/group/owners/-/group_members")
    assert '<button type="submit" disabled>Add</button>' in text
    assert "Nobody here may do this." in text
    site.world.project(PROJECT).members.clear()
    assert "There is nobody to choose" in site.page


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
    owner = project.triggers[0].owner
    start = Start(project=project, ref="main", source="trigger", user=owner, payload=payload)
    site.runner.start(start)
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
    owner = {"as": "owner", "person": "developer", "role": "developer"}
    assert site.post(path, owner).status_code == 303
    assert re.search(r"@developer</a></td><td[^>]*>Developer<", site.text(path))
    assert site.post(path, owner | {"role": "king"}).status_code == 400


FILE = f"/{PROJECT}/-/blob/main/list.json"
EDIT = f"/{PROJECT}/-/edit/main/list.json"
NEW = {"as": "developer", "text": '{"a": 2}\r\n', "branch": "mine", "title": "My change"}


def test_a_file_is_shown_and_can_be_changed(site: Site) -> None:
    assert "{&#34;a&#34;: 1}" in site.text(FILE)
    assert offered(site.text(EDIT), "Commit as")[0] == "owner"
    form = {"as": "maintainer", "text": '{"a": 2}', "title": "Count on"}
    response = site.post(EDIT, form)
    assert (response.status_code, response.location) == (303, FILE)
    assert "{&#34;a&#34;: 2}\n</pre>" in site.text(FILE)
    head = site.mr.project.repository.find_commit("main")
    assert head is not None
    assert (head.message, head.author.name) == ("Count on", "Maintainer")
    old = site.text(FILE.replace("main", str(site.mr.diff and site.mr.diff.base_sha)))
    assert "Edit" not in old


def test_a_change_can_open_a_merge_request(site: Site) -> None:
    shown = site.text(f"{EDIT}?new=branch&as=developer")
    assert offered(shown, "Commit as")[0] == "developer"
    assert 'name="branch" required value="patch-1"' in shown
    response = site.post(EDIT, NEW | {"description": "Why"})
    mr = site.mr.project.merge_requests[2]
    assert response.location == f"/{PROJECT}/-/merge_requests/2"
    assert (mr.title, mr.description, mr.author.username) == ("My change", "Why", "developer")
    assert (mr.source_branch, mr.target_branch) == ("mine", "main")
    changes = site.text(f"{response.location}/diffs")
    assert '<span class="removed">-{&#34;a&#34;: 1}\n</span>' in changes
    assert '<span class="added">+{&#34;a&#34;: 2}\n</span>' in changes
    assert "My change" in site.text(f"{response.location}/commits").partition("<tbody>")[2]

    edit = re.findall(r'href="([^"]*)" aria-label="Edit list.json"', changes)[0]
    pushed = site.post(edit, {"as": "developer", "text": "[]", "title": "More"})
    assert pushed.location == response.location
    assert "+[]" in site.text(f"{response.location}/diffs")


def test_the_first_free_name_of_a_branch_is_proposed(site: Site) -> None:
    site.post(EDIT, NEW | {"branch": "patch-1"})
    assert 'value="patch-2"' in site.text(f"{EDIT}?new=branch")


@pytest.mark.parametrize(
    ("form", "status", "words"),
    [
        (NEW | {"as": "reporter"}, 403, "This person may not do that."),
        (NEW | {"branch": "main"}, 400, "There is a branch main already: choose another name."),
        *[
            (NEW | {"branch": name}, 400, "A branch cannot be named")
            for name in ("a b", "../x", "-x", "x.lock", "a//b", "a/", "x~1", "x:y", "@{0}")
        ],
        (NEW | {"branch": " "}, 400, "Fill in “New branch”."),
        (NEW | {"title": ""}, 400, "Fill in “Title of the merge request”."),
        (NEW | {"text": '{"a": 1}'}, 400, "Nothing was changed"),
        (NEW | {"last": "x"}, 400, "Somebody else changed the file meanwhile"),
        ({"as": "author", "text": "x", "title": "t"}, 403, "This person may not do that."),
        ({"as": "owner", "text": "x", "title": ""}, 400, "Fill in “Commit message”."),
    ],
)
def test_a_change_that_cannot_be_is_refused_in_words(
    site: Site, form: Mapping[str, str], status: int, words: str
) -> None:
    response = site.post(EDIT, form)
    assert response.status_code == status
    assert words in response.get_data(as_text=True)
    assert len(site.mr.project.merge_requests) == 1
    assert "{&#34;a&#34;: 1}" in site.text(FILE)


@pytest.mark.parametrize("content", [b"\xff\n", b"a\r\nb\r\n", b"\0\n"])
def test_what_a_form_would_spoil_cannot_be_changed(site: Site, content: bytes) -> None:
    draft = actions.CommitDraft(message="Write", changes={"list.json": content})
    actions.push(site.world, site.world.user("owner"), site.mr.project, "main", draft)
    assert "Edit on main" not in site.text(FILE)
    assert "Only text files" in site.client.get(EDIT).get_data(as_text=True)


def test_files_are_listed_by_directory_and_branches_may_have_slashes(site: Site) -> None:
    draft = actions.CommitDraft(message="Write", changes={"a/b/c.md": b"deep\n"})
    actions.push(site.world, site.world.user("author"), site.mr.project, "my/way", draft)
    tree = f"/{PROJECT}/-/tree"
    assert f'href="{FILE}"' in site.text(tree)
    top = site.text(f"{tree}?ref=my/way")
    assert f'href="{tree}/my/way/a">a/</a>' in top
    for folder in ("a", "a/"):
        assert f'href="{tree}/my/way/a/b">b/</a>' in site.text(f"{tree}/my/way/{folder}")
    assert "deep" in site.text(f"/{PROJECT}/-/blob/my/way/a/b/c.md")


def test_a_merge_request_can_be_opened_from_a_branch(site: Site) -> None:
    page = f"/{PROJECT}/-/merge_requests/new"
    assert "<option>change</option>" in site.text(page)
    form = {"as": "developer", "source": "change", "target": "main", "title": "Again"}
    twice = site.post(page, form).get_data(as_text=True)
    assert "Another open merge request already exists for this source branch: !1" in twice
    press(site, "close", "author")
    assert site.post(page, form).location == f"/{PROJECT}/-/merge_requests/2"
    assert "Fill in “Title”." in site.post(page, form | {"title": ""}).get_data(as_text=True)
    for branch in list(site.mr.project.repository.branches):
        if branch != "main":
            del site.mr.project.repository.branches[branch]
    assert "There is no branch besides" in site.text(page)


class Receiver:
    """Somebody who is sent webhooks."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, bytes]] = []

    def __call__(self, environ: dict[str, object], start: Callable[..., object]) -> list[bytes]:
        """Keep what was sent."""
        body = environ["wsgi.input"].read(int(str(environ["CONTENT_LENGTH"])))  # type: ignore[attr-defined]
        self.seen.append((str(environ["HTTP_IDEMPOTENCY_KEY"]), body))
        start("200 OK", [])
        return [b"thanks"]


@dataclass(slots=True, kw_only=True)
class Delivered:
    """A site whose webhook has delivered one comment to a receiver."""

    site: Site
    client: Client
    receiver: Receiver
    hooks: Hooks
    hook: Webhook

    @property
    def url(self) -> str:
        """The address of the first delivery."""
        return f"/{PROJECT}/-/hooks/5/hook_logs/{self.hook.events[0].id}"

    def read(self, path: str) -> str:
        """Read a page."""
        return self.client.get(path).get_data(as_text=True)


@pytest.fixture
def delivered(site: Site) -> Iterator[Delivered]:
    """Deliver a hostile comment."""
    hook = Webhook(id=5, url="/-/in?token=secret", pipeline_events=True)
    site.mr.project.webhooks.append(hook)
    receiver, hooks = Receiver(), Hooks(site.world)
    client = Client(Pages(site.world, site.runner, hooks))
    site.world.subscribers.append(hooks.notice)
    with Server(site.world) as server:
        server.mount("/-/in", receiver)
        say(site, EVIL)
        assert hooks.drain()
        yield Delivered(site=site, client=client, receiver=receiver, hooks=hooks, hook=hook)
    hooks.close()


def test_deliveries_are_shown_without_secrets(delivered: Delivered) -> None:
    listed, page = delivered.read(f"/{PROJECT}/-/hooks"), delivered.read(delivered.url)
    assert f'href="{delivered.url}"' in listed
    assert "merge requests, comments, pipelines" in listed
    assert "thanks" in page
    assert "&#34;object_kind&#34;: &#34;note&#34;" in page
    assert "<script>alert" not in page + listed
    assert "secret" not in page + listed


def test_a_maintainer_sends_a_delivery_again(delivered: Delivered) -> None:
    assert offered(delivered.read(delivered.url), "Resend as")[0] == "owner"
    assert delivered.client.post(delivered.url, data={"as": "developer"}).status_code == 403
    assert delivered.client.post(delivered.url, data={"as": "maintainer"}).status_code == 303
    assert delivered.hooks.drain()
    assert len(delivered.hook.events) == 2
    assert delivered.receiver.seen[0] == delivered.receiver.seen[1]


def test_what_went_elsewhere_is_not_sent_again(delivered: Delivered) -> None:
    delivered.hook.url = "/-/in?token=other"
    moved = delivered.client.post(delivered.url, data={"as": "maintainer"})
    assert moved.status_code == 422
    assert "The hook URL has changed" in moved.get_data(as_text=True)
    # Pages without anybody who delivers say so.
    assert delivered.site.post(delivered.url, {"as": "owner"}).status_code == 405
    assert len(delivered.receiver.seen) == 1


def test_the_clock_is_moved_by_hand(site: Site) -> None:
    before = site.world.now
    assert site.post("/-/sandbox/clock", {"days": "1"}).status_code == 303
    assert site.world.now - before == timedelta(days=1)
    assert site.post("/-/sandbox/clock", {"days": "x"}).status_code == 400
    assert "3 Feb 2026" in site.text("/")


def test_the_sweep_is_a_button(site: Site) -> None:
    assert offered(site.text("/"), "Start the schedule as")[0] == "owner"
    assert site.post("/-/sandbox/sweep", {"as": "author"}).status_code == 403
    # The only job of this project is for triggers, and GitLab starts no pipeline without a job.
    assert site.post("/-/sandbox/sweep", {"as": "owner"}).status_code == 400
    config = actions.CommitDraft(message="CI", changes={CI_FILE: b"look: {script: [echo]}\n"})
    actions.push(site.world, site.world.user("owner"), site.mr.project, "main", config)
    assert site.post("/-/sandbox/sweep", {"as": "owner"}).status_code == 303
    assert site.runner.activity.wait(10)
    assert "schedule" in site.text("/").partition('id="jobs"')[2]
    site.mr.project.triggers.clear()
    assert "No project here runs the bot yet" in site.text("/")
    assert site.post("/-/sandbox/sweep", {"as": "owner"}).status_code == 405


def test_the_first_page_says_what_to_try(site: Site) -> None:
    client = Client(
        Pages(site.world, site.runner, guide="Try [this](/x) <script>alert(1)</script>")
    )
    shown = client.get("/").get_data(as_text=True)
    assert '<a href="/x"' in shown
    assert "<script>alert" not in shown
    first = json.loads(site.text("/-/sandbox/pulse"))["pulse"]
    assert f'data-pulse="{first}"' in shown
    say(site, "hello")
    assert json.loads(site.text("/-/sandbox/pulse"))["pulse"] != first


@pytest.mark.parametrize("folder", [EMPTY, FIRST_NOMINATION], ids=lambda folder: folder.name)
def test_every_link_of_a_guide_leads_somewhere(folder: Path) -> None:
    world = load_scenario(folder)
    client = Client(Pages(world, guide=(folder / "guide.md").read_text(encoding="utf-8")))
    guide = client.get("/").get_data(as_text=True).partition("What to try")[2]
    links = re.findall(r'href="([^"]*)"', guide.partition("</section>")[0])
    assert links
    for link in map(html.unescape, links):
        page = client.get(link)
        assert page.status_code == 200, link
        wanted = re.findall(r"as=(\w+)", link)
        assert not wanted or f'value="{wanted[0]}" selected' in page.get_data(as_text=True)


def test_a_person_has_a_list_of_things_to_do(site: Site) -> None:
    press(site, "assign", "author", "owner")
    assert f'href="{site.url}"' in site.text("/owner").partition("To-Do List")[2]
    assert "Nothing to do." in site.text("/reporter")


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


@pytest.mark.parametrize(
    "path",
    [
        "/-/profile",
        f"/{PROJECT}/-/wikis/home",
        f"/{PROJECT}/-/issues",
        f"/{PROJECT}/-/issues/1",
        f"/{PROJECT}/-/pipelines",
    ],
)
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
        f"/{PROJECT}/-/tree/main/none",
        f"/{PROJECT}/-/tree/none",
        f"/{PROJECT}/-/edit/main/none",
        f"/{PROJECT}/-/hooks/1/hook_logs/1",
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


@pytest.fixture
def in_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run the bot's jobs in this process."""
    monkeypatch.setattr(Runner, "execute", staticmethod(run_job_here))


@pytest.mark.usefixtures("in_process")
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


@pytest.mark.usefixtures("in_process")
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


def test_a_refused_comment_keeps_its_text_and_can_be_sent_again(site: Site) -> None:
    text = f"A long </textarea>{EVIL} text"
    refused = site.post(f"{site.url}/notes", {"as": "nobody-here", "text": text})
    shown = refused.get_data(as_text=True)
    assert refused.status_code == 400
    assert html.escape(text, quote=False) in shown.replace("&#34;", '"')
    assert EVIL not in shown
    assert f'action="{site.url}/notes"' in shown
    foreign = site.client.post(
        f"{site.url}/notes", data={"text": text}, headers={"Origin": "https://elsewhere.example"}
    )
    assert "<textarea" not in foreign.get_data(as_text=True)


def test_a_refused_change_of_a_file_keeps_its_text_too(site: Site) -> None:
    form = {"as": "maintainer", "text": "new words", "title": "", "last": "x", "branch": "no space"}
    shown = site.post(f"/{PROJECT}/-/edit/main/README.md?new=1", form).get_data(as_text=True)
    assert "new words</textarea>" in shown
    assert f'action="/{PROJECT}/-/edit/main/README.md?new=1"' in shown
    assert '<input type="hidden" name="last" value="x">' in shown
    assert '<input name="branch" required value="no space">' in shown


def test_a_thread_is_begun_answered_resolved_and_reopened(site: Site) -> None:
    site.post(f"{site.url}/notes", {"as": "reporter", "text": "Why?", "begin": "1"})
    first = site.mr.comments[-1]
    reply = {"as": "author", "text": "Because.", "thread": first.discussion_id}
    assert site.post(f"{site.url}/notes", reply).status_code == 303
    answered = site.mr.comments[-1]
    assert (answered.discussion_id, answered.type) == (first.discussion_id, "DiscussionNote")
    assert "Not resolved" in site.page
    thread = {"thread": first.discussion_id, "resolved": "1"}
    assert site.post(f"{site.url}/threads", {**thread, "as": OUTSIDER}).status_code == 403
    site.post(f"{site.url}/threads", {**thread, "as": "author"})
    assert (first.resolved, first.resolved_by) == (True, site.world.user("author"))
    assert "Reopen thread" in site.page
    site.post(f"{site.url}/threads", {**thread, "as": "author", "resolved": "0"})
    assert not first.resolved


def test_the_first_answer_makes_a_thread_of_a_comment(site: Site) -> None:
    site.post(f"{site.url}/notes", {"as": "reporter", "text": "Alone"})
    alone = site.mr.comments[-1]
    assert not alone.resolvable
    answer = {"as": "author", "text": "Not any more", "thread": alone.discussion_id}
    site.post(f"{site.url}/notes", answer)
    assert alone.resolvable
    missing = site.post(f"{site.url}/notes", {**answer, "thread": "0" * 40})
    assert missing.status_code == 404
    assert "Not any more</textarea>" in missing.get_data(as_text=True)


def test_a_new_file_is_made_on_a_branch_or_in_a_merge_request(site: Site) -> None:
    assert f"/{PROJECT}/-/new/main" in site.text(f"/{PROJECT}/-/tree/main")
    assert "File name" in site.text(f"/{PROJECT}/-/new/main/docs?new=1")
    form = {"as": "maintainer", "text": "hi", "title": "Add it", "name": "sub/a.md"}
    assert site.post(f"/{PROJECT}/-/new/main/docs", form).location.endswith("/docs/sub/a.md")
    assert "hi" in site.text(f"/{PROJECT}/-/blob/main/docs/sub/a.md")
    opened = site.post(f"/{PROJECT}/-/new/main", {**form, "name": "b.md", "branch": "b"})
    assert "/-/merge_requests/" in opened.location


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("README.md", "There is a file README.md already"),
        ("../x", "cannot be named"),
        ("a//b", "cannot be named"),
        (".git/config", "cannot be named"),
        ("", "Fill in “File name”"),
    ],
)
def test_a_file_that_cannot_be_is_refused_in_words(site: Site, name: str, words: str) -> None:
    form = {"as": "maintainer", "text": "hi", "title": "Add it", "name": name}
    shown = site.post(f"/{PROJECT}/-/new/main", form)
    assert shown.status_code == 400
    assert words in shown.get_data(as_text=True)


def test_a_new_file_needs_a_branch(site: Site) -> None:
    assert site.client.get(f"/{PROJECT}/-/new/nowhere").status_code == 404


def test_a_thread_is_begun_on_a_line_of_the_diff(site: Site) -> None:
    page, path = site.text(site.url + "/diffs"), {"new_path": "change.md", "old_path": "change.md"}
    assert 'value=":1" selected>1 +new' in page
    form = {"as": "maintainer", "text": "Why?", **path}
    assert site.post(site.url + "/notes", {**form, "line": ":1"}).status_code == 303
    note, diff = site.mr.comments[-1], site.mr.diff
    assert diff is not None
    assert (note.type, note.resolvable, note.position) == (
        "DiffNote",
        True,
        {**path, "position_type": "text", "new_line": 1, "old_line": None}
        | {"base_sha": diff.base_sha, "start_sha": diff.start_sha, "head_sha": diff.head_sha},
    )
    assert "On change.md, line 1" in site.text(site.url)
    assert "Thread of Maintainer on change.md, line 1" in site.text(site.url + "/diffs")
    for line, words in (("x", "Choose a line of the diff."), (":9", "must be a valid line code")):
        refused = site.post(site.url + "/notes", {**form, "line": line})
        assert refused.status_code == 400
        assert words in html.unescape(refused.get_data(as_text=True))
    assert len(site.mr.comments) == 1


def test_a_stranger_forks_changes_and_opens_a_merge_request(site: Site) -> None:
    tree, who = f"/{PROJECT}/-/tree", {"as": OUTSIDER}
    assert "Fork this project" in site.text(tree)
    made = site.post(f"/{PROJECT}/-/forks", who)
    assert made.headers["Location"] == f"/{OUTSIDER}/team/-/tree"
    assert f'Forked from <a href="{tree}"' in site.text(made.headers["Location"])
    again = site.post(f"/{PROJECT}/-/forks", who)
    assert "has a project team already" in again.get_data(as_text=True)
    edit = f"/{OUTSIDER}/team/-/edit/main/README.md"
    form = {**who, "text": "changed", "branch": "patch-1", "title": "Better"}
    opened = site.post(edit, form).headers["Location"]
    assert opened == f"/{PROJECT}/-/merge_requests/2"
    mr = site.mr.project.merge_requests[2]
    assert mr.source_project is site.world.project(f"{OUTSIDER}/team")
    site.post(edit, {**form, "branch": "patch-2"})
    new = f"/{OUTSIDER}/team/-/merge_requests/new"
    assert "Target project" in site.text(new)
    asked = {**who, "title": "T", "source": "patch-2", "target": "main"}
    assert "Choose a target project." in site.post(new, {**asked, "onto": "nowhere/x"}).get_data(
        as_text=True
    )
    assert site.post(new, {**asked, "onto": f"{OUTSIDER}/team"}).status_code == 303
    assert site.text(f"/{PROJECT}/-/raw/main/README.md") == "hello\n"
