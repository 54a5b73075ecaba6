"""Who gains which role, over everything that a merge request can do to entries."""

import random
from dataclasses import replace
from itertools import permutations

import pytest
from hypothesis import given, strategies as st

from bot.nomination.search import find_nominations
from bot.nomination.values import Change, Detection
from bot.team import RoleKey
from bot.unread import Unread
from tests.characters import ANY_CHARACTER
from tests.team_files import (
    ADA,
    BEA,
    MAINTAINER,
    PERSON,
    find,
    gains,
    make_change,
    make_entry,
    messages,
)

NOTHING = Detection(nominations=(), remarks=(), unread=())
BROKEN = "gitlab: [\n"


@pytest.mark.parametrize(
    ("before", "after", "old", "new"),
    [
        (None, "maintainer", (), ("maintainer",)),
        ("reviewer", "maintainer", ("reviewer",), ("maintainer",)),
        ("trainee_maintainer", "maintainer", ("trainee_maintainer",), ("maintainer",)),
        ("[reviewer a, reviewer b]", "maintainer", ("reviewer a", "reviewer b"), ("maintainer",)),
        (
            "reviewer",
            "[reviewer x, maintainer ai_gateway]",
            ("reviewer",),
            ("reviewer x", "maintainer ai_gateway"),
        ),
        ("[]", "\n  - maintainer\n  - reviewer", (), ("maintainer", "reviewer")),
        (
            "~",
            ">-\n    maintainer\n    duo_workflow_service",
            (),
            ("maintainer duo_workflow_service",),
        ),
        ("maintaner", "maintainer", ("maintaner",), ("maintainer",)),
    ],
)
def test_gaining_the_responsibility_is_a_nomination(
    before: str | None, after: str, old: tuple[str, ...], new: tuple[str, ...]
) -> None:
    found = find(make_change(make_entry(role=before), make_entry(role=after)))
    assert gains(found) == [("ada", "ai-gateway", "maintainer", old, new)]
    assert (found.remarks, found.unread) == ((), ())
    assert (found.nominations[0].path, found.nominations[0].base_path) == (ADA, ADA)
    assert found.nominations[0].cautions == ()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("maintainer backend", "maintainer"),
        ("maintainer", "maintainer ai_gateway"),
        ("maintainer", "[maintainer]"),
        ("[maintainer a, reviewer]", "[reviewer, maintainer a]"),
        ("maintainer a", "[maintainer a, maintainer b]"),
        ("Maintainer", "maintainer"),
        ("maintainer", "reviewer"),
        ("maintainer", None),
        ("maintainer", "maintaner"),
        (None, "reviewer"),
        (None, "trainee_maintainer"),
        ("reviewer", "reviewer trainee_maintainer"),
        (None, "trainee-maintainer"),
        (None, "# maintainer"),
        (None, "reviewer # maintainer soon"),
        (None, "yes"),
    ],
)
def test_everything_else_about_roles_is_silent(before: str | None, after: str | None) -> None:
    assert find(make_change(make_entry(role=before), make_entry(role=after))) == NOTHING


def test_several_roles_people_and_files_are_several_nominations() -> None:
    both = "  duo: {a: b}\n  duo-workflow-service: maintainer\n"
    wanted = [MAINTAINER, RoleKey(project="duo-workflow-service", role="maintainer")]
    found = find(
        make_change(make_entry(), make_entry(role="maintainer", more=both)),
        make_change(make_entry("bea"), make_entry("bea", "maintainer"), BEA),
        make_change("x", "y", "README.md"),
        make_change(make_entry("cid"), None, f"{PERSON}/c/cid.yml"),
        wanted=wanted,
    )
    assert [(n.username, n.project) for n in found.nominations] == [
        ("ada", "ai-gateway"),
        ("ada", "duo-workflow-service"),
        ("bea", "ai-gateway"),
    ]


def test_a_role_wanted_in_capitals_is_the_same_role() -> None:
    wanted = [RoleKey(project="AI-Gateway", role="Maintainer")]
    found = find(make_change(make_entry(), make_entry(role="maintainer")), wanted=wanted)
    assert [n.role for n in found.nominations] == ["maintainer"]


def test_capitals_are_read_with_a_remark() -> None:
    head = make_entry(more="  AI-Gateway: Maintainer\n  Other: Reviewer\n")
    found = find(make_change(make_entry(), head))
    assert gains(found) == [("ada", "ai-gateway", "maintainer", (), ("Maintainer",))]
    assert '"AI-Gateway" is read as "ai-gateway"' in messages(found)
    assert '"Maintainer" is read as "maintainer"' in messages(found)
    assert len(found.remarks) == 2


def test_remarks_on_the_entry_accompany_a_nomination() -> None:
    found = find(make_change(make_entry("on"), make_entry("on", "maintainer")))
    assert gains(found)[0][0] == "on"
    assert "put it in quotes" in messages(found)
    assert not any(remark.near_miss for remark in found.remarks)


@pytest.mark.parametrize(
    "change",
    [
        make_change(make_entry(role="maintainer"), make_entry("ADA", "maintainer")),
        make_change(
            make_entry(role="maintainer"), make_entry(role="maintainer"), BEA, old_path=ADA
        ),
        make_change(make_entry(role="maintainer"), None),
        make_change(make_entry(role="maintainer"), ""),
        make_change(make_entry("on"), make_entry("on", more="title: x\n")),
        make_change(
            make_entry(role="maintainer"), make_entry(role="maintainer"), "x.yml", old_path=ADA
        ),
        make_change(make_entry(), make_entry(role="maintainer"), "doc/ada.md"),
        make_change(None, make_entry(role="maintainer"), "data/team_members/vacancy/v.yml"),
        make_change(make_entry("''", "maintainer"), make_entry("''", "[maintainer]")),
    ],
)
def test_changes_that_give_nobody_a_role_are_silent(change: Change) -> None:
    assert find(change) == NOTHING


MOVED = f"{PERSON}/z/ada.yml"


@pytest.mark.parametrize(
    "changes",
    [
        [make_change(make_entry(), make_entry(role="maintainer"), MOVED, old_path=ADA)],
        [make_change(make_entry(), None), make_change(None, make_entry(role="maintainer"), MOVED)],
        [make_change(make_entry(), None), make_change(None, make_entry(role="maintainer"), BEA)],
    ],
)
def test_a_person_is_followed_to_another_file(changes: list[Change]) -> None:
    found = find(*changes)
    assert [(n.username, n.base_path, n.cautions) for n in found.nominations] == [("ada", ADA, ())]


def test_a_persons_own_file_wins_over_another_that_names_them() -> None:
    found = find(
        make_change(make_entry(), make_entry(more="title: x\n")),
        make_change(make_entry(), make_entry(role="maintainer"), BEA),
    )
    assert [n.base_path for n in found.nominations] == [BEA]


@pytest.mark.parametrize("is_deleted", [True, False])
def test_of_a_persons_earlier_files_the_deleted_one_moved(is_deleted: bool) -> None:
    kept, other = make_entry(more="title: x\n"), None if is_deleted else make_entry()
    changes = [
        make_change(None, make_entry(role="maintainer"), MOVED),
        make_change(make_entry(), other, BEA),
        make_change(make_entry(), kept, ADA),
    ]
    for order in (changes, changes[::-1]):
        found = find(*order)
        assert [n.base_path for n in found.nominations] == [BEA if is_deleted else ADA]


@pytest.mark.parametrize("path", [MOVED, BEA])
def test_a_moved_maintainer_is_not_nominated_again(path: str) -> None:
    held = make_entry(role="maintainer")
    assert find(make_change(held, None), make_change(None, held, path)) == NOTHING


def test_two_people_may_swap_their_files() -> None:
    ada, bea = make_entry(role="maintainer"), make_entry("bea", "reviewer")
    assert find(make_change(ada, bea), make_change(bea, ada, BEA)) == NOTHING


def test_another_account_in_the_same_file_is_a_nomination_with_a_caution() -> None:
    found = find(make_change(make_entry(role="reviewer"), make_entry("eve", "maintainer")))
    assert gains(found) == [("eve", "ai-gateway", "maintainer", ("reviewer",), ("maintainer",))]
    assert 'changes from "ada" to "eve"' in found.nominations[0].cautions[0]
    assert 'changes from "ada" to "eve"' in messages(found)


def test_another_account_that_takes_over_a_role_is_not_silent() -> None:
    found = find(make_change(make_entry(role="maintainer"), make_entry("eve", "maintainer")))
    assert [n.username for n in found.nominations] == ["eve"]
    assert found.nominations[0].cautions


def test_another_account_under_the_same_slug_elsewhere_is_cautioned_about() -> None:
    found = find(
        make_change(make_entry(role="reviewer"), None),
        make_change(None, make_entry("eve", "maintainer"), MOVED),
    )
    assert found.nominations[0].base_path == ADA
    assert 'changes from "ada" to "eve"' in found.nominations[0].cautions[0]


def test_two_deleted_files_of_one_slug_are_nobodys_origin() -> None:
    found = find(
        make_change(make_entry(), None),
        make_change(make_entry("bea"), None, f"{PERSON}/b/ada.yml"),
        make_change(None, make_entry("eve", "maintainer"), MOVED),
    )
    assert found.nominations[0].base_path is None


@pytest.mark.parametrize(
    "change",
    [
        make_change(None, make_entry(role="maintainer")),
        make_change(make_entry(role="maintainer"), make_entry(role="maintainer"), old_path="a.yml"),
        make_change("", make_entry(role="maintainer")),
        make_change(make_entry("", "maintainer"), make_entry(role="maintainer")),
        make_change(
            make_entry("", "maintainer"),
            make_entry(role="maintainer"),
            old_path="data/team_members/vacancy/ada.yml",
        ),
    ],
)
def test_a_new_person_with_the_role_is_a_nomination_with_a_caution(change: Change) -> None:
    found = find(change)
    assert gains(found) == [("ada", "ai-gateway", "maintainer", (), ("maintainer",))]
    assert ["new or had no username" in text for text in found.nominations[0].cautions] == [True]


def test_a_base_that_was_malformed_makes_every_role_new() -> None:
    found = find(make_change(BROKEN, make_entry(role="maintainer")))
    assert gains(found) == [("ada", "ai-gateway", "maintainer", (), ("maintainer",))]
    assert len(found.nominations[0].cautions) == 1
    assert "could not be read as it was before" in messages(found)


def test_two_files_of_one_username_are_one_nomination_and_a_remark_on_both() -> None:
    head = make_entry(role="maintainer")
    found = find(
        make_change(make_entry(), head), make_change(None, make_entry("ADA", "maintainer"), BEA)
    )
    assert [(n.username, n.path) for n in found.nominations] == [("ada", ADA)]
    assert {remark.path for remark in found.remarks} == {ADA, BEA}
    assert all("claimed by 2 files" in remark.message for remark in found.remarks)
    assert "claimed by 2 files" in found.nominations[0].cautions[-1]


def test_an_unchanged_file_may_show_that_the_role_is_held_already() -> None:
    held = make_entry(role="maintainer")
    assert find(make_change(None, held), make_change(held, held, BEA)) == NOTHING


def test_a_role_granted_meanwhile_is_remarked_on_only() -> None:
    granted = make_entry(role="maintainer")
    found = find(make_change(make_entry(), "job: other\n" + granted, target=granted))
    assert found.nominations == ()
    assert "meanwhile" in messages(found)
    assert not found.remarks[0].near_miss


def test_a_role_that_the_target_gave_in_the_same_words_is_remarked_on() -> None:
    head = make_entry(role="maintainer")
    found = find(make_change(make_entry(), head, target=head))
    assert (found.nominations, found.unread) == ((), ())
    assert "meanwhile" in messages(found)


def test_what_the_target_granted_and_took_back_is_new_again() -> None:
    found = find(make_change(make_entry(), make_entry(role="maintainer"), target=make_entry()))
    assert gains(found) == [("ada", "ai-gateway", "maintainer", (), ("maintainer",))]


HELD = make_entry(role="maintainer")


@pytest.mark.parametrize("target", [make_entry(), make_entry(role="reviewer")])
def test_a_merge_does_not_give_back_what_the_target_took_away(target: str) -> None:
    assert find(make_change(HELD, "job: other\n" + HELD, target=target)) == NOTHING


@pytest.mark.parametrize("target", [None, BROKEN, Unread(reason="500")])
def test_what_a_merge_makes_of_an_entry_may_be_unknown(target: str | Unread | None) -> None:
    found = find(make_change(HELD, HELD + "job: other\n", target=target))
    assert (found.nominations, [each.path for each in found.unread]) == ((), [ADA])


@pytest.mark.parametrize("target", [None, make_entry(), make_entry("eve", "maintainer"), BROKEN])
def test_a_role_that_is_moved_away_from_where_it_was_taken_is_new(target: str | None) -> None:
    other = f"{PERSON}/a/other.yml"
    found = find(make_change(HELD, None, target=target), make_change(None, HELD, other))
    assert [(each.username, each.path) for each in found.nominations] == [("ada", other)]


def test_what_somebody_held_before_is_what_the_target_still_says() -> None:
    trainee, maintainer = make_entry(role="trainee_maintainer"), make_entry(role="maintainer")
    assert gains(find(make_change(trainee, maintainer)))[0][3] == ("trainee_maintainer",)
    shortened = trainee.replace("  gitlab: reviewer\n", "")
    found = find(make_change(trainee, maintainer, target="job: other\n" + trainee))
    assert gains(found)[0][3] == ("trainee_maintainer",)
    assert find(make_change(trainee, maintainer, target=shortened)).unread != ()  # lines that touch


def test_a_head_that_cannot_be_read_is_unknown() -> None:
    found = find(make_change(make_entry(), Unread(reason="404\n/approve")))
    assert found.nominations == ()
    assert [remark.path for remark in found.unread] == [ADA]
    assert "(404\\n/approve)" in found.unread[0].message


def test_two_sides_that_cannot_be_read_for_the_same_reason_are_unknown() -> None:
    gone = Unread(reason="GitLab answered 502")
    found = find(Change(path=ADA, base=gone, head=gone, target=gone))
    assert [remark.path for remark in found.unread] == [ADA]


def test_a_base_that_cannot_be_read_is_unknown_where_the_head_has_the_role() -> None:
    found = find(make_change(Unread(reason="timeout"), make_entry(role="maintainer")))
    assert (found.nominations, found.remarks) == ((), ())
    assert "before the change (timeout)" in found.unread[0].message


def test_a_base_that_cannot_be_read_does_not_matter_elsewhere() -> None:
    assert find(make_change(Unread(reason="timeout"), make_entry())) == NOTHING


@pytest.mark.parametrize("role", ["reviewer", "maintaner"])
def test_a_base_that_cannot_be_read_matters_where_the_project_is_named(role: str) -> None:
    found = find(make_change(Unread(reason="timeout"), make_entry(role=role)))
    assert (found.nominations, len(found.unread)) == ((), 1)


def test_a_deletion_that_cannot_be_read_is_a_caution_for_new_people() -> None:
    found = find(
        make_change(Unread(reason="500"), None, BEA),
        make_change(None, make_entry(role="maintainer")),
    )
    assert "deleted entry could not be read" in found.nominations[0].cautions[1]


@pytest.mark.sample(4)
@pytest.mark.parametrize(
    ("head", "near_miss", "unknown"),
    [
        (make_entry(more="\tai-gateway: maintainer\n"), True, True),
        (make_entry(more="   ai-gateway: maintainer\n"), True, True),
        (make_entry(more="   ai-gateway:\n    - 'maintainer'\n"), True, True),
        (make_entry(more="  ai-gateway:maintainer\n"), True, True),
        (make_entry(more="  ai-gateway\uff1a maintainer\n"), True, True),
        (make_entry(more="  ai-gateway:\n  * maintainer\n"), True, True),
        ("gitlab: ada\nprojects: ai-gateway: maintainer\n", True, True),
        ("gitlab: ada\nprojects: {ai-gateway: maintainer\n", True, True),
        (make_entry(role="maintainer").encode("utf-16-le"), True, True),
        (make_entry(role="maintainer").encode() + b"name: Ren\xe9\n", True, True),
        (make_entry(role="maintainer", more="x: !ruby/object:A {}\n"), True, True),
        (make_entry(role="maintainer", more="x: y\n" * 300_000), True, True),
        (make_entry(role="maintainer", more="# x\n" * 50_000 + "\t[\n"), True, True),
        (make_entry(role="reviewer", more="\tx\n"), False, True),
        (make_entry(more="  # ai-gateway: maintainer\n\tx\n"), False, True),
        (make_entry(more="\tx: maintainer\n"), False, False),
        ("", False, False),
    ],
)
def test_a_refused_file_is_always_remarked_on(
    head: str | bytes, near_miss: bool, unknown: bool
) -> None:
    found = find(make_change(make_entry(), head))
    assert found.nominations == ()
    assert [remark.near_miss for remark in found.remarks] == ([near_miss] if head else [])
    assert {remark.path for remark in (*found.remarks, *found.unread)} <= {ADA}
    assert bool(found.unread) is unknown


def test_a_refused_file_of_a_maintainer_is_no_near_miss() -> None:
    held = make_entry(role="maintainer")
    found = find(make_change(held, make_entry(role="[maintainer", more="")))
    assert [remark.near_miss for remark in found.remarks] == [False]


@pytest.mark.parametrize(
    "head",
    [
        "projects:\n  ai-gateway: maintainer\n",
        make_entry("", "maintainer"),
        make_entry("~", "maintainer"),
        make_entry("[ada]", "maintainer"),
        "Gitlab: ada\nprojects:\n  ai-gateway: maintainer\n",
    ],
)
def test_a_role_for_nobody_is_unread_as_others_show_it(head: str) -> None:
    for base in (None, "name: x\n"):
        found = find(make_change(base, head))
        assert found.nominations == ()
        assert any("to nobody" in each.message and each.is_authors for each in found.unread)
        assert all(remark.near_miss for remark in found.remarks)
        assert {remark.path for remark in found.remarks + found.unread} == {ADA}


def test_a_username_that_vanishes_is_no_near_miss() -> None:
    assert find(make_change(make_entry(role="maintainer"), make_entry("", "maintainer"))) == NOTHING


@pytest.mark.parametrize(
    "path",
    [
        "data/team.yml",
        f"{PERSON}/a/ada.yaml",
        f"{PERSON}/a/ada.YML",
        f"{PERSON}/ada.yml",
        f"{PERSON}/a/b/ada.yml",
    ],
)
def test_a_role_in_a_file_that_is_no_entry_is_a_near_miss(path: str) -> None:
    for role in (
        "maintainer",
        "\n    - maintainer",
        "\n    # soon\n    - reviewer\n    - maintainer",
    ):
        found = find(make_change(make_entry(), make_entry(role=role), path))
        assert [remark.near_miss for remark in found.remarks] == [True]
        assert path in messages(found)
        # What lies among the entries may be read as one by others.
        assert len(found.unread) == int(path.startswith(PERSON))


def test_the_generated_file_is_no_matter_beside_a_nomination() -> None:
    old, new = make_entry(), make_entry(role="maintainer")
    found = find(
        make_change(old, new), make_change(old * 3_000, old + new * 3_000, "data/team.yml")
    )
    assert len(found.nominations) == 1
    assert found.remarks == ()


def test_a_large_generated_file_is_searched_for_new_roles() -> None:
    many = make_entry(role="maintainer") + make_entry() * 4_000
    found = find(make_change(many, many + make_entry("bea", "maintainer"), "data/team.yml"))
    assert [remark.near_miss for remark in found.remarks] == [True]
    assert find(make_change(many, many + make_entry("bea"), "data/team.yml")) == NOTHING


def test_an_unread_file_that_is_no_entry_does_not_matter() -> None:
    change = make_change(None, Unread(reason="x"), "data/team.yml")
    assert find(change) == NOTHING


def test_hundreds_of_entries_hide_no_nomination() -> None:
    changes = [
        make_change(
            make_entry(f"u{n}"), make_entry(f"u{n}", more="title: x\n"), f"{PERSON}/u/u{n}.yml"
        )
        for n in range(400)
    ]
    changes[371] = make_change(
        make_entry("u371"), make_entry("u371", "maintainer"), changes[371].path
    )
    assert [n.username for n in find(*changes).nominations] == ["u371"]
    assert find(*changes[:371]) == NOTHING


def test_many_nominees_are_all_found() -> None:
    found = find(
        *(
            make_change(
                make_entry(f"u{n}"), make_entry(f"u{n}", "maintainer"), f"{PERSON}/u/u{n}.yml"
            )
            for n in range(60)
        )
    )
    assert len(found.nominations) == 60


def test_the_order_of_files_does_not_matter() -> None:
    changes = [
        make_change(make_entry(), make_entry(role="maintainer")),
        make_change(None, make_entry(role="maintainer"), BEA),
        make_change(make_entry("cid"), make_entry("cid", more="  ai_gateway: maintainer\n"), MOVED),
        make_change(None, Unread(reason="x"), f"{PERSON}/d/dan.yml"),
    ]
    assert len({repr(find(*order)) for order in permutations(changes)}) == 1


ROLES = ["maintainer", "reviewer", "trainee_maintainer", "owner", "Maintainer", "reviewer"]
SPECIALTIES = ["", " backend", " ai_gateway", " UX"]
KEYS = ["ai-gateway", "gitlab", "duo-workflow-service", "ai-gateway-custom"]
role_texts = st.builds(str.__add__, st.sampled_from(ROLES), st.sampled_from(SPECIALTIES))
role_lists = st.lists(role_texts, max_size=3)
projects = st.dictionaries(st.sampled_from(KEYS), role_lists, max_size=3)
people = st.dictionaries(st.sampled_from(["ada", "bea", "on", "0755"]), projects, max_size=3)
styles = st.integers(0, 5)


def write(username: str, held: dict[str, list[str]], style: int) -> bytes:
    """Write the same entry in one of several styles."""
    if style == 0:
        inner = ", ".join(f"{key}: [{', '.join(roles)}]" for key, roles in held.items())
        return f"{{projects: {{{inner}}}, gitlab: {username}}}".encode()
    lines = ["---", f"gitlab: '{username}'" if style == 1 else f"gitlab: {username}"]
    keys = sorted(held, reverse=style == 2)
    lines += ["projects:"] if keys else []
    for key in keys:
        roles = sorted(held[key], reverse=style == 3)
        if len(roles) == 1 and style != 4:
            lines.append(f"  {key}:  {roles[0]}")
        else:
            lines.append(f"  {key}:" if roles else f"  {key}: []")
            lines += [f"{'    ' if style == 5 else '  '}- {role}" for role in roles]
    end = "\r\n" if style == 3 else "\n"
    return (end.join(lines) + end).encode()


def team_path(username: str) -> str:
    return f"{PERSON}/{username[0]}/{username}.yml"


def team_changes(
    before: dict[str, dict[str, list[str]]], after: dict[str, dict[str, list[str]]], style: int
) -> list[Change]:
    bases = {name: write(name, held, 4) for name, held in before.items()}
    return [
        Change(
            path=team_path(name),
            base=bases.get(name),
            head=write(name, after[name], style) if name in after else None,
            target=bases.get(name),
        )
        for name in sorted({*before, *after})
    ]


@given(people, styles)
def test_reformatting_never_nominates(team: dict[str, dict[str, list[str]]], other: int) -> None:
    others = {each.path: each.head for each in team_changes({}, team, other)}
    changes = [replace(each, head=others[each.path]) for each in team_changes(team, team, 4)]
    assert find(*changes) == NOTHING


@given(people, people, styles)
def test_detection_equals_a_naive_reference(
    before: dict[str, dict[str, list[str]]], after: dict[str, dict[str, list[str]]], style: int
) -> None:
    def maintains(team: dict[str, dict[str, list[str]]], name: str) -> bool:
        held = team.get(name, {}).get("ai-gateway", [])
        return any(role.lower().startswith("maintainer") for role in held)

    expected = {name for name in after if maintains(after, name) and not maintains(before, name)}
    found = find(*team_changes(before, after, style))
    assert {n.username for n in found.nominations} == expected


@given(people, people)
def test_adding_then_removing_is_nothing(
    before: dict[str, dict[str, list[str]]], after: dict[str, dict[str, list[str]]]
) -> None:
    changes = team_changes(before, after, 4)
    undone = [replace(each, head=each.base) for each in changes]
    assert find(*undone) == NOTHING
    forth = {n.username for n in find(*changes).nominations}
    back = {n.username for n in find(*team_changes(after, before, 4)).nominations}
    assert not forth & back


@given(people, people, st.randoms(use_true_random=False))
def test_the_order_of_people_does_not_matter(
    before: dict[str, dict[str, list[str]]],
    after: dict[str, dict[str, list[str]]],
    chance: random.Random,
) -> None:
    changes = team_changes(before, after, 1)
    expected = find(*changes)
    chance.shuffle(changes)
    assert find(*changes) == expected


contents = st.one_of(
    st.none(), st.binary(max_size=80), st.builds(Unread, reason=st.text(ANY_CHARACTER, max_size=9))
)


@given(contents, contents, contents)
def test_any_content_is_answered_in_plain_sentences(
    base: bytes | Unread | None, head: bytes | Unread | None, target: bytes | Unread | None
) -> None:
    found = find_nominations([make_change(base, head, target=target)], [MAINTAINER])
    for remark in found.remarks + found.unread:
        assert remark.message.isprintable()


def test_an_entry_moved_from_a_file_that_cannot_be_read_is_unknown() -> None:
    gone = make_change(Unread(reason="502"), None, f"{PERSON}/b/ada.yml")
    found = find(gone, make_change(None, make_entry(role="maintainer")))
    assert found.nominations == ()
    assert "(502)" in messages(found)


def test_a_file_among_the_entries_that_names_no_project_does_not_matter() -> None:
    assert find(make_change(None, "job: x\n", f"{PERSON}/README.md")) == NOTHING


ENCODED = "*.yml working-tree-encoding=IBM037\n"


@pytest.mark.parametrize(
    ("path", "base", "head", "told"),
    [
        (".gitattributes", None, ENCODED, True),
        (".gitattributes", "*.md text\n", "*.md text\n" + ENCODED, True),
        ("data/.gitattributes", None, ENCODED, True),
        (f"{PERSON}/a/.gitattributes", None, ENCODED, True),
        (".gitattributes", None, Unread(reason="502"), True),
        (".gitattributes", ENCODED, "*.md text\n" + ENCODED, False),
        (".gitattributes", ENCODED, None, False),
        (".gitattributes", None, "*.yml text\n", False),
        ("docs/.gitattributes", None, ENCODED, False),
    ],
)
def test_what_lets_git_write_entries_out_as_other_bytes_is_unread(
    path: str, base: str | None, head: str | Unread | None, told: bool
) -> None:
    assert bool(find(make_change(base, head, path)).unread) is told


def test_an_account_that_changed_on_the_target_leaves_the_entry_unread() -> None:
    base = "gitlab: ada\nx: y\n" + make_entry(role="reviewer").partition("\n")[2]
    head, target = base.replace("way: reviewer", "way: maintainer"), base.replace("ada", "eve")
    detection = find(make_change(base, head, target=target))
    assert [each.username for each in detection.nominations] == ["eve"]
    (unread,) = detection.unread
    assert unread.is_authors
    assert 'from "ada" to "eve" on the target branch' in unread.message
