"""The merge requests that the bot opens for steps after a merge, through HTTP."""

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.assessment import Move, Step, assess
from bot.assessment.offers import plan_offers
from bot.errors import ConfigError, DoubtfulWriteError, GitLabError, RefusedError
from bot.evidence import (
    Asks,
    FileAt,
    Offer,
    Offers,
    OffersOf,
    Present,
    ProfileOf,
    find_offers_of,
    offer_branches,
)
from bot.merge_request import Person
from bot.policy import ListedIn
from bot.publish import Work, do_step
from bot.report import OfferText, describe_offer
from bot.rulebook.loading import load_policies
from bot.sandbox.acts import actions
from bot.sandbox.acts.actions import CommitDraft, MergeRequestDraft
from bot.sandbox.http.faults import Fault, Kind
from bot.sandbox.http.server import Server
from bot.sandbox.world.entities import Level, Protection
from bot.unread import Unread
from tests.builders import (
    make_assessment,
    make_case,
    make_evidence,
    make_follow_up,
    make_merge_request,
    make_nomination,
    make_offer,
    make_policy,
    make_replay,
)
from tests.nomination_world import (
    ENTRY,
    TEAM,
    NominationWorld,
    add_user,
    connect,
    entry,
    run_on,
    settings,
    shipped,
)
from tests.offer_world import (
    FIRST,
    change_file,
    join,
    look,
    make_offer_world,
    offers_in,
    open_in,
    opening_policies,
    read,
)
from tests.processes import run_here

EXAMPLE = Path(__file__).parent.parent / "examples" / "policies" / "opening"


@pytest.fixture
def made() -> NominationWorld:
    return make_offer_world()


def merged(made: NominationWorld, server: Server) -> str:
    """Merge the nomination after the bot has seen it; return what the comment says then."""
    look(server, made)
    made.merge()
    made.world.tick(7_200)  # later nobody looks at other merge requests again
    outcome = look(server, made)
    assert outcome.problems == []
    return outcome.body


def assert_quiet(made: NominationWorld, server: Server, most: int = 5) -> str:
    """Check that a further look writes nothing and takes few calls; return the comment."""
    before = len(made.writes())
    outcome = look(server, made)
    assert [f"{w.method} {w.path}" for w in made.writes()[before:]] == []
    assert outcome.calls <= most
    assert not made.world.violations
    return made.own_notes()[0].body


# --- opened and merged ------------------------------------------------------------------


def test_the_bot_opens_a_merge_request_for_each_file_after_the_merge(
    made: NominationWorld, server: Server
) -> None:
    look(server, made)
    assert offers_in(made.provisioner) == []
    merged(made, server)
    (mr,) = open_in(made.provisioner)
    assert mr.source_branch == FIRST
    assert mr.target_branch == "main"
    assert [user.username for user in mr.assignees] == ["nina"]
    assert mr.author.username == "nomination-bot"
    assert mr.title == "Add nina to members in inventory.json"
    assert f"/merge_requests/{made.nomination.iid})" in mr.description
    assert '"max",\n        "nina"' in read(made.provisioner, FIRST, "inventory.json")
    body = assert_quiet(made, server)
    assert f"[!{mr.iid}](" in body
    assert "```diff" not in body
    assert "/-/edit/" not in body
    assert len(open_in(made.gateway)) == 1


def test_a_merged_one_does_the_step(made: NominationWorld, server: Server) -> None:
    merged(made, server)
    (mr,) = open_in(made.provisioner)
    actions.merge(made.world, made.user("olga"), mr)
    body = look(server, made).body
    assert "in inventory.json | ✓&nbsp;done" in body
    assert open_in(made.provisioner) == []
    assert_quiet(made, server)


@pytest.mark.parametrize("policies", ["shipped", "opening"])
def test_nothing_is_opened_before_the_merge_or_unless_the_policy_says_so(
    made: NominationWorld, server: Server, policies: str
) -> None:
    if policies == "shipped":
        made.merge()
        run_on(server, made.nomination)
        assert "```diff" in run_on(server, made.nomination).body
    else:
        look(server, made)
    assert offers_in(made.provisioner) + offers_in(made.gateway) == []


def test_what_policy_and_step_are_called_by_now_does_not_matter(
    made: NominationWorld, server: Server
) -> None:
    merged(made, server)
    (policy,) = opening_policies()
    steps = tuple(replace(step, id=f"new-{step.id}") for step in policy.follow_ups)
    renamed = replace(policy, id="new", follow_ups=steps)
    before = len(made.writes())
    body = run_on(server, made.nomination, policies=(renamed,)).body
    (mr,) = offers_in(made.provisioner)
    assert (mr.state, f"[!{mr.iid}](" in body) == ("opened", True)
    assert not [w for w in made.writes()[before:] if "/commits" in w.path]


def test_two_steps_for_one_list_share_a_merge_request(
    made: NominationWorld, server: Server
) -> None:
    (policy,) = opening_policies()
    steps = tuple(replace(step, id=f"new-{step.id}") for step in policy.follow_ups)
    doubled = replace(policy, follow_ups=(*policy.follow_ups, *steps))
    made.merge()
    for _ in range(2):
        outcome = run_on(server, made.nomination, policies=(doubled,))
        (mr,) = offers_in(made.provisioner)
        assert (mr.state, outcome.problems) == ("opened", [])
        assert outcome.body.count(f"[!{mr.iid}](") == 2


def test_a_dry_run_says_what_would_be_opened(made: NominationWorld, server: Server) -> None:
    made.merge()
    outcome = look(server, made, observe=True)
    assert offers_in(made.provisioner) == []
    assert any(FIRST in line for line in outcome.evaluation.plan.lines())


# --- closed by the bot ------------------------------------------------------------------


def test_it_is_closed_when_the_file_has_the_name(made: NominationWorld, server: Server) -> None:
    merged(made, server)
    (mr,) = open_in(made.provisioner)
    change_file(made, made.provisioner, "inventory.json", '"max"', '"max",\n        "nina"')
    look(server, made)
    assert mr.state == "closed"
    assert "the file has the name" in mr.description
    assert_quiet(made, server)
    # Taken out again by somebody, another one is due.
    change_file(made, made.provisioner, "inventory.json", ',\n        "nina"', "")
    look(server, made)
    assert [each.source_branch for each in open_in(made.provisioner)] == [f"{FIRST}.2"]
    assert_quiet(made, server)


def test_a_reverted_nomination_closes_them(made: NominationWorld, server: Server) -> None:
    merged(made, server)
    made.push({ENTRY: entry("nina", "trainee_maintainer")}, branch="main", by="olga")
    look(server, made)
    assert open_in(made.provisioner) + open_in(made.gateway) == []
    assert_quiet(made, server)


@pytest.mark.parametrize("apart", [False, True], ids=["in one", "in another"])
def test_a_role_that_is_over_leaves_what_another_role_shares(
    made: NominationWorld, server: Server, apart: bool
) -> None:
    (policy,) = opening_policies()
    other = replace(policy, id="other", project="cloud")
    roles = b"projects:\n  ai-gateway: maintainer\n  cloud: maintainer\n"
    alone = entry("nina") + b"projects:\n  cloud: maintainer\n"
    nominations = [made.nomination]
    if apart:
        made.merge()
        nominations.append(made.open({ENTRY: entry("nina") + roles}, branch="second"))
    else:
        made.push({ENTRY: entry("nina") + roles}, branch=made.nomination.source_branch)
    for mr in nominations:
        run_on(server, mr, policies=(policy, other))
    actions.merge(made.world, made.user("olga"), nominations[-1])
    for head in (None, alone, None):
        if head:
            made.push({ENTRY: head}, branch="main", by="olga")
        for mr in nominations:
            assert run_on(server, mr, policies=(policy, other)).problems == []
        (offer,) = offers_in(made.provisioner)
        assert offer.state == "opened"
    made.push({ENTRY: entry("nina")}, branch="main", by="olga")
    for mr in nominations:
        run_on(server, mr, policies=(policy, other))
    assert offer.state == "closed"
    assert len(offers_in(made.provisioner)) == 1


def test_a_nomination_reverted_before_the_look_opens_none(
    made: NominationWorld, server: Server
) -> None:
    look(server, made)
    made.merge()
    made.push({ENTRY: entry("nina")}, branch="main", by="olga")
    look(server, made)
    assert offers_in(made.provisioner) == []


def test_a_renamed_nominee_is_offered_under_the_present_name(
    made: NominationWorld, server: Server
) -> None:
    merged(made, server)
    (old,) = open_in(made.provisioner)
    actions.rename_account(made.world, made.user("nina"), "nina-new")
    made.push({ENTRY: entry("nina-new", "maintainer")}, branch="main", by="olga")
    look(server, made)
    assert old.state == "closed"
    (new,) = open_in(made.provisioner)
    assert new.source_branch.endswith("/nina-new")
    assert_quiet(made, server, most=6)  # whether the old name was left takes a look of its own


def test_a_freed_name_is_offered_nothing_and_its_merge_request_closed(
    made: NominationWorld, server: Server
) -> None:
    merged(made, server)
    actions.rename_account(made.world, made.user("nina"), "nina-new")
    look(server, made)
    assert open_in(made.provisioner) == []
    assert_quiet(made, server, most=6)  # whose account it is takes a look of its own


def test_one_that_went_in_against_the_bot_is_for_people(
    server: Server, made: NominationWorld
) -> None:
    made.say("/nomination hold not now")
    body = merged(made, server)
    assert offers_in(made.provisioner) == []
    assert "before a maintainer has decided" in body
    assert "```diff" in body


# --- the file moved on ------------------------------------------------------------------


def test_one_in_conflict_is_replaced_from_a_new_branch(
    made: NominationWorld, server: Server
) -> None:
    merged(made, server)
    (old,) = open_in(made.provisioner)
    change_file(made, made.provisioner, "inventory.json", '"max"', '"max",\n        "zoe"')
    look(server, made)
    (new,) = open_in(made.provisioner)
    assert old.state == "closed"
    assert new.source_branch == f"{FIRST}.2"
    assert '"nina",\n        "zoe"' in read(made.provisioner, new.source_branch, "inventory.json")
    assert_quiet(made, server)
    actions.merge(made.world, made.user("olga"), new)
    assert "in inventory.json | ✓&nbsp;done" in look(server, made).body


def test_after_some_conflicts_people_do_it(made: NominationWorld, server: Server) -> None:
    merged(made, server)
    for name in ("zula", "zora", "zoe"):
        change_file(made, made.provisioner, "inventory.json", '"max"', f'"max",\n        "{name}"')
        look(server, made)
    assert len(offers_in(made.provisioner)) == 3
    assert "opens no other one" in assert_quiet(made, server)


def test_commits_of_others_are_left_alone(made: NominationWorld, server: Server) -> None:
    merged(made, server)
    (mr,) = open_in(made.provisioner)
    draft = CommitDraft(message="Mine", changes={"notes.md": b"mine\n"})
    actions.push(made.world, made.user("olga"), made.provisioner, mr.source_branch, draft)
    head = made.provisioner.repository.branches[mr.source_branch]
    change_file(made, made.provisioner, "inventory.json", '"max"', '"max",\n        "zoe"')
    look(server, made)
    assert open_in(made.provisioner) == [mr]
    body = assert_quiet(made, server)
    assert "people resolve that" in body
    assert "```diff" in body.partition("people resolve that")[2]
    change_file(made, made.provisioner, "inventory.json", '"max"', '"max",\n        "nina"')
    look(server, made)
    assert open_in(made.provisioner) == [mr]
    assert made.provisioner.repository.branches[mr.source_branch] == head
    assert_quiet(made, server)


def test_a_file_that_changed_elsewhere_needs_no_other(
    made: NominationWorld, server: Server
) -> None:
    merged(made, server)
    (mr,) = open_in(made.provisioner)
    draft = CommitDraft(message="More", changes={"other.md": b"text\n"})
    actions.push(made.world, made.user("olga"), made.provisioner, "main", draft)
    assert_quiet(made, server)
    assert open_in(made.provisioner) == [mr]


# --- taken into people's hands ----------------------------------------------------------


def test_one_that_somebody_closed_is_not_opened_again(
    made: NominationWorld, server: Server
) -> None:
    merged(made, server)
    (mr,) = open_in(made.provisioner)
    actions.close(made.world, made.user("olga"), mr)
    look(server, made)
    body = assert_quiet(made, server)
    assert "was closed by somebody" in body
    assert "```diff" in body
    assert len(offers_in(made.provisioner)) == 1
    actions.reopen(made.world, made.user("olga"), mr)
    look(server, made)
    assert "closed by somebody" not in assert_quiet(made, server)


def test_one_merged_and_taken_back_is_not_opened_again(
    made: NominationWorld, server: Server
) -> None:
    merged(made, server)
    (mr,) = open_in(made.provisioner)
    actions.merge(made.world, made.user("olga"), mr)
    change_file(made, made.provisioner, "inventory.json", ',\n        "nina"', "")
    look(server, made)
    assert "was merged, so it opens no other one" in assert_quiet(made, server)


def test_a_fork_s_merge_request_of_the_same_name_is_nobody_s(
    made: NominationWorld, server: Server
) -> None:
    sven = made.user("sven")
    fork = actions.fork_project(made.world, sven, made.provisioner)
    draft = CommitDraft(message="Mine", changes={"notes.md": b"mine\n"})
    actions.push(made.world, sven, fork, FIRST, draft)
    opening = MergeRequestDraft(
        title="Mine", source_branch=FIRST, target_branch="main", source_project=fork
    )
    theirs = actions.open_merge_request(made.world, sven, made.provisioner, opening)
    merged(made, server)
    assert {mr.source_project for mr in open_in(made.provisioner)} == {fork, made.provisioner}
    assert theirs.state == "opened"
    assert_quiet(made, server)


# --- where the bot may not --------------------------------------------------------------


@pytest.mark.sample(1)
@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        ("role", "lacks the Developer role"),
        ("archived", "the project is archived"),
        ("protected", "a branch may be protected"),
        ("refused", "a branch may be protected"),
        ("branch", "with something else on it"),
    ],
)
def test_where_the_bot_may_not_the_diff_stays_with_one_line_why(
    made: NominationWorld, server: Server, trouble: str, words: str
) -> None:
    project = made.provisioner
    if trouble == "role":
        join(made, project, Level.REPORTER)
    elif trouble == "archived":
        project.archived = True
    elif trouble == "protected":
        project.protected_branches.append(Protection(name="nomination-bot/*"))
    elif trouble == "refused":
        server.fault(Fault(route="POST *repository/commits", kind=Kind.FORBIDDEN))
    else:
        draft = CommitDraft(message="Mine", changes={"notes.md": b"mine\n"})
        actions.push(made.world, made.user("olga"), project, FIRST, draft)
    body = merged(made, server)
    assert offers_in(project) == []
    assert body.count(words) == (2 if trouble == "refused" else 1)
    assert '+        "nina"' in body
    again = look(server, made)
    assert again.problems == []
    assert again.evaluation.report is not None
    assert len(made.own_notes()) == 1


# --- doubtful writes, and two runs at once ----------------------------------------------


@pytest.mark.parametrize(
    "route", ["POST *repository/commits", "POST /projects/{id}/merge_requests"]
)
@pytest.mark.parametrize("kind", [Kind.ERROR_AFTER, Kind.CUT_AFTER, Kind.ERROR_BEFORE])
@pytest.mark.sample(1)
def test_after_a_lost_answer_the_bot_looks_before_it_writes_again(
    made: NominationWorld, server: Server, route: str, kind: Kind
) -> None:
    server.fault(Fault(route=route, kind=kind, calls=[0]))
    merged(made, server)
    assert len(offers_in(made.provisioner)) == 1
    assert len(offers_in(made.gateway)) == 1
    assert_quiet(made, server)


@pytest.mark.parametrize("word", ["gate", "comment", "mark"])
def test_a_step_that_failed_is_taken_for_no_write_of_its_name(
    made: NominationWorld, server: Server, tmp_path: Path, word: str
) -> None:
    text = (EXAMPLE / "ai-gateway.yml").read_text("utf-8")
    assert "  - id: inventory\n" in text
    named = text.replace("  - id: inventory\n", f"  - id: {word}\n")
    (tmp_path / "ai-gateway.yml").write_text(named, "utf-8")
    about = settings(server.url) | {"NOMINATION_BOT_POLICIES": str(tmp_path)}
    run_here("check", f"{TEAM}!1", **about)
    made.merge()
    server.fault(Fault(route="POST *merge_requests", kind=Kind.ERROR_BEFORE))
    done = run_here("check", f"{TEAM}!1", **about)
    assert done.returncode == 1
    assert "  did: update comment" in done.stdout
    assert "could not: " not in done.stdout
    assert "gate not set" not in done.stdout
    assert f"step {word}: no merge request was opened" in done.stderr


def test_a_branch_that_an_ended_run_left_is_used(made: NominationWorld, server: Server) -> None:
    look(server, made)
    made.merge()
    server.fault(Fault(route="POST *merge_requests", kind=Kind.ERROR_BEFORE))
    assert look(server, made).problems != []
    assert offers_in(made.provisioner) == []
    server.misbehaving.faults.switch_off()
    assert look(server, made).problems == []
    assert [mr.source_branch for mr in open_in(made.provisioner)] == [FIRST]
    made.world.tick(7_200)
    assert_quiet(made, server)


def test_what_a_former_account_opened_is_found_without_a_write(
    made: NominationWorld, server: Server
) -> None:
    merged(made, server)
    former = add_user(made.world, "former-bot")
    for project in (made.provisioner, made.gateway):
        for mr in offers_in(project):
            mr.author = former
    body = assert_quiet(made, server, most=7)  # a look for each of two steps
    assert [len(open_in(each)) for each in (made.provisioner, made.gateway)] == [1, 1]
    assert "in inventory.json | ✗&nbsp;to&nbsp;do, see [!1]" in body


def test_doubled_ones_are_healed(made: NominationWorld, server: Server) -> None:
    merged(made, server)
    (mr,) = open_in(made.provisioner)
    bot = made.user("nomination-bot")
    draft = CommitDraft(
        message="Twice",
        changes={"inventory.json": read(made.provisioner, FIRST, "inventory.json").encode()},
    )
    actions.push(made.world, bot, made.provisioner, f"{FIRST}.2", draft)
    opening = MergeRequestDraft(title="x", source_branch=f"{FIRST}.2", target_branch="main")
    actions.open_merge_request(made.world, bot, made.provisioner, opening)
    look(server, made)
    assert open_in(made.provisioner) == [mr]
    assert_quiet(made, server)


def test_the_policies_of_these_tests_open_two() -> None:
    (policy,) = opening_policies()
    assert sum(getattr(step.check, "open", False) for step in policy.follow_ups) == 2


def test_the_example_is_the_shipped_policy_but_for_what_is_opened() -> None:
    (example,) = load_policies(EXAMPLE)
    assert replace(example, source="") == replace(opening_policies()[0], source="")


# --- odd cases, without a server --------------------------------------------------------


LISTED = ListedIn(
    project="g/p", ref="main", path="x", format="yaml", entry=None, key="members", open=True
)
STEP = make_follow_up(LISTED)
POLICY = make_policy(follow_ups=(STEP,))
NEED = find_offers_of(STEP, ("ada",))
FILE = {FileAt("g/p", "main", "x"): b"members: [zoe]\n"}


def plan(offers: Offers | Unread | None, **changes: Any) -> Step:
    """Plan what the bot does for the one step, after the merge."""
    assert NEED is not None
    known = {} if offers is None else {NEED: offers}
    evidence = make_evidence(files=changes.pop("files", FILE), offers=known)
    case = make_case(POLICY, evidence=evidence, **changes)
    return plan_offers(case, assess(case, make_replay(), None), (), held=False).steps[0]


@pytest.mark.parametrize(
    ("offers", "why"),
    [
        (None, "not known"),
        (Unread(reason="GitLab answered 502"), "GitLab answered 502"),
        (Offers(items=(), complete=False), "too many"),
    ],
)
def test_where_it_is_not_known_what_was_opened_nothing_is(
    offers: Offers | Unread | None, why: str
) -> None:
    step = plan(offers)
    assert not step.move
    assert why in (step.left or "")
    done = plan(offers, files={FileAt("g/p", "main", "x"): b"members: [ada]\n"})
    assert (done.move, done.left) == (Move(), None)


def test_in_doubt_about_the_account_nothing_is_opened_or_closed() -> None:
    doubt = Present(username="ada", doubt="it could not be looked up")
    for items in ((), (make_offer(branch=NEED.branches[0]),) if NEED else ()):
        assert not plan(Offers(items=items), present=doubt).move


def test_where_no_edit_can_be_made_none_is_opened() -> None:
    odd = {FileAt("g/p", "main", "x"): b"a: &a [zoe]\nmembers: *a\n"}
    step = plan(Offers(items=()), files=odd)
    assert not step.move
    assert step.left is None


@pytest.mark.parametrize(
    "name", ["Ada", "a..b", "x/../y", "ada.lock", "-ada", "é", "a" * 300, "@a"]
)
def test_whatever_the_name_the_branch_is_one_that_git_takes(name: str) -> None:
    branches = offer_branches(LISTED, name)
    assert len(set(branches)) == len(branches) == 3
    for branch in branches:
        assert re.fullmatch(r"nomination-bot/x-[0-9a-f]{8}/[a-z0-9_-]+(\.[23])?", branch)
        assert len(branch) < 120
    other = offer_branches(LISTED, f"{name}.")
    assert not {*branches} & {*other}


def test_the_title_mentions_nobody() -> None:
    assessment = replace(make_assessment(POLICY), nomination=make_nomination("@ada"))
    text = describe_offer(assessment, assessment.steps[0], make_merge_request(), shipped()[1])
    assert "@" not in text.title


def test_a_description_that_gitlab_would_execute_is_refused() -> None:
    step = replace(STEP, help="/approve")
    assessment = make_assessment(make_policy(follow_ups=(step,)))
    with pytest.raises(ConfigError, match="GitLab would execute"):
        describe_offer(assessment, assessment.steps[0], make_merge_request(), shipped()[1])


class FakeGitLab:
    """Answers what opening a merge request asks for, and fails where it is told to."""

    def __init__(self, content: bytes, **failures: GitLabError) -> None:
        self.content = content
        self.failures = failures
        self.asked: list[str] = []
        self.account: Person | None = Person(id=7, username="ada")
        self.there: tuple[Offer, ...] = ()
        self.later = False  # whether those are there only once a branch was made

    def _do(self, name: str) -> None:
        self.asked.append(name)
        if name in self.failures:
            raise self.failures[name]

    def fetch_now(self, need: Asks[Any]) -> Any:
        """Find the account, or those that are there by now."""
        if isinstance(need, ProfileOf):
            self._do("account")
            return self.account
        return Offers(items=() if self.later and "branch" not in self.asked else self.there)

    def fetch_file(self, project: str, path: str, ref: str) -> tuple[bytes, str]:  # noqa: ARG002
        """Return the file."""
        self._do("file")
        return self.content, "abc"

    def fetch_change(self, *_: str) -> tuple[str, str, str] | None:
        """Find no change."""
        return None

    def start_branch(self, project: str, fields: Mapping[str, object]) -> None:  # noqa: ARG002
        """Make a branch."""
        self._do("branch")

    def open_offer(self, project: str, fields: Mapping[str, object]) -> Offer:  # noqa: ARG002
        """Open one."""
        self._do("open")
        return make_offer()

    def close_offer(self, project: str, iid: int, description: str) -> None:  # noqa: ARG002
        """Close one."""
        self._do("close")


def attempt(gitlab: FakeGitLab, move: Move) -> tuple[Step, list[str]]:
    assert NEED is not None
    assessment = make_assessment(POLICY, evidence=make_evidence(files=FILE))
    step = replace(assessment.steps[0], move=move)
    text = OfferText(title="t", description="d")
    work = Work(
        assessment=assessment, step=step, need=NEED, gitlab=gitlab, describe=lambda *_: text
    )
    done, problems = do_step(work)
    return done, list(map(str, problems))


OPENING = Move(opens="nomination-bot/x")
DOUBT = DoubtfulWriteError("it is not known")
FULL = RefusedError(409, "in use", "POST")


@pytest.mark.parametrize(
    ("gitlab", "left", "problem"),
    [
        (FakeGitLab(b"members: [ada]\n"), "changed just now", None),
        (FakeGitLab(b"\xff\xfe"), "changed just now", None),
        (FakeGitLab(b"members: []\n", branch=DOUBT), None, "not known"),
        (FakeGitLab(b"members: []\n", open=DOUBT), None, "not known"),
        (FakeGitLab(b"members: []\n", open=FULL), "answered 409", None),
        (FakeGitLab(b"members: []\n", file=GitLabError("no time")), None, "no time"),
        (FakeGitLab(b"members: []\n"), None, None),
    ],
)
def test_what_goes_wrong_is_told_once(
    gitlab: FakeGitLab, left: str | None, problem: str | None
) -> None:
    step, problems = attempt(gitlab, OPENING)
    assert (left or "") in (step.left or "")
    assert bool(step.left) is bool(left)
    assert (step.offer is None) is bool(left or problem)
    assert [problem in each for each in problems if problem] == ([True] if problem else [])
    assert bool(problems) is bool(problem)
    assert max(map(gitlab.asked.count, gitlab.asked)) <= 3


def test_an_account_that_gitlab_does_not_know_is_offered_nothing() -> None:
    gitlab = FakeGitLab(b"members: []\n")
    gitlab.account = None
    step, _ = attempt(gitlab, OPENING)
    assert "no such account" in (step.left or "")
    assert gitlab.asked == ["account"]


def test_where_one_cannot_be_closed_no_other_is_opened() -> None:
    gitlab = FakeGitLab(b"members: []\n", close=GitLabError("GitLab answered 500"))
    move = Move(opens="nomination-bot/x", closes=((make_offer(), "it is doubled"),))
    step, problems = attempt(gitlab, move)
    assert gitlab.asked == ["close"]
    assert step.offer is None
    assert len(problems) == 1


def test_many_merge_requests_of_the_bot_are_asked_for_by_branch(
    made: NominationWorld, server: Server
) -> None:
    merged(made, server)
    bot = made.user("nomination-bot")
    for number in range(60):
        draft = CommitDraft(message="x", changes={f"{number}.md": b"x"})
        actions.push(made.world, bot, made.provisioner, f"other-{number}", draft)
        opening = MergeRequestDraft(
            title="x", source_branch=f"other-{number}", target_branch="main"
        )
        actions.open_merge_request(made.world, bot, made.provisioner, opening)
    assert_quiet(made, server, most=6)
    assert len(open_in(made.provisioner)) == 1


@pytest.mark.parametrize("later", [False, True])
@pytest.mark.parametrize("state", ["opened", "closed"])
def test_one_that_another_run_opened_meanwhile_is_taken(state: str, later: bool) -> None:
    gitlab = FakeGitLab(b"members: []\n")
    gitlab.later = later
    gitlab.there = (make_offer(branch="nomination-bot/x", state=state),)
    step, problems = attempt(gitlab, OPENING)
    assert problems == []
    assert step.offer == (gitlab.there[0] if state == "opened" else None)
    assert ("branch" in gitlab.asked, "open" in gitlab.asked) == (later, False)


def test_the_door_tells_what_is_not_there(made: NominationWorld, server: Server) -> None:
    with connect(server) as client:
        assert client.fetch_now(ProfileOf("nobody-of-that-name")) is None
        for number in range(2):
            draft = CommitDraft(message="x", changes={f"{number}.md": b"x"})
            actions.push(made.world, made.user("olga"), made.gateway, "two", draft)
        assert client.fetch_change(made.gateway.path_with_namespace, "main", "two") is None
        with pytest.raises(GitLabError, match="cannot be read"):
            client.fetch_now(OffersOf("no/such", branches=("a",)))
