"""What policies say, which mistakes are told, and which version is in force."""

from datetime import date
from pathlib import Path

import pytest

from bot.assessment.kinds import (
    ApprovedBy,
    Assigned,
    Attested,
    AuthoredMergeRequests,
    AuthoredOrReviewed,
    NoOpenThreads,
    OpenFor,
    ReviewedMergeRequests,
    ReviewOutcomes,
    RoleHeld,
)
from bot.errors import PolicyError
from bot.policy.follow_ups import GroupMember, ListedIn, Manual
from bot.policy.grammar.nodes import MAX_CHARACTERS
from bot.policy.values import GroupRef, Policy, Requirement
from bot.policy.versions import newer_than, policy_in_force
from bot.rulebook.loading import SHIPPED, check_policies, load_policies
from tests.policy_reference import parse_policy

EXAMPLES = Path(__file__).parent.parent / "examples" / "policies"
AI_ASSIST = "gitlab-org/modelops/applied-ml/code-suggestions/ai-assist"
GROUP = "gitlab-org/maintainers/ai-gateway"
GITLAB = "https://gitlab.com"

SMALL = """\
id: small
version: "1"
title: Maintainer of something small
document: https://docs.example.com/process
project: small
role: maintainer
repository: group/small
maintainers:
  group: group/maintainers
  level: developer
requirements:
  - id: authored
    kind: authored_merge_requests
    title: Author merge requests
    enforcement: blocking
    actor: nominee
    help: Write some.
    at_least: 5
"""


def make_policy(begin: str | None = None, *, version: str = "1", project: str = "small") -> Policy:
    text = SMALL.replace('version: "1"', f'version: "{version}"')
    text = text.replace("project: small", f"project: {project}")
    return parse_policy(text + (f"in_force_from: {begin}\n" if begin else ""), f"{version}.yml")


def parse_requirement(lines: str) -> Requirement:
    common = "title: T\n    enforcement: advisory\n    actor: anyone\n    help: H\n    "
    head, _, _ = SMALL.partition("  - id: authored")
    [requirement] = parse_policy(f"{head}  - id: one\n    {common}{lines}", "p.yml").requirements
    return requirement


def find_mistakes(text: str) -> list[str]:
    with pytest.raises(PolicyError) as caught:
        parse_policy(text, "p.yml")
    return str(caught.value).splitlines()


def find_shipped() -> Policy:
    [policy] = [policy for policy in load_policies() if policy.project == "ai-gateway"]
    return policy


# --- the AI Gateway's process -----------------------------------------------------------


def test_the_ai_gateway_policy_asks_for_the_two_counts_the_assignment_and_the_knowledge() -> None:
    rules = {requirement.id: requirement for requirement in find_shipped().requirements}
    assert list(rules) == ["authored", "reviewed", "assigned", "knowledge"]
    assert rules["authored"].rule == AuthoredMergeRequests(at_least=5)
    assert rules["reviewed"].rule == ReviewedMergeRequests(
        at_least=5, since_role="trainee_maintainer"
    )
    assert rules["assigned"].rule == Assigned(manager=True, maintainers=1)
    assert [rules[name].blocking for name in rules] == [True, True, True, False]


def test_the_ai_gateway_policy_lists_seven_knowledge_and_three_observability_topics() -> None:
    rule = find_shipped().requirements[3].rule
    assert isinstance(rule, Attested)
    sections = [topic.section for topic in rule.topics]
    assert sections == ["Preferred domain knowledge"] * 7 + ["Observability services"] * 3
    assert [topic.id for topic in rule.topics] == [
        "python",
        "poetry",
        "fastapi",
        "langgraph",
        "grpc",
        "ai-gateway-blueprint",
        "duo-workflow-blueprint",
        "metrics",
        "logs",
        "alerts",
    ]
    assert [topic.id for topic in rule.topics if topic.url is None] == ["alerts"]


def test_the_ai_gateway_policy_follows_up_with_four_steps_that_reality_can_answer() -> None:
    steps = {step.id: step for step in find_shipped().follow_ups}
    group = GroupMember(group=GROUP, level=30, direct=True)
    assert list(steps) == ["ask-owner", "group", "inventory", "renovate"]
    assert (steps["ask-owner"].actor, steps["ask-owner"].check) == ("nominee", group)
    assert (steps["group"].actor, steps["group"].check) == ("owner", group)
    inventory, renovate = steps["inventory"].check, steps["renovate"].check
    assert isinstance(inventory, ListedIn)
    assert inventory.entry is not None
    assert (inventory.entry.list, inventory.entry.key) == ("inventory", "name")
    assert (inventory.entry.value, inventory.key) == ("ai-gateway", "members")
    assert inventory.spec.format == "json"
    assert isinstance(renovate, ListedIn)
    assert (renovate.entry, renovate.key) == (None, "additionalReviewers")
    assert renovate.spec.entry is None


def test_the_ai_gateway_policy_names_who_the_maintainers_are_and_where_their_work_is() -> None:
    policy = find_shipped()
    assert policy.maintainers == GroupRef(group=GROUP, level=30)
    assert (policy.project, policy.role, policy.repository) == (
        "ai-gateway",
        "maintainer",
        AI_ASSIST,
    )
    assert policy.in_force_from == date(2024, 7, 29)


def test_the_ai_gateway_policy_leaves_out_no_link_of_the_process() -> None:
    policy = find_shipped()
    files = [step.check for step in policy.follow_ups if isinstance(step.check, ListedIn)]
    knowledge = policy.requirements[3].rule
    assert isinstance(knowledge, Attested)
    shown = {topic.url for topic in knowledge.topics} | {step.url for step in policy.follow_ups}
    shown |= {notice.url for notice in policy.notices}
    shown |= {f"{GITLAB}/{file.project}/-/blob/{file.ref}/{file.path}" for file in files}
    handbook = "https://handbook.gitlab.com/handbook/engineering"
    assert shown == {
        None,
        f"{handbook}/workflow/code-review/#maintainership-process-for-smaller-projects",
        "https://gitlab-org.gitlab.io/gitlab-roulette/?currentProject=ai-gateway",
        "https://www.python.org",
        "https://python-poetry.org",
        "https://fastapi.tiangolo.com/",
        "https://langchain-ai.github.io/langgraph/",
        "https://grpc.io/docs/what-is-grpc/introduction/",
        "https://docs.gitlab.com/ee/architecture/blueprints/ai_gateway/",
        f"{handbook}/architecture/design-documents/duo_workflow/",
        "https://dashboards.gitlab.net/d/ai-gateway-main/ai-gateway3a-overview?orgId=1",
        "https://log.gprd.gitlab.net/app/r/s/zKEel",
        f"{GITLAB}/gitlab-com/www-gitlab-com/blob/master/doc/team_database.md",
        f"{GITLAB}/groups/{GROUP}/-/group_members?with_inherited_permissions=exclude",
        f"{GITLAB}/{AI_ASSIST}/-/blob/main/.gitlab/CODEOWNERS?ref_type=heads",
        f"{GITLAB}/gitlab-com/gl-infra/platform/runway/provisioner/-/blob/main/inventory.json",
        f"{GITLAB}/gitlab-com/gl-infra/platform/runway/deployments/ai-gateway",
        f"{GITLAB}/{AI_ASSIST}/-/blob/main/renovate.json",
    }


@pytest.mark.parametrize("word", ["short-handed", "no strict guideline", "common guideline"])
def test_the_ai_gateway_policy_gives_the_notices_of_the_process(word: str) -> None:
    assert any(word in notice.text for notice in find_shipped().notices)


# --- other processes --------------------------------------------------------------------


def test_the_later_ai_gateway_policy_is_a_newer_version_without_a_trainee_stage() -> None:
    [later] = [one for one in load_policies(EXAMPLES) if one.id == "ai-gateway"]
    first = find_shipped()
    counts = [requirement.rule for requirement in later.requirements]
    steps = {step.id: step.check for step in later.follow_ups}
    assert ReviewedMergeRequests(at_least=5, since_role=None) in counts
    assert later.maintainers.group == "gitlab-org/maintainers/duo-workflow-service"
    places = [check.path for check in steps.values() if isinstance(check, ListedIn)]
    workloads = "config/runtimes/cloud-run/workloads.yml"
    assert places == ["renovate.json", workloads, workloads]
    assert newer_than([later, first], first) is later


def test_another_process_counts_in_total_and_asks_for_two_approvals_and_a_week() -> None:
    [tooling] = [one for one in load_policies(EXAMPLES) if one.id == "test-tooling"]
    rules = [requirement.rule for requirement in tooling.requirements]
    assert AuthoredOrReviewed(at_least=5) in rules
    assert ApprovedBy(at_least=2, by="maintainers") in rules
    assert OpenFor(days=7) in rules
    assert Manual() in [step.check for step in tooling.follow_ups]


@pytest.mark.parametrize(
    ("lines", "rule"),
    [
        ("kind: authored_merge_requests\n    at_least: 1", AuthoredMergeRequests(at_least=1)),
        (
            "kind: reviewed_merge_requests\n    at_least: 2\n    repository: other/project",
            ReviewedMergeRequests(at_least=2, repository="other/project"),
        ),
        (
            "kind: authored_or_reviewed\n    at_least: 3\n    since_role: reviewer",
            AuthoredOrReviewed(at_least=3, since_role="reviewer"),
        ),
        (
            "kind: assigned\n    manager: false\n    maintainers: 2",
            Assigned(manager=False, maintainers=2),
        ),
        (
            "kind: approved_by\n    at_least: 1\n    by: manager",
            ApprovedBy(at_least=1, by="manager"),
        ),
        (
            "kind: approved_by\n    at_least: 2\n    by: maintainers\n    share: 50",
            ApprovedBy(at_least=2, by="maintainers", share=50),
        ),
        ("kind: open_for\n    days: 7", OpenFor(days=7)),
        (
            "kind: open_for\n    days: 5\n    count: working-days",
            OpenFor(days=5, count="working-days"),
        ),
        ("kind: no_open_threads\n    by: anyone", NoOpenThreads(by="anyone")),
        ("kind: role_held\n    role: trainee_maintainer", RoleHeld(role="trainee_maintainer")),
    ],
)
def test_every_kind_of_requirement_has_its_own_rule(lines: str, rule: object) -> None:
    assert parse_requirement(lines).rule == rule


def test_sentences_may_be_broken_into_lines() -> None:
    text = SMALL.replace("help: Write some.", "help: |\n      Write\n\n        some.\n")
    assert parse_policy(text, "p.yml").requirements[0].help == "Write some."


def test_what_may_be_left_out_has_a_default() -> None:
    policy = make_policy()
    assert policy.team_files == "data/team_members/person/*/*.yml"
    assert (policy.in_force_from, policy.follow_ups, policy.notices) == (None, (), ())
    assert (policy.label, policy.source) == ("small@1", "1.yml")


MISTAKES = """\
p.yml:4:11: `document` is wrong; found the text 'http://docs.example.com/process'; \
expected an https:// address without user name, blanks, quotes or brackets
p.yml:6:7: `role` is wrong; found the number '7'; \
expected the first word of a role, in lower case, such as maintainer, in quotes
p.yml:10:10: `maintainers.level` is wrong; found the text 'develper'; \
allowed guest, planner, reporter, developer, maintainer, owner (did you mean developer?)
p.yml:12:5: `at_least` is missing in `requirements[0]`; found no such key; \
expected a whole number from 1 to 100
p.yml:18:5: unknown key in `requirements[0]`; found 'at_leest'; \
allowed kind, id, title, enforcement, actor, help, at_least, since_role, repository \
(did you mean at_least?)
"""

# --- mistakes ---------------------------------------------------------------------------


def test_every_mistake_is_told_at_once_in_the_order_of_the_text() -> None:
    text = SMALL.replace("at_least: 5", "at_leest: 5").replace("role: maintainer", "role: 7")
    text = text.replace("level: developer", "level: develper").replace("https:", "http:")
    assert find_mistakes(text) == MISTAKES.splitlines()


SECOND = SMALL.partition("requirements:\n")[2]
TOPICS = """\
  - id: {id}
    kind: attested
    title: Know
    enforcement: advisory
    actor: nominee
    help: Read.
    topics:
      - id: one
        text: One
"""


@pytest.mark.parametrize(
    ("old", "new", "place", "message"),
    [
        ("id: small", "id: Small", "1:5", "lower-case"),
        ("id: small", "id: all", "1:5", "not the word `all`"),
        ("id: small", 'id: "small\\n"', "1:5", "lower-case"),
        ("id: small", "id: [small]", "1:5", "found a list"),
        ("id: small", "id: {a: b}", "1:5", "found a mapping"),
        ("id: small", "id:", "1:4", "found nothing"),
        ("id: small", "id: ''", "1:5", "found the text ''"),
        ("id: small", "id: &x small", "1:5", "an anchor; found '&x'"),
        ("id: small", "id: *x", "1:5", "an alias; found '*x'"),
        ("id: small", "id: !!str small", "1:5", "a tag; found 'tag:yaml.org,2002:str'"),
        ("id: small", "id: small\nid: small", "2:1", "a repeated key; found 'id', first in line 1"),
        ("id: small", "? [id]\n: small", "1:3", "a key that is not a word"),
        ("id: small", "<<: {id: small}", "1:1", "unknown key in the policy; found '<<'"),
        ('version: "1"', "version: 1.0", "2:10", "found the number '1.0'"),
        ('version: "1"', "version: on", "2:10", "found the switch 'on'"),
        ("title: Maintainer", "title: [Maintainer]\nx: ", "3:8", "found a list"),
        ("title: Maintainer of", 'title: "\\a"\nx: of', "3:8", "control characters"),
        ("https://docs", "https://me@docs", "4:11", "without user name"),
        ("https://docs", "javascript://docs", "4:11", "an https:// address"),
        ("/process", "/)[x](y", "4:11", "brackets"),
        ("role: maintainer", "role: maintainer backend", "6:7", "first word of a role"),
        ("repository: group/small", "repository: small", "7:13", "full path of a project"),
        ("repository: group/small", "repository: group/../small", "7:13", "full path of a project"),
        ("repository: group/small", "repository: /group/small", "7:13", "full path of a project"),
        ("  level: developer", "  level: 30", "10:10", "allowed guest, planner"),
        ("  group: group/maintainers\n", "", "9:3", "`group` is missing in `maintainers`"),
        ("maintainers:\n  group: group/maintainers\n  level: developer\n", "", "1:1", "missing"),
        ("maintainers:\n", "maintainers: []\nx:\n", "8:14", "found an empty list"),
        ("  - id: authored", "  - authored\n  - id: authored", "12:5", "expected a mapping with"),
        ("  - id: authored", "  - &x authored\n  - *x\n  - id: authored", "13:5", "an alias"),
        ("kind: authored_merge", "kind: authored_merged", "13:11", "did you mean authored_merge"),
        ("    kind: authored_merge_requests\n", "", "12:5", "found no such key; allowed authored"),
        ("kind: authored_merge_requests", "kind: [a]", "13:11", "found a list"),
        ("kind: authored_merge_requests", "kind: *a", "13:11", "an alias"),
        ("enforcement: blocking", "enforcement: block", "15:18", "did you mean blocking?"),
        ("actor: nominee", "actor: mentor", "16:12", "nominee, manager, maintainer, owner, anyone"),
        ("at_least: 5", "at_least: 0", "18:15", "a whole number from 1"),
        ("at_least: 5", "at_least: 5.5", "18:15", ".at_least` is wrong"),
        ('version: "1"', "version: 1.5", "2:10", ", in quotes"),
        ('version: "1"', "version: 2", "2:10", ", in quotes"),
        ("at_least: 5", "at_least: -1", "18:15", "a whole number from 1"),
        ("at_least: 5", "at_least: 0x5", "18:15", "a whole number from 1"),
        ("at_least: 5", "at_least: five", "18:15", "a whole number from 1"),
        ("at_least: 5", f"at_least: {'9' * 5000}", "18:15", "a whole number from 1"),
        (
            "at_least: 5",
            "at_least: 5\n" + SECOND,
            "19:9",
            "`requirements[1]` repeats the id of `requirements[0]`; found 'authored', first in",
        ),
        ("at_least: 5", "at_least: 5\n    since_role: maintainer", "19:17", "an earlier stage"),
        (
            "at_least: 5",
            "at_least: 5\n" + TOPICS.format(id="a") + TOPICS.format(id="b"),
            "35:13",
            "`requirements[2]` repeats a topic of `requirements[1]`; found one, first in line 26",
        ),
        ("at_least: 5", "at_least: 5\nin_force_from: 2024-02-30", "19:16", "a day as YYYY-MM-DD"),
        ("at_least: 5", "at_least: 5\nin_force_from: yesterday", "19:16", "a day as YYYY-MM-DD"),
        ("at_least: 5", "at_least: 5\nteam_files: ../*/*.yml", "19:13", "without `*`, `.` or `..`"),
        ("at_least: 5", "at_least: 5\nteam_files: a/**/b.yml", "19:13", "then `/*/*.yml`"),
        ("at_least: 5", "at_least: 5\nteam_files: a/*/*/*.yml", "19:13", "then `/*/*.yml`"),
        ("at_least: 5", "at_least: 5\nteam_files: '[a]/*/*.yml'", "19:13", "a folder and"),
        ("title: Author merge", "title: 1:30\n    x: m", "14:12", "found the number '1:30'"),
        ("title: Author merge requests", "title: =", "14:12", "control characters, in quotes"),
        ("at_least: 5", "at_least: 5\nfollow_ups: []", "19:13", "found an empty list"),
        ("at_least: 5", "at_least: 5\nnotices: none", "19:10", "found the text 'none'"),
        ("at_least: 5", "at_least: 5\n---\n", "19:1", "a second document"),
        ("at_least: 5", "at_least: [[[[[[[[5]]]]]]]]", "18:22", "too deep"),
        ("at_least: 5", "at_least: [5", "19:1", "not YAML"),
        ("title: Maintainer", "title: \x07", "3:8", "the character '\\x07'"),
        ("title: Maintainer", f"title: {'long ' * 14_000}", "1:1", "65536 at most"),
    ],
)
def test_a_mistake_is_told_with_its_place_and_what_is_expected(
    old: str, new: str, place: str, message: str
) -> None:
    assert old in SMALL
    mistakes = find_mistakes(SMALL.replace(old, new, 1))
    assert any(line.startswith(f"p.yml:{place}: ") and message in line for line in mistakes), (
        mistakes
    )


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (
            "kind: assigned\n    manager: false\n    maintainers: 0",
            "asks for nobody; found manager: false and maintainers: 0; expected at least one",
        ),
        ("kind: assigned\n    manager: yes\n    maintainers: 1", "expected true or false"),
        (
            "kind: approved_by\n    at_least: 2\n    by: manager",
            "a nominee has one manager; found at_least: 2; expected at_least: 1",
        ),
        (
            "kind: approved_by\n    at_least: 1\n    by: manager\n    share: 50",
            "a nominee has one manager; found share: 50; expected no such key, or by: maintainers",
        ),
        (
            "kind: approved_by\n    at_least: 1\n    by: maintainers\n    share: 100",
            "`requirements.0..share` is wrong",
        ),
        (
            "kind: approved_by\n    at_least: 1\n    by: maintainers\n    share: 50%",
            "`requirements.0..share` is wrong",
        ),
        (
            "kind: open_for\n    days: 5\n    count: workdays",
            "allowed all-days, working-days",
        ),
        ("kind: no_open_threads\n    by: manager", "allowed maintainers, anyone"),
        ("kind: no_open_threads", "`by` is missing"),
        (
            "kind: review_outcomes",
            "that nothing counts; found no requirement that counts in group/small",
        ),
        ("kind: review_outcomes\n    at_least: 2", "found 'at_least'"),
        ("kind: role_held\n    role: maintainer", "asks for the role that the policy is about"),
        ("kind: attested\n    topics: []", "found an empty list"),
        ("kind: attested\n    topics: [{id: a, text: A}, {id: a, text: B}]", "repeats the id of"),
    ],
)
def test_a_requirement_that_nobody_can_meet_is_refused(lines: str, message: str) -> None:
    with pytest.raises(PolicyError, match=message):
        parse_requirement(lines)


OUTCOMES = """\
  - id: outcomes
    kind: review_outcomes
    title: How it went
    enforcement: advisory
    actor: anyone
    help: Look.
"""


def test_evidence_of_what_is_counted_is_shown_alone() -> None:
    rule = parse_policy(SMALL + OUTCOMES, "p.yml").requirements[-1].rule
    assert rule == ReviewOutcomes()
    assert rule.evidence
    with pytest.raises(
        PolicyError, match="asks for nothing; found enforcement: blocking; expected"
    ):
        parse_policy(SMALL + OUTCOMES.replace("advisory", "blocking"), "p.yml")
    with pytest.raises(PolicyError, match="counts in group/other; expected one that counts there"):
        parse_policy(SMALL + OUTCOMES + "    repository: group/other\n", "p.yml")


def test_evidence_beside_what_cannot_be_read_is_no_further_mistake() -> None:
    text = SMALL.replace("repository: group/small", "repository: 1") + OUTCOMES
    assert len(find_mistakes(text)) == 1


CONTRADICTIONS = """\
  - id: nobody
    kind: assigned
    title: Assign
    enforcement: blocking
    actor: nominee
    help: Assign it.
    manager: false
    maintainers: 0
  - id: nobody
    kind: approved_by
    title: Approve
    enforcement: blocking
    actor: manager
    help: Approve it.
    at_least: 2
    by: manager
  - id: held
    kind: role_held
    title: Be a maintainer
    enforcement: blocking
    actor: nominee
    help: Become one.
    role: maintainer
"""
CONTRADICTORY = SMALL + CONTRADICTIONS + TOPICS.format(id="a") + TOPICS.format(id="b")
TOLD = """\
c.yml:26:18: an `assigned` requirement asks for nobody; found manager: false and maintainers: 0; \
expected at least one person
c.yml:27:9: `requirements[2]` repeats the id of `requirements[1]`; found 'nobody', \
first in line 19; expected another id
c.yml:33:15: a nominee has one manager; found at_least: 2; expected at_least: 1
c.yml:41:11: `requirements[3].role` asks for the role that the policy is about; \
found maintainer; expected the role of an earlier stage
c.yml:58:13: `requirements[5]` repeats a topic of `requirements[4]`; found one, \
first in line 49; expected another id
"""


@pytest.mark.parametrize(
    ("old", "new", "more"),
    [
        ("id: small", "id: small", []),
        ("title: Maintainer of something small", "titel: Small", ["c.yml:1:1", "c.yml:3:1"]),
        ("  level: developer", "  level: 30", ["c.yml:10:10"]),
        ("  - id: authored", "  - id: 7", ["c.yml:12:9"]),
        ("kind: authored_merge_requests", "kind: authored", ["c.yml:13:11"]),
        ("    help: Assign it.", "    help: ''", ["c.yml:24:11"]),
        ("    enforcement: blocking\n    actor: manager", "    actor: x\n    x: y", ["c.yml"] * 3),
        ("at_least: 5", "at_least: 0", ["c.yml:18:15"]),
        ("        text: One", "        text: [One]", ["c.yml:50:15"]),
        ("      - id: one", "      - id: one\n        text: [", None),
    ],
)
def test_contradictions_are_told_whatever_else_is_wrong(
    old: str, new: str, more: list[str] | None
) -> None:
    """Only where a file is not YAML, nothing else can be told of it."""
    assert old in CONTRADICTORY
    with pytest.raises(PolicyError) as caught:
        parse_policy(CONTRADICTORY.replace(old, new, 1), "c.yml")
    lines = str(caught.value).splitlines()
    if more is None:
        assert ["not YAML" in line for line in lines] == [True]
        return
    others = [line for line in lines if line not in TOLD.splitlines()]
    assert [line for line in lines if line in TOLD.splitlines()] == TOLD.splitlines()
    assert len(others) == len(more)
    assert all(line.startswith(place) for line, place in zip(others, more, strict=True))


def test_requirements_that_are_no_mappings_hide_no_contradiction_of_others() -> None:
    text = SMALL.replace("requirements:\n", "requirements:\n  - x\n  - kind: attested\n")
    text += "    since_role: maintainer\n" + TOPICS.format(id="a").replace("- id: one", "- x")
    text = text.replace("        text: One\n", "      - text: One\n")
    mistakes = find_mistakes(text)
    assert any("`requirements[2].since_role` asks for the role" in line for line in mistakes)
    assert any("`requirements[0]` is wrong" in line for line in mistakes)


def test_a_list_that_is_too_long_is_read_to_its_end() -> None:
    items = "".join(SECOND.replace("authored\n", f"r{n}\n", 1) for n in range(100))
    last = SECOND.replace("at_least: 5", "at_least: 101")
    [length, value] = find_mistakes(SMALL.replace(SECOND, items + last))
    assert "found a list of 101; expected a list of 1 to 100" in length
    assert "`requirements[100].at_least` is wrong" in value


@pytest.mark.parametrize("text", ["", "# nothing\n", "[]", "a list", "- a\n"])
def test_a_file_that_holds_no_mapping_is_refused_in_one_line(text: str) -> None:
    assert len(find_mistakes(text)) == 1


@pytest.mark.parametrize(("written", "shown"), [("X" * 60, "X" * 60), ("X" * 61, "X" * 60 + "...")])
def test_found_text_is_cut_only_where_it_is_long(written: str, shown: str) -> None:
    [mistake] = find_mistakes(SMALL.replace("id: small", f"id: {written}"))
    assert f"found the text '{shown}'" in mistake


def test_found_text_is_shown_short_and_without_control_characters() -> None:
    [mistake] = find_mistakes(SMALL.replace("id: small", f'id: "\\u202e\\e[31m{"x" * 500}"'))
    assert mistake.isascii()
    assert mistake.isprintable()
    assert "x" * 100 not in mistake


# --- several policies -------------------------------------------------------------------


def write_policies(folder: Path, **texts: str) -> None:
    for name, text in texts.items():
        (folder / f"{name}.yml").write_text(text, encoding="utf-8")


def test_policies_are_read_in_the_order_of_their_file_names(tmp_path: Path) -> None:
    write_policies(tmp_path, b=SMALL, a=SMALL.replace("small", "other"))
    (tmp_path / "policy.schema.json").write_text("{}", encoding="utf-8")
    assert [policy.id for policy in load_policies(tmp_path)] == ["other", "small"]


@pytest.mark.parametrize(("more", "accepted"), [(0, True), (1, False)])
def test_the_longest_policy_is_read_whole(tmp_path: Path, more: int, accepted: bool) -> None:
    write_policies(tmp_path, a=SMALL.ljust(MAX_CHARACTERS + more, "#"))
    if accepted:
        assert [policy.id for policy in load_policies(tmp_path)] == ["small"]
    else:
        with pytest.raises(PolicyError, match="too long"):
            load_policies(tmp_path)


def test_two_policies_for_one_role_must_not_begin_on_the_same_day(tmp_path: Path) -> None:
    write_policies(tmp_path, a=SMALL, b=SMALL.replace('"1"', '"2"').replace("t: small", "t: Small"))
    with pytest.raises(PolicyError, match=r"b\.yml:1:1: the same beginning as in .*a\.yml:1:1; "):
        load_policies(tmp_path)


def test_two_versions_must_not_have_the_same_name(tmp_path: Path) -> None:
    write_policies(tmp_path, a=SMALL, b=SMALL + "in_force_from: 2024-01-01\n")
    with pytest.raises(PolicyError, match=r"b\.yml:2:10: the same id and version.*small@1"):
        load_policies(tmp_path)


def test_mistakes_and_contradictions_within_and_across_files_are_told_together(
    tmp_path: Path,
) -> None:
    broken = SMALL.replace("at_least: 5", "at_least: 0\nin_force_from: 2024-01-01\n")
    other = SMALL.replace("at_least: 5", "at_least: 5\n    since_role: maintainer")
    other = other.replace("level: developer", "level: x") + "in_force_from: 2024-01-01\n"
    write_policies(tmp_path, a=broken, b=other, c=SMALL.replace("id: small", "id: Small"))
    (tmp_path / "none").mkdir()
    with pytest.raises(PolicyError) as caught:
        check_policies([tmp_path / "none", tmp_path])
    told = str(caught.value).replace(f"{tmp_path}/", "").splitlines()
    assert all("; expected " in line or "; allowed " in line for line in told)
    assert "; found small@1; expected another version" in told[2]
    assert "; found small: maintainer from 2024-01-01; expected another `in_force_" in told[5]
    assert [line.partition("; found ")[0] for line in told] == [
        "none: no policies",
        "a.yml:18:15: `requirements[0].at_least` is wrong",
        "b.yml:2:10: the same id and version as in a.yml:2:10",
        "b.yml:10:10: `maintainers.level` is wrong",
        "b.yml:19:17: `requirements[0].since_role` asks for the role that the policy is about",
        "b.yml:20:16: the same beginning as in a.yml:19:16",
        "c.yml:1:5: `id` is wrong",
    ]


def test_a_beginning_that_cannot_be_read_is_no_conflict(tmp_path: Path) -> None:
    text = SMALL + "in_force_from: soon\n"
    write_policies(tmp_path, a=text, b=text.replace('"1"', '"2"'), c="x: 1")
    with pytest.raises(PolicyError) as caught:
        load_policies(tmp_path)
    assert "the same" not in str(caught.value)


def test_a_folder_without_policies_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="no policies"):
        load_policies(tmp_path)


def test_the_mistakes_of_all_files_are_told_together(tmp_path: Path) -> None:
    write_policies(tmp_path, a="[]", b=SMALL.replace("at_least: 5", "at_least: 0"))
    (tmp_path / "c.yml").write_bytes(b"\xff")
    (tmp_path / "d.yml").mkdir()
    with pytest.raises(PolicyError) as caught:
        check_policies([tmp_path, tmp_path / "e.yml"])
    files = [
        line.split(":")[0].removeprefix(f"{tmp_path}/") for line in str(caught.value).split("\n")
    ]
    assert files == ["a.yml", "b.yml", "c.yml", "d.yml", "e.yml"]


def test_a_check_answers_with_a_line_for_each_file(tmp_path: Path) -> None:
    write_policies(tmp_path, a=SMALL)
    assert check_policies([tmp_path / "a.yml"]) == [f"{tmp_path}/a.yml: ok, small@1"]
    assert check_policies() == [f"{SHIPPED}/ai-gateway.yml: ok, ai-gateway@2024-07-29"]


@pytest.mark.parametrize(
    ("opened", "version"),
    [
        ("2023-12-31", "a"),
        ("2024-01-01", "a"),
        ("2024-06-30", "a"),
        ("2024-07-01", "b"),
        ("2025-01-01", "c"),
    ],
)
def test_the_policy_in_force_is_the_latest_that_had_begun(opened: str, version: str) -> None:
    policies = [
        make_policy("2025-01-01", version="c"),
        make_policy("2024-01-01", version="a"),
        make_policy("2024-07-01", version="b"),
        make_policy("2020-01-01", version="d", project="other"),
    ]
    day = date.fromisoformat(opened)
    assert policy_in_force(policies, "Small", "Maintainer", day).version == version


def test_a_policy_without_a_day_has_always_been_in_force() -> None:
    policies = [make_policy("2024-01-01", version="2"), make_policy(version="1")]
    assert policy_in_force(policies, "small", "maintainer", date(1999, 1, 1)).version == "1"


def test_only_the_latest_policy_has_no_newer_one() -> None:
    first, second = make_policy(version="1"), make_policy("2024-01-01", version="2")
    assert newer_than([second, first], first) is second
    assert newer_than([second, first], second) is None


def test_a_role_that_no_policy_is_about_is_an_error_that_says_so() -> None:
    with pytest.raises(PolicyError, match="no policy for small: reviewer"):
        policy_in_force([make_policy()], "small", "reviewer", date(2026, 1, 1))


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("remind_after: 7", "there is none; found remind_after: 7; expected notify: next-actor"),
        ("notify: nobody\nremind_after: 7", "there is none"),
        ("notify: next-actor\nremind_after: 0", "from 1 to 366"),
        ("notify: next-actor\nremind_after: 7\nreminders: 11", "from 1 to 10"),
    ],
)
def test_reminders_repeat_a_mention(lines: str, message: str) -> None:
    (mistake,) = find_mistakes(f"{SMALL}{lines}\n")
    assert message in mistake


@pytest.mark.parametrize(
    ("lines", "after", "times"),
    [("remind_after: 7\nreminders: 2", 7, 2), ("remind_after: 7", 7, 1), ("", None, 1)],
)
def test_reminders_are_as_many_as_the_policy_says(
    lines: str, after: int | None, times: int
) -> None:
    policy = parse_policy(f"{SMALL}notify: next-actor\n{lines}\n", "ok.yml")
    assert (policy.notify, policy.remind_after, policy.reminders) == (True, after, times)
