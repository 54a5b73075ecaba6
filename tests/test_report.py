"""Tests of the words: the comment, the gate's line, and what hostile texts can do to them."""

import re
import shutil
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import jinja2
import pytest
from hypothesis import given, strategies as st
from markdown_it import MarkdownIt

from bot import policy as rules
from bot.assessment import kinds
from bot.assessment.assessing import Assessment
from bot.assessment.findings import Verdict
from bot.assessment.kinds.attested import Topic
from bot.commands.values import Answer, Outcome
from bot.errors import ConfigError
from bot.evidence import FileAt, Manager
from bot.evidence.history import Tenure
from bot.nomination.values import Remark
from bot.publish.plan import is_same_text
from bot.report import templating
from bot.report.filters import assignable
from bot.report.rendering import BODY_LIMIT, MARKER, decide_gate, render_report
from bot.report.templating import KeptTemplates, shipped_templates
from bot.report.values import About, Findings, GateState
from bot.report.words import Words
from bot.unread import Unread
from tests import gallery
from tests.builders import (
    GITLAB,
    NOW,
    make_assessment,
    make_detection,
    make_evidence,
    make_findings,
    make_follow_up,
    make_hold,
    make_member,
    make_members,
    make_merge_request,
    make_merged,
    make_nomination,
    make_person,
    make_policy,
    make_replay,
    make_requirement,
    make_waiver,
    make_work,
)
from tests.everything import EVERY_CHECK, EVERY_RULE, EVERYTHING
from tests.gallery import SCENES
from tests.sampling import examples

WORDS = Words(None, GITLAB, "nomination")
UNREAD = Unread(reason="GitLab answered 403")


def render(findings: Findings, words: Words = WORDS, problem: str | None = None) -> str:
    return render_report(findings, words, NOW, problem).body or ""


def visible(markdown: str) -> str:
    """Return what a person reads of a comment: no addresses, tags and signs."""
    parser = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    return re.sub(r"<!--.*?-->|<[^>]*>", "", parser.render(markdown))


# --- every situation --------------------------------------------------------------------


@pytest.mark.parametrize("findings", SCENES.values(), ids=SCENES)
def test_every_situation_has_one_marker_first_and_a_foot(findings: Findings) -> None:
    body = render(findings)
    assert body.startswith(f"{MARKER}\n## Nomination")
    assert body.count("<!--") == 1
    assert body.count("/nomination recheck` · commands: `/nomination help`") == 1
    assert "(empty)" not in body
    assert not re.search(r"\n\n\n|[ \t]\n", body.replace(" \n", "\n", 2))


@pytest.mark.parametrize("findings", SCENES.values(), ids=SCENES)
def test_every_situation_leads_with_the_verdict_and_the_next_step(findings: Findings) -> None:
    verdict, following = [line for line in render(findings).splitlines() if line][2:4]
    assert verdict.startswith("**")
    is_over = (
        any(word in verdict for word in ("done:**", "**Over:**")) or "nothing" in verdict.casefold()
    )
    assert following.startswith("**Next step:**") is not is_over


@pytest.mark.parametrize("findings", SCENES.values(), ids=SCENES)
def test_every_table_has_its_columns(findings: Findings) -> None:
    for table in re.findall(r"(?m)(?:^\|.*\n)+", render(findings)):
        assert len({row.count("|") for row in table.splitlines()}) == 1
        assert table.splitlines()[1].startswith("| ---")


@pytest.mark.parametrize("findings", SCENES.values(), ids=SCENES)
def test_every_fold_is_closed(findings: Findings) -> None:
    body = render(findings)
    assert body.count("<details>") == body.count("</details>") == body.count("<summary>")


@pytest.mark.parametrize("title", ["Half met", "All met", "Waived", "Merged with steps open"])
def test_one_person_takes_less_than_four_thousand_characters_to_read(title: str) -> None:
    assert len(visible(render(SCENES[title]))) < 4_000


@pytest.mark.parametrize("title", ["Half met", "All met", "Waived"])
def test_what_is_not_folded_fits_one_screen(title: str) -> None:
    unfolded = re.sub(r"(?s)<details>.*?</details>", "", render(SCENES[title]))
    assert len(visible(unfolded)) < 1_500


def test_rendering_twice_gives_the_same() -> None:
    for findings in SCENES.values():
        assert render(findings) == render(findings)


def test_only_the_time_differs_between_two_moments() -> None:
    one, other = (
        render_report(SCENES["Half met"], WORDS, time).body
        for time in (NOW, NOW + timedelta(hours=3))
    )
    assert one != other
    assert (one or "").replace("09:30", "12:30") == other


def test_fifty_people_fit_into_one_comment() -> None:
    people = [gallery.person(f"person{number}", gallery.FULL) for number in range(50)]
    body = render(gallery.scene(*people))
    assert len(body) < 1_000_000
    assert body.count("## Nomination: ") == 50


def test_a_comment_beyond_the_limit_leaves_the_evidence_out() -> None:
    long = kinds.OpenFor(days=1)
    wanted = [make_requirement(long, id=f"r{n}", help="Read this. " * 1_000) for n in range(20)]
    people = [
        make_assessment(make_policy(*wanted), nomination=make_nomination(f"person{number}"))
        for number in range(5)
    ]
    body = render(make_findings(*people))
    assert 1_000 < len(body) < BODY_LIMIT
    assert "Evidence" not in body
    assert body.count("| What is wanted |") == 100


# --- the next step ----------------------------------------------------------------------


def next_step(rule: rules.Rule, **changes: Any) -> str:
    policy = make_policy(make_requirement(rule))
    body = render(make_findings(make_assessment(policy, **changes)))
    found = re.search(r"\*\*Next step:\*\* (.*)", body)
    assert found
    return found[1]


REPOSITORY = "`example-org/ai-gateway`"


@pytest.mark.parametrize(
    ("rule", "changes", "words"),
    [
        (
            kinds.AuthoredMergeRequests(at_least=5),
            {"evidence": make_evidence(make_work(authored=4))},
            "`@ada` authors 1 more merge request in [example-org/ai-gateway]",
        ),
        (
            kinds.ReviewedMergeRequests(at_least=5),
            {"evidence": make_evidence(make_work(reviewed=2))},
            "`@ada` reviews 3 more merge requests in [example-org/ai-gateway]",
        ),
        (
            kinds.AuthoredOrReviewed(at_least=5),
            {"evidence": make_evidence(make_work(1, 1))},
            "`@ada` authors or reviews 3 more merge requests in [example-org/ai-gateway]",
        ),
        (
            kinds.Attested(topics=(Topic(id="python", text="Python"),)),
            {},
            "`@ada` comments `/nomination attest all`",
        ),
        (
            kinds.Assigned(manager=True, maintainers=1),
            {},
            "the manager `@grace` and 1 maintainer of `ai-gateway` (such as `@margaret`, `@linus`)",
        ),
        (
            kinds.Assigned(manager=True, maintainers=2),
            {"merge_request": make_merge_request(assignees=(make_person("linus"),))},
            "the manager `@grace` and 1 maintainer of `ai-gateway` (such as `@margaret`).",
        ),
        (
            kinds.Assigned(manager=False, maintainers=2),
            {},
            "`@ada` assigns this merge request to 2 maintainers of `ai-gateway`",
        ),
        (
            kinds.Assigned(manager=True, maintainers=0),
            {"merge_request": make_merge_request(reviewers=(make_person("grace"),))},
            "the manager `@grace`, who is only a reviewer so far.",
        ),
        (
            kinds.Assigned(manager=True, maintainers=0),
            {"evidence": make_evidence(manager=Manager(username="ada"))},
            "the manager is not known (`reports_to` names the nominee): correct that first,",
        ),
        (
            kinds.Assigned(manager=True, maintainers=0),
            {"evidence": make_evidence(manager=Manager(username=None, missing="no account"))},
            "the manager is not known (no account): correct that first, in a merge request of its",
        ),
        (
            kinds.Assigned(manager=True, maintainers=1),
            {"evidence": make_evidence(manager=UNREAD)},
            "the manager (GitLab answered 403) and 1 maintainer",
        ),
        (
            kinds.Assigned(manager=True, maintainers=1),
            {"evidence": make_evidence(members=UNREAD)},
            "the manager `@grace` and a maintainer (no names: GitLab answered 403)",
        ),
        (
            kinds.Assigned(manager=False, maintainers=1),
            {"evidence": make_evidence(members=make_members("ada"))},
            "a maintainer (the group has none besides the nominee)",
        ),
        (
            kinds.ApprovedBy(at_least=2, by="maintainers"),
            {"merge_request": make_merge_request(approved_by=(make_person("linus"),))},
            "1 more maintainer approves this merge request.",
        ),
        (kinds.ApprovedBy(at_least=2, by="maintainers"), {}, "2 more maintainers approve"),
        (kinds.ApprovedBy(at_least=1, by="manager"), {}, "the manager approves"),
        (kinds.OpenFor(days=7), {}, "wait 5 more days: the merge request stays open for 7."),
        (kinds.OpenFor(days=3), {}, "wait 1 more day:"),
        (kinds.RoleHeld(role="reviewer"), {}, "Do it."),
        (
            kinds.AuthoredMergeRequests(at_least=5),
            {"evidence": make_evidence(UNREAD)},
            "could not be checked: GitLab answered 403. Comment `/nomination recheck` to try",
        ),
    ],
)
def test_the_next_step_is_exact(rule: rules.Rule, changes: dict[str, Any], words: str) -> None:
    assert words in next_step(rule, **changes)


def test_what_people_can_do_comes_before_what_is_unknown() -> None:
    policy = make_policy(
        make_requirement(kinds.AuthoredMergeRequests(at_least=5), id="a"),
        make_requirement(kinds.OpenFor(days=7), id="b", title="Wait a week"),
    )
    findings = make_findings(make_assessment(policy, evidence=make_evidence(UNREAD)))
    report = render_report(findings, WORDS, NOW)
    assert "**Next step:** wait 5 more days" in (report.body or "")
    assert report.gate
    assert report.gate.description == "Wait a week: 2 of 7 (and 1 more)"


def test_everything_that_people_can_do_now_is_said() -> None:
    body = render(SCENES["Nothing met"])
    steps = [line for line in body.splitlines() if line.startswith(("**Next", "**Also"))]
    assert [line.split(" ")[3] for line in steps] == ["assigns", "becomes", "authors"]


def test_a_ready_nominee_waits_for_the_others() -> None:
    first = render(SCENES["Several people"]).split("## Nomination")[1]
    assert "stays closed until the other nominations are ready" in first
    assert "merges it" not in first


def test_nobody_is_told_to_merge_what_is_not_known() -> None:
    body = render(SCENES["Ready, but it could not be read again"])
    assert "merges it" not in body
    assert "**Next step:** comment `/nomination recheck`" in body


# --- people and lines -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("assignees", "maintainers", "members", "names"),
    [
        ((), 1, ("margaret", "linus"), ["grace", "margaret"]),
        ((), 2, ("margaret", "linus"), ["grace", "margaret", "linus"]),
        (("margaret",), 2, ("margaret", "linus"), ["grace", "linus"]),
        (("grace",), 1, ("ada", "linus"), ["linus"]),
        (("grace", "linus"), 1, ("linus",), []),
        ((), 1, ("grace", "linus"), ["grace"]),
        ((), 1, ("not an account",), ["grace"]),
        ((), 0, ("linus",), ["grace"]),
    ],
)
def test_only_people_who_are_missing_are_offered_for_assignment(
    assignees: Sequence[str], maintainers: int, members: Sequence[str], names: list[str]
) -> None:
    rule = kinds.Assigned(manager=True, maintainers=maintainers)
    assessment = make_assessment(
        make_policy(make_requirement(rule)),
        merge_request=make_merge_request(assignees=tuple(map(make_person, assignees))),
        evidence=make_evidence(members=make_members(*members)),
    )
    assert assignable(assessment) == names
    block = "```\n/assign " + " ".join(f"@{name}" for name in names) + "\n```"
    assert (block in render(make_findings(assessment))) is bool(names)


def test_nobody_but_the_next_actor_is_mentioned_outside_of_code() -> None:
    for findings in SCENES.values():
        outside = re.sub(r"(?s)```.*?```|`[^`\n]*`", "", render(findings))
        outside = re.sub(r"Waiting for @[a-z]+ ?(?=since|\.)", "", outside)
        assert not re.search(r"@\w", outside.replace("ai-gateway@2024", ""))


def tracked(text: str) -> tuple[str, str]:
    """Return the edit of a list that lacks the nominee, and the comment that shows it."""
    check = rules.ListedIn(
        project="group/list", ref="main", path="a.json", format="json", entry=None, key="members"
    )
    policy = make_policy(follow_ups=(make_follow_up(check),))
    files = {FileAt("group/list", "main", "a.json"): text.encode()}
    merged = make_merge_request(state="merged")
    assessment = make_assessment(policy, evidence=make_evidence(files=files), merge_request=merged)
    (step,) = assessment.steps
    assert step.edit
    return step.edit, render(make_findings(assessment, merge_request=merged))


@pytest.mark.parametrize("end", ["}\n", "\n\n}\n", "\n\n\n\n}\n"])
def test_a_diff_stays_as_it_is(end: str) -> None:
    edit, body = tracked('{\n\t"a": 1,\n\n\n\t"members": [\n\t\t"linus"\n\t]\n' + end)
    assert f"```diff\n{edit}```" in body
    assert "by hand" not in body
    assert f"({GITLAB}/group/list/-/edit/main/a.json)" in body


@pytest.mark.parametrize("text", ['{\r\n"members": ["a"]\r\n}', '\ufeff{\n"members": ["a"]}\n'])
def test_a_diff_that_cannot_be_shown_is_not_said_to_apply(text: str) -> None:
    edit, body = tracked(text)
    assert edit not in body
    assert "make this change by hand" in body


def test_steps_for_people_are_left_to_people() -> None:
    policy = make_policy(follow_ups=(make_follow_up(rules.Manual()),))
    merged = make_merge_request(state="merged")
    body = render(
        make_findings(make_assessment(policy, merge_request=merged), merge_request=merged)
    )
    assert "every step that can be checked is done" in body
    assert "check&nbsp;by&nbsp;hand" in body
    assert "<summary>Take the step</summary>" in body


def test_a_merge_request_without_head_or_author_has_a_comment() -> None:
    merge_request = make_merge_request(head_sha=None, author=None, draft=True)
    for findings in (make_findings(), SCENES["All met"]):
        body = render(replace(findings, merge_request=merge_request))
        assert "None" not in body
        assert "head `" not in body


@pytest.mark.parametrize(
    ("remark", "meant"), [(gallery.NEAR_MISS, True), (gallery.UNREADABLE, False)]
)
def test_only_a_near_miss_was_evidently_meant(remark: Remark, meant: bool) -> None:
    body = render(make_findings(detection=make_detection(remarks=(remark,))))
    assert ("as if it was meant to" in body) is meant
    assert "Remarks on the changed entries" in body


def test_many_remarks_and_unread_files_are_cut() -> None:
    remarks = tuple(Remark(path=f"{n}.yml", message="odd", near_miss=True) for n in range(25))
    unread = tuple(replace(remark, message="gone") for remark in remarks)
    body = render(make_findings(detection=make_detection(remarks=remarks, unread=unread)))
    assert body.count("- and 5 more") == 2


def test_a_malformed_entry_is_told_once_and_is_the_authors_to_correct() -> None:
    malformed = Remark(path="a.yml", message="line 3 is no YAML", near_miss=False)
    away = replace(malformed, path="b.yml", message="GitLab answered 500")
    both = render(
        make_findings(detection=make_detection(remarks=(malformed,), unread=(malformed, away)))
    )
    assert both.count("line 3 is no YAML") == both.count("GitLab answered 500") == 1
    assert "**Next step:** correct what the remarks below say and push;" in both
    one = render(make_findings(detection=make_detection(unread=(away,))))
    assert "**Next step:** comment `/nomination recheck`; if this stays" in one


@pytest.mark.parametrize("title", ["All met", "Half met", "No longer a nomination"])
def test_a_gate_that_could_not_be_set_is_never_called_open_or_closed(title: str) -> None:
    claim = re.compile("gate (is open|closed|stays closed)")
    assert claim.search(render(SCENES[title]))
    assert not claim.search(render(SCENES[title], problem="GitLab answered 403: no"))


@pytest.mark.parametrize("findings", SCENES.values(), ids=SCENES)
def test_without_a_gate_the_comment_speaks_of_none(findings: Findings) -> None:
    # The table of all commands stays as it is.
    quiet = replace(findings, gated=False, replay=replace(findings.replay, help_wanted=False))
    assert not re.search(r"\bgate\b", visible(render(quiet)))


def test_a_gate_problem_is_said() -> None:
    body = render(SCENES["Half met"], problem="GitLab answered 403: no")
    assert "\nThe gate could not be set: GitLab answered 403: no\nThe merge" in re.sub(
        "\u2060", "", visible(body)
    )


def test_refused_commands_have_a_heading_and_the_last_ones_are_shown() -> None:
    answers = tuple(
        Answer(note_id=n, by="eve", outcome=Outcome.REFUSED, messages=(f"line {n}: no.",))
        for n in range(30)
    )
    body = render(make_findings(make_assessment(), replay=make_replay(answers=answers)))
    assert "**Commands that had no effect:**" in body
    assert "line 29: no." in body
    assert "line 0: no." not in body


def test_help_shows_every_command() -> None:
    body = render(SCENES["Help"])
    verbs = ("recheck", "help", "attest", "waive", "unwaive", "hold", "release")
    assert [verb for verb in verbs if f"- `/nomination {verb}" not in body] == []


def test_near_misses_say_why() -> None:
    evidence = make_evidence(
        make_work(
            reviewed=[
                make_merged(1, "ada", recorded=True),
                make_merged(2, assigned=True),
                make_merged(3, recorded=True),
            ]
        ),
        stage=Tenure(since=NOW, at_least=True),
    )
    rule = kinds.ReviewedMergeRequests(at_least=1, since_role="trainee_maintainer")
    body = render(
        make_findings(make_assessment(make_policy(make_requirement(rule)), evidence=evidence))
    )
    assert "the nominee is its author" in body
    assert "no approval, review or comment is seen" in body
    assert "before that" in body
    assert "as far as was examined" in body


@pytest.mark.parametrize("renames", [False, True])
def test_under_an_earlier_name_nothing_is_claimed_that_was_not_looked_for(renames: bool) -> None:
    rule = kinds.ReviewedMergeRequests(at_least=1, since_role="trainee_maintainer")
    policy = make_policy(make_requirement(rule))
    for since, words in ((NOW, "first appeared in the entry"), (None, "s history")):
        evidence = make_evidence(make_work(), stage=Tenure(since=since, renames=renames))
        body = render(make_findings(make_assessment(policy, evidence=evidence)))
        assert words in body
        assert (f"{words} under its present name" in body) is not renames


def test_comments_that_do_not_count_say_why() -> None:
    work = make_work(
        reviewed=[make_merged(1, assigned=True, commented=True, discussed=False)],
        bystander=(make_merged(2, commented=True),),
    )
    rule = kinds.ReviewedMergeRequests(at_least=1)
    policy = make_policy(make_requirement(rule))
    body = render(make_findings(make_assessment(policy, evidence=make_evidence(work))))
    assert "reviewer, and commented, but in no thread before the merge" in body
    assert "was never asked for a review; a maintainer may count it" in body


@pytest.mark.parametrize(
    ("reviews", "words"),
    [
        (0, "under its present name has no `trainee_maintainer` stage."),
        (0, "accepts fewer: `/nomination waive"),
        (4, "becomes `trainee_maintainer` first"),
        (4, "accepts the 4 found without it: `/nomination waive"),
        (1, "regardless of it, 1 was found."),
        (4, "regardless of it, 4 were found."),
    ],
)
def test_a_missing_stage_is_said_with_the_count_regardless_of_it(reviews: int, words: str) -> None:
    evidence = make_evidence(make_work(reviewed=reviews), stage=Tenure(since=None))
    rule = kinds.ReviewedMergeRequests(at_least=5, since_role="trainee_maintainer")
    policy = make_policy(make_requirement(rule))
    assert words in render(make_findings(make_assessment(policy, evidence=evidence)))


def test_a_merge_request_of_a_bot_counts_and_is_marked() -> None:
    reviewed = [make_merged(n, recorded=True, author_is_bot=n == 2) for n in (1, 2)]
    rule = kinds.ReviewedMergeRequests(at_least=2)
    policy = make_policy(make_requirement(rule))
    evidence = make_evidence(make_work(reviewed=reviewed))
    body = render(make_findings(make_assessment(policy, evidence=evidence)))
    assert "| ✓&nbsp;met | 2 | 2 |" in body
    assert body.count(", by a bot)") == 1


def test_a_manager_whose_account_cannot_act_is_said() -> None:
    manager = make_person("grace", active=False)
    policy = make_policy(make_requirement(kinds.Assigned(manager=True, maintainers=0)))
    mr = make_merge_request(assignees=(manager,))
    body = render(make_findings(make_assessment(policy, merge_request=mr), merge_request=mr))
    assert "- the manager `@grace`, whose account is blocked, deactivated or a bot" in body
    assert "If that cannot be done, a maintainer waives it" in body


# --- the gate ---------------------------------------------------------------------------

HELD = {"replay": make_replay(held=make_hold())}
INCOMPLETE = "Could not read everything; see the comment"
MET = make_assessment(evidence=make_evidence(make_work(5)))
UNMET = make_assessment()
UNKNOWN = make_assessment(evidence=make_evidence(UNREAD))
WAIVED = make_assessment(replay=make_replay(waivers={("ada", "wanted"): make_waiver()}))


@pytest.mark.parametrize(
    ("assessments", "changes", "state", "line"),
    [
        ((MET,), {}, GateState.PASSED, "Ready: every required point is met or waived"),
        ((WAIVED,), {}, GateState.PASSED, "Ready: every required point is met or waived"),
        ((UNMET,), {}, GateState.FAILED, "What is wanted: 0 of 5"),
        ((UNKNOWN,), {}, GateState.PENDING, "What is wanted: could not check"),
        ((MET, UNMET), {}, GateState.FAILED, "ada: What is wanted: 0 of 5"),
        ((UNKNOWN, UNMET), {}, GateState.FAILED, "ada: What is wanted: 0 of 5 (and 1 more)"),
        ((MET, UNKNOWN), {}, GateState.PENDING, "ada: What is wanted: could not check"),
        ((MET,), HELD, GateState.FAILED, "On hold by margaret"),
        ((), {}, GateState.PASSED, "Nominates nobody"),
        ((), HELD, GateState.PASSED, "Nominates nobody"),
        ((), {"unknown": ("x",)}, GateState.PENDING, INCOMPLETE),
        ((MET,), {"unknown": ("x",)}, GateState.PENDING, INCOMPLETE),
        (
            (MET,),
            {"detection": make_detection(unread=(gallery.UNREADABLE,))},
            GateState.PENDING,
            INCOMPLETE,
        ),
        ((UNMET,), {"unknown": ("x",)}, GateState.FAILED, "What is wanted: 0 of 5"),
    ],
)  # fmt: skip
def test_the_gate_says_the_first_missing_thing(
    assessments: Sequence[Assessment], changes: dict[str, Any], state: GateState, line: str
) -> None:
    report = render_report(make_findings(*assessments, **changes), WORDS, NOW)
    assert report.gate
    assert (report.gate.state, report.gate.description) == (state, line)
    assert report.gate.url == make_findings().gate_url


@given(st.lists(st.sampled_from([MET, UNMET, UNKNOWN, WAIVED])), st.booleans(), st.booleans())
def test_the_gate_opens_only_when_everything_is_known_and_met(
    assessments: list[Assessment], unknown: bool, held: bool
) -> None:
    findings = make_findings(
        *assessments,
        unknown=("something",) if unknown else (),
        replay=make_replay(held=make_hold() if held else None),
    )
    good = all(a is MET or a is WAIVED for a in assessments)
    expected = good and not unknown and not (held and assessments)
    assert (decide_gate(findings) is GateState.PASSED) is expected


def test_an_advisory_requirement_never_shuts_the_gate() -> None:
    advisory = make_requirement(kinds.AuthoredMergeRequests(at_least=5), blocking=False)
    for work in (make_work(), UNREAD):
        assessment = make_assessment(make_policy(advisory), evidence=make_evidence(work))
        assert decide_gate(make_findings(assessment)) is GateState.PASSED
        assert "(recommended)" in render(make_findings(assessment))


def test_a_requirement_that_is_met_needs_no_waiver() -> None:
    waivers = {("ada", "wanted"): make_waiver()}
    assessment = make_assessment(
        replay=make_replay(waivers=waivers), evidence=make_evidence(make_work(5))
    )
    assert assessment.findings[0].verdict is Verdict.MET


def test_a_waiver_of_somebody_else_has_no_effect() -> None:
    waivers = {("linus", "wanted"): make_waiver()}
    assert make_assessment(replay=make_replay(waivers=waivers)).ready is False


def test_a_waiver_shows_what_was_measured() -> None:
    body = render(make_findings(WAIVED))
    assert "~~What is wanted~~ | ✓&nbsp;waived | by `@margaret` | 5 |" in body
    assert "(measured: not met, 0 of 5)" in body


# --- templates --------------------------------------------------------------------------


def test_every_kind_is_shown_here() -> None:
    assert {type(rule) for rule in EVERY_RULE} == set(kinds.KINDS)
    assert {type(check) for check in EVERY_CHECK} == set(rules.CHECKS)


WORKS = (
    UNREAD,
    make_work(),
    make_work(9, 9),
    make_work(1, [make_merged(1), make_merged(2, "ada", recorded=True)]),
)
STAGES = (UNREAD, Tenure(since=None), Tenure(since=NOW - timedelta(days=150), at_least=True))
MANAGERS = (
    UNREAD,
    Manager(username=None, missing="x"),
    Manager(username="ada"),
    Manager(username="grace"),
)
MEMBERS = (
    UNREAD,
    make_members(owners=()),
    make_members("ada", make_member("linus", 20)),
    make_members(*map(str, range(9)), owners=map(str, range(99))),
)
FILES = (UNREAD, None, b"members: [ada]", b"members: [linus]\ngroups: [a/b]", b"[")
PEOPLE = ((), (make_person("grace"), make_person("linus"), make_person("0")))
STATES = ("opened", "merged", "closed", "locked")


@examples(150)
@given(st.data())
def test_no_combination_breaks_a_template(data: st.DataObject) -> None:
    def draw(options: Sequence[Any]) -> Any:
        return data.draw(st.sampled_from(options))

    replay = make_replay(
        waivers=draw([{}, {("ada", f"r{n}"): make_waiver() for n in range(11)}]),
        held=draw([None, make_hold()]),
        help_wanted=draw([False, True]),
    )
    people = draw(PEOPLE)
    merge_request = make_merge_request(
        state=draw(STATES), draft=draw([False, True]), assignees=people, approved_by=people
    )
    files = {FileAt("g/p", "main", "a"): draw(FILES)}
    assessment = make_assessment(
        EVERYTHING,
        replay,
        merge_request=merge_request,
        nomination=make_nomination(before=draw([(), ("trainee_maintainer",)])),
        evidence=make_evidence(
            draw(WORKS),
            stage=draw(STAGES),
            manager=draw(MANAGERS),
            members=draw(MEMBERS),
            files=files,
        ),
        attested=draw([frozenset(), frozenset("a"), frozenset("ab")]),
        account_doubt=draw([None, "doubt"]),
        newer_policy=draw([None, make_policy(version="2")]),
    )
    body = render(
        make_findings(
            assessment, merge_request=merge_request, replay=replay, unknown=draw([(), ("x",)])
        ),
        problem=draw([None, "no"]),
    )
    assert body.count(MARKER) == 1
    # GitLab's word for merge requests without a reviewer.
    assert "None" not in body.replace("reviewer_id=None", "")
    assert "(empty)" not in body


def test_an_operators_template_replaces_the_shipped_one(tmp_path: Path) -> None:
    (tmp_path / "gate.txt.j2").write_text("Ask {{ detection.remarks[0].message }}")
    words = Words(str(tmp_path), GITLAB, "nomination")
    remark = Remark(path="x", message="@all", near_miss=True)
    findings = make_findings(detection=make_detection(remarks=(remark,)))
    report = render_report(findings, words, NOW)
    assert report.gate
    assert report.gate.description.startswith("Ask ")
    assert "@all" not in report.gate.description
    assert "Nomination" in (report.body or "")


def test_templates_that_are_compiled_ahead_are_not_read_again(tmp_path: Path) -> None:
    template = tmp_path / "gate.txt.j2"
    template.write_text("first", "utf-8")
    words = Words(str(tmp_path), GITLAB, "nomination")
    words.prepare()
    template.write_text("second", "utf-8")
    assert words.render("gate.txt.j2") == "first"


class Counted(KeptTemplates):
    """Says how many templates it was given to keep."""

    given = 0

    def dump_bytecode(self, bucket: jinja2.bccache.Bucket) -> None:
        """Count it, whether it is to be kept or not."""
        self.given += 1
        super().dump_bytecode(bucket)


def test_an_own_template_is_compiled_anew_and_none_of_those_that_it_does_not_replace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped, own = tmp_path / "shipped", tmp_path / "own"
    shutil.copytree(shipped_templates(), shipped, ignore=shutil.ignore_patterns("__pycache__"))
    own.mkdir()
    (own / "gate.txt.j2").write_text("mine", "utf-8")
    counted = Counted(str(shipped / "__pycache__"), "%s.pyc")
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    monkeypatch.setattr(templating, "KEPT", counted)
    monkeypatch.setattr(templating, "shipped_templates", lambda: shipped)
    render(make_findings(), Words(str(own), GITLAB, "nomination"))
    first, kept = counted.given, len(list((shipped / "__pycache__").iterdir()))
    assert kept == first - 1 > 1
    words = Words(str(own), GITLAB, "nomination")
    render(make_findings(), words)
    assert counted.given == first + 1
    assert words.render("gate.txt.j2") == "mine"


@pytest.mark.sample(1)
@pytest.mark.parametrize(
    "text",
    [b"{{ nothing }}", b"{% if %}", b"{{ merge_request.nothing }}", b"{{ 1 + 'a' }}", b"\xff"],
)
def test_a_broken_template_is_an_expected_error(text: bytes, tmp_path: Path) -> None:
    (tmp_path / "gate.txt.j2").write_bytes(text)
    words = Words(str(tmp_path), GITLAB, "nomination")
    words.prepare()
    with pytest.raises(ConfigError, match=r"gate\.txt\.j2 cannot be used"):
        render(make_findings(), words)


def test_templates_that_are_not_there_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="NOMINATION_BOT_TEMPLATES"):
        Words(str(tmp_path / "gone"), GITLAB, "nomination")


def test_a_template_cannot_start_a_quick_action(tmp_path: Path) -> None:
    (tmp_path / "comment.md.j2").write_text("Thanks!\n/approve\n")
    with pytest.raises(ConfigError, match="GitLab would execute"):
        render(make_findings(), Words(str(tmp_path), GITLAB, "nomination"))


# --- the words ----------------------------------------------------------------------------


def test_a_heading_of_the_evidence_stands_alone() -> None:
    lines = render(SCENES["Half met"]).splitlines()
    headings = [n for n, line in enumerate(lines) if line.startswith("**") and "&nbsp;" in line]
    assert len(headings) == 4
    assert [lines[n + 1] for n in headings] == [""] * 4


def test_what_is_quoted_as_code_is_code() -> None:
    assert "&#96;" not in "".join(map(render, SCENES.values()))
    assert "`maintaner` for ai-gateway" in render(SCENES["Near miss"])


def test_the_group_of_a_step_leads_to_its_members() -> None:
    body = render(SCENES["Merged with steps open"])
    group = "gitlab-org/maintainers/ai-gateway"
    page = f"{GITLAB}/groups/{group}/-/group_members?with_inherited_permissions=exclude"
    assert f"Add the nominee to [{group}]({page})" in body


def test_a_group_that_the_title_does_not_name_is_added() -> None:
    step = make_follow_up(rules.GroupMember(group="a/owners", level=30, direct=False))
    policy = make_policy(follow_ups=(step,))
    members = {"a/owners": make_members(), make_policy().maintainers.group: make_members()}
    merged = make_merge_request(state="merged")
    evidence = make_evidence(groups=members, inherited=members)
    assessment = make_assessment(policy, merge_request=merged, evidence=evidence)
    body = render(make_findings(assessment, merge_request=merged))
    assert f"Take the step ([a/owners]({GITLAB}/groups/a/owners/-/group_members))" in body


@pytest.mark.parametrize("name", ["Nothing met", "Merged with steps open"])
def test_links_to_several_places_have_several_texts(name: str) -> None:
    places: dict[str, set[str]] = {}
    for label, address in re.findall(r"\[([^\]]+)\]\(([^)]+)\)", render(SCENES[name])):
        places.setdefault(label, set()).add(address)
    assert [label for label, addresses in places.items() if len(addresses) > 1] == []


def test_a_hold_shows_what_else_is_open() -> None:
    hold = make_replay(held=make_hold())
    body = render(make_findings(make_assessment(), replay=hold))
    assert "**Next step:** a maintainer or the manager comments `/nomination release`" in body
    assert "**Also open:** `@ada` authors" in body


def refused(state: str, *, ready: bool) -> str:
    """Render a refused command and a wish for help."""
    answer = Answer(note_id=77, by="linus", outcome=Outcome.REFUSED, messages=("line 1: no.",))
    evidence = make_evidence(make_work(authored=5 if ready else 0))
    merge_request = make_merge_request(state=state)
    assessment = make_assessment(evidence=evidence, merge_request=merge_request)
    replay = make_replay(answers=(answer,), help_wanted=True)
    return render(make_findings(assessment, merge_request=merge_request, replay=replay))


@pytest.mark.parametrize(
    ("state", "ready", "shown"),
    [
        ("opened", False, (True, True)),
        ("opened", True, (False, True)),
        ("closed", False, (True, False)),
        ("merged", False, (False, False)),
    ],
)
def test_refusals_and_help_are_gone_when_they_matter_no_more(
    state: str, ready: bool, shown: tuple[bool, bool]
) -> None:
    body = refused(state, ready=ready)
    assert ("#note_77)): line 1: no." in body, "Commands for the nominee:" in body) == shown
    assert ("Requirements of Maintainer of the AI Gateway: `wanted`." in body) is shown[1]


def test_help_tells_the_ids_that_commands_take() -> None:
    body = render(SCENES["Help"])
    assert "`authored`, `reviewed`, `assigned`" in body
    assert "Topics: `python`, `poetry`" in body


def test_whom_to_ask_and_where_to_read_is_told() -> None:
    about = About(contact="#ops", docs_url="https://x.example/bot", job_url="https://x.example/1")
    scene = SCENES["Nothing could be read"]
    body = render(scene, Words(None, GITLAB, "nomination", about))
    assert "if this stays, ask #ops." in body
    footer = " · [about the bot](https://x.example/bot) · [job](https://x.example/1)"
    assert body.rstrip().endswith(footer)
    later = replace(about, job_url="https://x.example/2")
    again = render(scene, Words(None, GITLAB, "nomination", later))
    assert again != body
    assert is_same_text(body, again)


# --- compiled templates ----------------------------------------------------------------------


class NoCompiler(jinja2.Environment):
    """Refuses to compile."""

    def compile(self, *_: Any, **__: Any) -> Any:
        """Fail."""
        raise AssertionError("compiled")


def render_with(kept: KeptTemplates, text: str, make: type[jinja2.Environment]) -> str:
    environment = make(loader=jinja2.DictLoader({"a": text}), bytecode_cache=kept, autoescape=True)
    return environment.get_template("a").render()


def test_a_template_is_compiled_once_for_many_processes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    kept = tmp_path / "kept"
    first = KeptTemplates(str(kept), "%s.pyc")
    assert render_with(first, "{{ 1 }}", jinja2.Environment) == "1"
    assert render_with(first, "{{ 1 }}", NoCompiler) == "1"
    again = KeptTemplates(str(kept), "%s.pyc")
    assert render_with(again, "{{ 1 }}", NoCompiler) == "1"
    assert render_with(again, "{{ 1 }}", NoCompiler) == "1"
    with pytest.raises(AssertionError, match="compiled"):
        render_with(KeptTemplates(str(kept), "%s.pyc"), "{{ 2 }}", NoCompiler)


@pytest.mark.parametrize("content", [b"", b"rubbish", None])
def test_a_kept_template_that_is_of_no_use_is_compiled_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes | None
) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    assert render_with(KeptTemplates(str(tmp_path), "%s.pyc"), "{{ 1 }}", jinja2.Environment) == "1"
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:-9] if content is None else content)
    assert render_with(KeptTemplates(str(tmp_path), "%s.pyc"), "{{ 1 }}", jinja2.Environment) == "1"


@pytest.mark.parametrize("forbidden", [True, False])
def test_where_nothing_can_be_kept_templates_are_compiled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, forbidden: bool
) -> None:
    (tmp_path / "file").touch()
    place = tmp_path / "kept" if forbidden else tmp_path / "file" / "kept"
    monkeypatch.setattr(sys, "dont_write_bytecode", forbidden)
    assert render_with(KeptTemplates(str(place), "%s.pyc"), "{{ 1 }}", jinja2.Environment) == "1"
    assert [each.name for each in tmp_path.iterdir()] == ["file"]
