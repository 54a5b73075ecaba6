"""What an author evidently meant as a nomination, and what nobody did."""

from dataclasses import replace

import pytest

from bot.nomination.mentions import is_newly_mentioned
from bot.nomination.near_miss import find_near_misses, find_near_stages
from bot.team.entry import Entry
from tests.team_files import ADA, MAINTAINER, find, make_change, make_entry

TOP = "gitlab: ada\n"


@pytest.mark.parametrize(
    ("head", "quoted"),
    [
        (make_entry(more="  ai_gateway: maintainer\n"), "ai_gateway: maintainer"),
        (make_entry(more="  aigateway: [reviewer, maintainer]\n"), "aigateway: maintainer"),
        (make_entry(more="  ai gateway: maintainer backend\n"), "ai gateway: maintainer backend"),
        (make_entry(more="  ai-gatway: maintainer\n"), "ai-gatway: maintainer"),
        (make_entry(more="  gitlab-org/ai-gateway: maintainer\n"), "ai-gateway: maintainer"),
        (make_entry(role="maintaner"), "ai-gateway: maintaner"),
        (make_entry(role="Maintaner"), "ai-gateway: Maintaner"),
        (make_entry(role="maintener"), "ai-gateway: maintener"),
        (make_entry(role="\n  - reviewer\n  - maintaner"), "ai-gateway: maintaner"),
        (make_entry(more="ai-gateway: maintainer\n"), "ai-gateway: maintainer"),
        (make_entry(more="  x:\n    ai-gateway: maintainer\n"), "ai-gateway: maintainer"),
        (make_entry(more="   ai-gateway:maintainer\n"), "ai-gateway:maintainer"),
        (make_entry(more="  maintainer: ai-gateway\n"), "maintainer: ai-gateway"),
        (TOP + "project:\n  ai-gateway: maintainer\n", "ai-gateway: maintainer"),
        (TOP + "projects:ai-gateway: maintainer\n", "projects:ai-gateway: maintainer"),
        (TOP + "projects: {ai-gateway:maintainer}\n", "ai-gateway:maintainer"),
        (make_entry(more="story: |\n  x\n  ai-gateway: maintainer\n"), "ai-gateway: maintainer"),
    ],
)
def test_an_evident_nomination_that_gives_nothing_is_remarked_on(head: str, quoted: str) -> None:
    found = find(make_change(make_entry(), head))
    assert found.nominations == ()
    assert found.unread == ()
    assert all(remark.near_miss for remark in found.remarks)
    said = f'{quoted}" nominates nobody, because only "ai-gateway: maintainer" on'
    assert any(said in remark.message for remark in found.remarks)


@pytest.mark.parametrize(
    ("head", "quoted"),
    [
        (make_entry(role="{maintainer: backend}"), "ai-gateway: maintainer"),
        (make_entry(role="maintainers"), "ai-gateway: maintainers"),
        (make_entry(role="maintainer-backend"), "ai-gateway: maintainer-backend"),
        (make_entry(role="maintainer,reviewer"), "ai-gateway: maintainer,reviewer"),
        (make_entry(role="reviewer, maintainer"), "ai-gateway: reviewer, maintainer"),
        (make_entry(role="|\n    reviewer\n    maintainer"), "ai-gateway: reviewer\\nmaintainer"),
        (make_entry(role="{role: maintainer}"), "ai-gateway: maintainer"),
        (make_entry(more="  ? [ai-gateway]\n  : maintainer\n"), "ai-gateway: maintainer"),
        (TOP + "Projects:\n  ai-gateway: maintainer\n", "ai-gateway: maintainer"),
        (TOP + "projects:\n- ai-gateway: maintainer\n", "ai-gateway: maintainer"),
        (TOP + "projects:\n- ai-gateway:maintainer\n", "ai-gateway:maintainer"),
        (TOP + "projects: x:y ai-gateway:maintainer\n", "ai-gateway:maintainer"),
        (TOP + "projects:\n- ai-gateway maintainer\n", "ai-gateway maintainer"),
        (TOP + "projects:\n  the ai-gateway\n  maintainer\n", "ai-gateway maintainer"),
        (TOP + "projects: ai-gateway=maintainer\n", "ai-gateway=maintainer"),
        (TOP + "projects: 'ai-gateway: maintainer'\n", "ai-gateway: maintainer"),
        (TOP + "projects: [{name: ai-gateway, role: maintainer}]\n", "ai-gateway … maintainer"),
        (make_entry(role="maintainer", more="  ai-gateway: x\n"), "ai-gateway: maintainer"),
        (make_entry(role="maintainer", more="projects: {}\n"), "ai-gateway: maintainer"),
    ],
)
def test_a_nomination_that_others_may_read_is_unread_as_well(head: str, quoted: str) -> None:
    found = find(make_change(make_entry(), head))
    assert found.nominations == ()
    assert [each.path for each in found.unread] == [ADA]
    assert all(remark.near_miss for remark in found.remarks)
    said = f'{quoted}" nominates nobody, because only "ai-gateway: maintainer" on'
    assert any(said in remark.message for remark in found.remarks)


@pytest.mark.parametrize(
    "head",
    [
        make_entry(more="  ai-gateway-custom: maintainer\n"),
        make_entry(more="  api-gateway: maintainer\n"),
        make_entry(more="  gitlab-ai-gateway: maintainer\n"),
        make_entry(more="  duo-workflow-service: maintainer\n"),
        make_entry(more="  ai_gateway: reviewer\n"),
        make_entry(more="  ai_gateway: trainee_maintainer\n"),
        make_entry(role="trainee maintainer"),
        make_entry(role="{reviewer: backend}") + "\n",
        make_entry(more="  # ai-gateway: maintainer\n"),
        make_entry(more="story: |\n  Some day ai-gateway: maintainer, I hope\n"),
        make_entry(more="specialty: AI Gateway maintainer\n"),
        make_entry(more="domain_expertise: [ai-gateway]\nmentor: {role: maintainer}\n"),
        make_entry(more="mentor: {project: ai-gateway, role: maintainer}\n"),
        make_entry(more=f"story: 'ai-gateway: {'maintainer ' * 50}'\n"),
        make_entry(more=f"story: 'ai-gateway: maintainer{' ' * 500}x'\n"),
        make_entry(more="  duo-workflow-service:\n  - maintainer ai_gateway\n"),
    ],
)
def test_what_nobody_meant_is_no_near_miss(head: str) -> None:
    found = find(make_change(make_entry(), head))
    assert found.nominations == ()
    assert not any(remark.near_miss for remark in found.remarks)


@pytest.mark.parametrize(
    ("base", "head"),
    [
        (
            make_entry(more="  ai_gateway: maintainer\n"),
            make_entry(more="  ai_gateway: [maintainer]\n"),
        ),
        (make_entry(role="maintaner"), make_entry(role="maintaner", more="title: x\n")),
        (make_entry(role="maintainer"), make_entry(role="maintaner")),
        (make_entry(role="maintainer"), make_entry(more="  ai_gateway: maintainer\n")),
    ],
)
def test_a_near_miss_that_is_not_new_is_silent(base: str, head: str) -> None:
    found = find(make_change(base, head))
    assert (found.nominations, found.remarks) == ((), ())


def test_a_moved_maintainer_who_misspells_is_not_asked() -> None:
    found = find(
        make_change(make_entry(role="maintainer"), None),
        make_change(None, make_entry(role="maintaner"), "data/team_members/person/b/b.yml"),
    )
    assert found.remarks == ()


def test_a_near_miss_in_a_new_file_is_remarked_on() -> None:
    found = find(make_change(None, make_entry(role="maintaner")))
    assert [remark.near_miss for remark in found.remarks] == [True]


def test_a_role_in_a_further_document_is_a_near_miss() -> None:
    found = find(make_change(make_entry(), make_entry(more="---\nai-gateway: maintainer\n")))
    assert [(remark.path, remark.near_miss) for remark in found.remarks] == [(ADA, True)]


def test_what_has_no_effect_is_remarked_on_where_the_project_is_named() -> None:
    head = make_entry(role="reviewer", more="  b: x\n  b: y\n")
    found = find(make_change(make_entry(role="reviewer"), head))
    assert [remark.near_miss for remark in found.remarks] == [False]
    assert find(make_change(head, head + "title: x\n")).remarks == ()
    assert find(make_change(make_entry(), make_entry(more="  b: x\n  b: y\n"))).remarks == ()


def test_remarks_of_one_entry_are_limited() -> None:
    head = make_entry(more="".join(f"  ai_gateway{'_' * n}: maintainer\n" for n in range(40)))
    assert len(find(make_change(make_entry(), head)).remarks) == 5


def test_an_entry_without_content_has_no_near_miss() -> None:
    empty = Entry(username=None, reports_to=None, roles={})
    assert find_near_misses(empty, MAINTAINER) == frozenset()
    assert (
        find_near_stages(empty, replace(MAINTAINER, stages=frozenset({"trainee"}))) == frozenset()
    )


def test_shared_values_are_looked_at_once() -> None:
    head = make_entry(more="x: &x {ai_gateway: &r [maintainer]}\ny: [*x, *x]\nz: *r\n")
    assert len(find(make_change(make_entry(), head)).remarks) == 1


def test_a_shared_value_does_not_end_the_search() -> None:
    shared = "y: &x {ai_gateway: [maintainer]}\nz: [*x, *x]\n"
    found = find(
        make_change(make_entry(), make_entry(more="x: {ai_gatway: maintainer}\n" + shared))
    )
    assert len(found.remarks) == 2


@pytest.mark.parametrize(
    ("head", "base", "mentioned"),
    [
        ("ai-gateway:\n- maintainer\n", None, True),
        ("ai-gateway:\n- maintainer\n- reviewer\n", None, True),
        ("ai-gatway:\n- maintainer\n", None, True),
        ("'ai-gateway':\n# now\n\n* 'maintainer'\n", None, True),
        ("ai-gateway:\n- reviewer\n", None, False),
        ("duo-workflow:\n- maintainer\n", None, False),
        ("ai-gateway:\nduo-workflow:\n- maintainer\n", None, False),
        ("# ai-gateway: maintainer\n", None, False),
        ("ai-gateway: maintainer\n", b"ai-gateway:\n- maintainer\n", False),
        ("ai-gateway: maintainer\n" * 2, b"ai-gateway: maintainer\n", True),
        ("ai-gateway: maintainer\n", b"ai-gateway: maintainer\n" * 2, False),
    ],
)
def test_a_bare_text_gives_a_role_in_pairs_and_in_lists(
    head: str, base: bytes | None, mentioned: bool
) -> None:
    assert is_newly_mentioned(head.encode(), base, "ai-gateway", "maintainer") is mentioned
