"""Tests of the answer before any merge request exists, mostly by the command that gives it."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.app.asked import with_outcomes
from bot.app.ready import COMES_LATER, is_later, is_ready
from bot.assessment import kinds
from bot.assessment.assessing import Assessment
from bot.assessment.findings import NearMiss, Outcome, Outcomes
from bot.report.words import Words
from bot.sandbox.http.server import Server
from bot.sandbox.world.entities import Level, Member
from tests.builders import (
    GITLAB,
    make_assessment,
    make_evidence,
    make_merged,
    make_policy,
    make_requirement,
    make_work,
)
from tests.nomination_world import (
    DOCS_POLICY,
    ENTRY,
    FOLDER,
    GATEWAY,
    START,
    NominationWorld,
    entry,
    make_world,
    merge_elsewhere,
    run_reading,
)

SCHEMA: dict[str, Any] = json.loads(
    (Path(__file__).parent.parent / "bot/assessment.schema.json").read_text("utf-8")
)
CODES = {
    *SCHEMA["$defs"]["near_miss"]["properties"]["why"]["enum"],
    *("own", "assigned_only", "in_no_thread", "not_asked"),
    *("not_read_whole", "before_stage", "no_stage"),
    *("other_branch", "after_merge", "not_dated"),
}
LATER_ONES = {"assigned", "knowledge"}
NEW_POLICY = (
    DOCS_POLICY
    + """\
  - id: approved
    kind: approved_by
    title: Get it approved
    enforcement: blocking
    actor: maintainer
    by: maintainers
    at_least: 1
    help: Ask.
  - id: wait
    kind: open_for
    title: Wait
    enforcement: blocking
    actor: nominee
    days: 3
    help: Wait.
"""
)


@pytest.fixture
def made() -> NominationWorld:
    return make_world()


@pytest.fixture(autouse=True)
def only_reading(made: NominationWorld) -> Iterator[None]:
    yield
    assert made.writes() == []


def ready(server: Server, *arguments: str, **more: str | Path) -> str:
    """Return what the command prints."""
    done = run_reading(server, "ready", *arguments, **more)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def refusal(server: Server, *arguments: str) -> str:
    """Return the line in which the command refuses."""
    done = run_reading(server, "ready", *arguments)
    assert (done.returncode, done.stdout) == (1, "")
    return done.stderr


def told(server: Server, *arguments: str, **more: str | Path) -> Any:
    """Return the one nomination that the command prints as JSON."""
    (nomination,) = json.loads(ready(server, *arguments, "--json", **more))
    return nomination


def verdicts(nomination: Mapping[str, Any]) -> dict[str, str]:
    """Return the judgements by requirement."""
    return {each["id"]: each["verdict"] for each in nomination["requirements"]}


def first_line(text: str) -> str:
    return text.splitlines()[0]


def write_policies(directory: Path) -> Path:
    """Write a policy that asks for an earlier role, and for what comes with a merge request."""
    (directory / "docs.yml").write_text(NEW_POLICY, encoding="utf-8")
    return directory


def join_group(made: NominationWorld, name: str) -> None:
    """Make somebody a direct member of the maintainers' group."""
    user = made.user(name)
    made.group.members[user.id] = Member(user=user, level=Level.DEVELOPER, created_at=START)


# --- ready or not -------------------------------------------------------------------------


def test_who_lacks_only_what_a_merge_request_shows_is_ready(server: Server) -> None:
    text = ready(server, "nina")
    assert first_line(text).startswith("Ready: nina as Maintainer of the AI Gateway (ai-gateway@")
    assert "  met      Author at least 5 merge requests: 6 of 5\n" in text
    assert text.count("  later    ") == len(LATER_ONES)
    assert text.count(f"({COMES_LATER})") == len(LATER_ONES)
    nomination = told(server, "nina")
    assert nomination["ready"] is True
    assert verdicts(nomination) == {
        "authored": "met",
        "reviewed": "met",
        "assigned": "unknown",
        "knowledge": "unknown",
    }
    for each in nomination["requirements"]:
        later = each["id"] in LATER_ONES
        assert (each["reason"], each["found"] is None) == (COMES_LATER if later else None, later)
    assert nomination["cautions"] == []


@pytest.mark.parametrize("given", [{"reviewed": 3}, {"authored": 1}])
def test_who_lacks_merge_requests_is_not_ready(given: dict[str, int]) -> None:
    with Server(make_world(**given).world) as server:
        assert first_line(ready(server, "nina")).startswith("Not ready: nina as ")
        assert told(server, "nina")["ready"] is False


def test_an_account_that_gitlab_does_not_know_is_an_error(
    made: NominationWorld, server: Server
) -> None:
    made.push({f"{FOLDER}/g/gone.yml": entry("gone", "reviewer")}, branch="main", by="olga")
    assert "GitLab knows no account 'gone'" in refusal(server, "gone")
    assert "GitLab knows no account 'never'" in refusal(server, "never")


def test_their_entry_is_found_by_the_account_it_names(
    made: NominationWorld, server: Server
) -> None:
    files = {ENTRY: entry("dora"), f"{FOLDER}/n/nina-k.yml": entry("NINA", "trainee_maintainer")}
    made.push(files, branch="main", by="olga")
    text = ready(server, "nina")
    assert "--entry SLUG" not in text
    assert "nina-k" not in text


def test_only_an_entry_that_names_exactly_them_is_theirs(
    made: NominationWorld, server: Server
) -> None:
    files = {
        ENTRY: None,
        f"{FOLDER}/n/nina-b.yml": entry("nina-b", "trainee_maintainer"),
        f"{FOLDER}/o/odd.yml": b"gitlab: nina\n  x: [",
        "notes/nina.yml": entry("nina", "trainee_maintainer"),
    }
    made.push(files, branch="main", by="olga")
    assert first_line(ready(server, "nina")).startswith("Could not be told: nina as ")


def test_what_is_recommended_keeps_nobody_from_being_ready() -> None:
    unmet = make_requirement(kinds.RoleHeld(role="docs_expert"), blocking=False)
    assert is_ready(make_assessment(make_policy(unmet))) is True


def test_no_kind_that_a_merge_request_shows_is_judged_without_one(
    made: NominationWorld, server: Server, tmp_path: Path
) -> None:
    policies = write_policies(tmp_path)
    held = entry("nina", "trainee_maintainer").replace(b"ai-gateway", b"docs")
    made.push({ENTRY: held}, branch="main", by="olga")
    nomination = told(server, "nina", NOMINATION_BOT_POLICIES=policies)
    assert verdicts(nomination) == {"trained": "met", "approved": "unknown", "wait": "unknown"}
    assert nomination["ready"] is True


# --- whose entry --------------------------------------------------------------------------


def test_without_their_entry_earlier_roles_are_not_known(
    made: NominationWorld, server: Server, tmp_path: Path
) -> None:
    made.push({ENTRY: None}, branch="main", by="olga")
    text = ready(server, "nina")
    assert first_line(text).startswith("Could not be told: nina as ")
    (line,) = [line for line in text.splitlines() if "as a trainee maintainer" in line]
    assert line.startswith("  UNKNOWN  ")
    assert line.endswith("(no entry of theirs was found: say which it is with --entry SLUG)")
    assert "never had the earlier role" not in text
    nomination = told(server, "nina")
    assert nomination["ready"] is None
    _, reviewed, *_ = nomination["requirements"]
    assert (reviewed["verdict"], reviewed["near_misses"]) == ("unknown", [])
    assert "--entry SLUG" in reviewed["stage"]["unread"]
    assert "--entry SLUG" in nomination["manager"]["unread"]
    policies = write_policies(tmp_path)
    asked = told(server, "nina", NOMINATION_BOT_POLICIES=policies)["requirements"][0]
    assert (asked["id"], asked["verdict"], asked["found"]) == ("trained", "unknown", None)
    assert "--entry SLUG" in asked["reason"]


def test_with_their_entry_named_it_is_known_that_they_never_had_a_role(
    made: NominationWorld, server: Server
) -> None:
    made.push({f"{FOLDER}/n/nina-k.yml": entry("nina")}, branch="main", by="olga")
    nomination = told(server, "nina", "--entry", "nina-k")
    assert nomination["ready"] is False
    assert verdicts(nomination)["reviewed"] == "unmet"
    assert nomination["manager"] == {"username": "mia", "missing": None}


@pytest.mark.parametrize("username", ["Nina", "@NINA"])
def test_an_entry_is_found_by_the_username_in_lower_case(server: Server, username: str) -> None:
    nomination = told(server, username)
    assert (nomination["path"], nomination["ready"]) == (ENTRY, True)


def test_an_entry_that_is_named_is_taken_as_it_is_written(
    made: NominationWorld, server: Server
) -> None:
    path = f"{FOLDER}/n/Nina-K.yml"
    made.push({path: entry("nina")}, branch="main", by="olga")
    assert told(server, "nina", "--entry", "Nina-K")["path"] == path


# --- who is one already -------------------------------------------------------------------


def test_who_has_the_role_in_the_entry_is_told_so(made: NominationWorld, server: Server) -> None:
    made.push({ENTRY: entry("nina", "Maintainer backend")}, branch="main", by="olga")
    text = ready(server, "nina")
    caution = f"They hold the role already: {ENTRY} names them maintainer of ai-gateway."
    assert text.splitlines()[1] == f"  look at  {caution}"
    nomination = told(server, "nina")
    assert nomination["cautions"] == [caution]
    assert nomination["from"] == nomination["to"] == ["Maintainer backend"]


def test_who_is_in_the_maintainers_group_is_told_so(made: NominationWorld, server: Server) -> None:
    join_group(made, "nina")
    caution = f"They are a maintainer already, as a direct member of {made.group.full_path}."
    assert f"  look at  {caution}\n" in ready(server, "Nina")
    nomination = told(server, "Nina")
    assert nomination["cautions"] == [caution]
    assert nomination["to"] == ["trainee_maintainer", "maintainer"]


# --- why something does not count ---------------------------------------------------------


def written(assessment: Assessment) -> str:
    """Return what the command would print of an assessment."""
    values = {"ready": is_ready(assessment), "is_later": is_later}
    words = Words(None, GITLAB, "nomination")
    return words.render("ready.txt.j2", assessment=assessment, **values)


def with_near_miss(why: str) -> Assessment:
    """Assess somebody who has one near miss."""
    assessment = make_assessment(make_policy(), evidence=make_evidence(make_work(reviewed=1)))
    (finding,) = assessment.findings
    near = NearMiss(merged=make_merged(240), why=why)
    return replace(assessment, findings=(replace(finding, near_misses=(near,)),))


@pytest.mark.parametrize("why", sorted(CODES))
def test_every_reason_of_a_near_miss_is_put_in_words(why: str) -> None:
    text = written(with_near_miss(why))
    assert "not counted: !240 (" in text
    assert why not in text.split("not counted: !240 (")[1].split()


def test_a_reason_without_words_is_shown_as_it_is() -> None:
    assert "not counted: !240 (brand_new)" in written(with_near_miss("brand_new"))


def test_a_near_miss_of_a_real_one_is_shown(made: NominationWorld, server: Server) -> None:
    merged = made.gateway.merge_requests[11]
    merged.approvals.clear()
    merged.reviewers[0].state = "unreviewed"
    merged.notes.clear()
    text = ready(server, "nina")
    assert first_line(text).startswith("Not ready: ")
    assert "not counted: !11 (reviewer, but no approval, review or comment is seen)" in text


# --- pages to count again on --------------------------------------------------------------


def test_the_pages_with_the_same_lists_are_those_of_the_gitlab_that_was_asked(
    server: Server,
) -> None:
    authored, reviewed, assigned, _ = told(server, "nina")["requirements"]
    page = f"{server.url}/{GATEWAY}/-/merge_requests?scope=all&state=merged&target_branch=main"
    assert authored["lists"] == [{"label": "authored", "url": f"{page}&author_username=nina"}]
    assert len(reviewed["lists"]) == 2
    assert assigned["lists"] == []


# --- what if ----------------------------------------------------------------------------


def test_a_policy_in_a_file_is_judged_by_whether_it_is_in_force_or_not(
    made: NominationWorld, server: Server, tmp_path: Path
) -> None:
    made.world.tick(60)
    shipped = (Path(__file__).parent.parent / "bot/policies/ai-gateway.yml").read_text("utf-8")
    stricter = tmp_path / "next.yml"
    text = (
        shipped.replace("at_least: 5", "at_least: 50")
        .replace('version: "2024-07-29"', 'version: "next"')
        .replace("in_force_from: 2024-07-29", "in_force_from: 2099-01-01")
    )
    assert text.count("at_least: 50") == shipped.count("at_least: 5") > 0
    stricter.write_text(text, "utf-8")
    (now,) = json.loads(ready(server, "nina", "--json"))
    (then,) = json.loads(ready(server, "nina", "--policy", str(stricter), "--json"))
    assert (now["ready"], then["ready"]) == (True, False)
    assert then["policy"] == "ai-gateway@next"


def test_a_file_with_a_mistake_is_refused_with_its_place(server: Server, tmp_path: Path) -> None:
    (tmp_path / "odd.yaml").write_text("id: [", "utf-8")
    assert "odd.yaml:" in refusal(server, "nina", "--policy", str(tmp_path / "odd.yaml"))
    assert "No such file" in refusal(server, "nina", "--policy", "nowhere.yml")


# --- how it went ------------------------------------------------------------------------


def test_how_the_counted_merge_requests_went_is_told_whole(
    server: Server, made: NominationWorld
) -> None:
    mr = merge_elsewhere(made, author="nina", reviewer="max")
    assert "as they were" not in ready(server, "nina")
    text = ready(server, "nina", "--outcomes")
    assert f"  shown    How the merge requests in {GATEWAY} went\n" in text
    assert "           reviewed and then merged: 5 of 5 as they were, 0 after comments, " in text
    assert "             What GitLab noted after the nominee" in text
    assert "           authored and then merged: 0 of 7 as they were, " in text
    link = f"{server.url}/{GATEWAY}/-/merge_requests/{mr.iid}"
    assert f"             !{mr.iid} no review is seen  {link}\n" in text
    assert text.count(f"{server.url}/{GATEWAY}/-/merge_requests/") == 12
    assert "           merged from 2026-01-06 to 2026-01-06, in the top (1)\n" in text
    (shown,) = (e for e in told(server, "nina", "--outcomes")["requirements"] if e["outcomes"])
    assert (shown["verdict"], shown["blocking"]) == ("shown", False)
    assert [each["state"] for each in shown["outcomes"]["reviewed"]] == ["as_it_was"] * 5


def test_a_policy_that_tells_it_already_tells_it_once() -> None:
    policy = make_policy(make_requirement(kinds.AuthoredMergeRequests(at_least=1)))
    once = with_outcomes(policy)
    assert [type(each.rule) for each in once.requirements[1:]] == [kinds.ReviewOutcomes]
    assert with_outcomes(once) == once
    assert (
        with_outcomes(make_policy(make_requirement(kinds.RoleHeld(role="a")))).requirements[1:]
        == ()
    )


WAYS = {
    "as_it_was": "as it was",
    "no_review": "no review is seen",
    "unknown": "not known",
    "rebase": "after a rebase",
    "commits": "after further commits and 2 comments",
    "comments": "after 2 comments",
}


@pytest.mark.parametrize(("state", "words"), WAYS.items())
def test_each_way_that_it_went_has_its_words(state: str, words: str) -> None:
    outcome = Outcome(merged=make_merged(7), state=state, threads=2)
    outcomes = Outcomes(authored=(outcome,), left_out=3)
    assessment = make_assessment(make_policy(make_requirement(kinds.ReviewOutcomes())))
    finding = replace(assessment.findings[0], outcomes=outcomes)
    values = {"assessment": replace(assessment, findings=(finding,)), "is_later": is_later}
    text = Words(None, GITLAB, "nomination").render("ready.txt.j2", ready=True, **values)
    assert f"!7 {words}  " in text
    assert "not looked at: 3 older ones" in text
