"""Tests of which facts a nomination's policy needs, and of what is made of them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot import policy as rules
from bot.assessment import kinds
from bot.evidence import (
    Commit,
    Commits,
    CommitsOf,
    DefaultBranchOf,
    Evidence,
    ExposureOf,
    Fact,
    FileAt,
    Manager,
    MembersOf,
    Merged,
    Need,
    RenameOf,
    StandingOf,
    Subject,
    Threads,
    ThreadsOf,
    Work,
    WorkOf,
    find_subject,
    gather_evidence,
    manager_path,
)
from bot.evidence.history import MAX_RENAMES, MAX_REVISIONS, Tenure, Trail, Wanted, find_tenure
from bot.evidence.nominee import find_manager
from bot.merge_request import Person, Standing
from bot.nomination.search import find_nominations
from bot.nomination.values import Change
from bot.policy.values import Policy
from bot.team import RoleKey
from bot.unread import Content, Unread
from tests.builders import (
    ENTRY,
    GROUP,
    NOW,
    PROJECT,
    REPOSITORY,
    make_follow_up,
    make_listed,
    make_members,
    make_merge_request,
    make_merged,
    make_nomination,
    make_policy,
    make_requirement,
    make_standing,
    make_work,
    work_of,
)
from tests.fakes import BrokenSource, FakeSource, ForgetfulSource

TRAINEE = "trainee_maintainer"
UNREAD = Unread(reason="GitLab answered 500")
MANAGER_FILE = FileAt(PROJECT, "main", "data/team_members/person/g/grace.yml")
BRANCHES: Mapping[Need, Fact] = {
    DefaultBranchOf(REPOSITORY): "main",
    DefaultBranchOf("group/other"): "main",
}
STANDING_OF = StandingOf(PROJECT, 231)
STANDING = make_standing()
REVIEWED = kinds.ReviewedMergeRequests(at_least=5, since_role=TRAINEE)
LISTED = rules.ListedIn(
    project="group/runway", ref="main", path="inventory.json", format="json", entry=None, key="a"
)
MEMBER = rules.GroupMember(group="group/owners", level=30)


def entry(*roles: str, username: str = "ada", manager: str = "grace") -> bytes:
    written = ", ".join(roles)
    text = f"gitlab: {username}\nreports_to: {manager}\nprojects:\n  ai-gateway: [{written}]\n"
    return text.encode()


def make_subject(policy: Policy | None = None, base: Content = b"", **changes: Any) -> Subject:
    change = Change(path=ENTRY, base=base or entry(), head=entry("maintainer"))
    nomination = make_nomination(**changes)
    return find_subject(nomination, policy or make_policy(), change, make_merge_request())


def commit(number: int, path: str = ENTRY) -> Commit:
    """Build a commit; the higher its number, the older it is."""
    return Commit(
        project=PROJECT, sha=f"c{number}", committed_at=NOW - timedelta(days=number), path=path
    )


def gather(
    source: FakeSource, *subjects: Subject, state: str = "opened", **known: Any
) -> tuple[Evidence, Standing | Unread | None]:
    evidence, standing = gather_evidence(
        subjects or (make_subject(),),
        make_merge_request(state=state),
        BRANCHES | known.get("known", {}),
        source,
        judged=known.get("judged", True),
    )
    return next(iter(evidence.values())), standing


# --- reviews by comments alone ----------------------------------------------------------


def told_of_threads(
    work: Work | Unread, rule: rules.Rule, *answers: Fact, stage: bool = False
) -> tuple[FakeSource, Work | Unread]:
    """Gather with answers to the threads that are asked for; return the rounds and the work."""
    policy = make_policy(make_requirement(rule))
    known: dict[Need, Fact] = {work_of(REPOSITORY, "ada"): work}
    history = CommitsOf(PROJECT, "main", ENTRY)
    trainee = commit(200)
    known[history] = Commits(items=(trainee,) if stage else (), complete=True)
    known[FileAt(trainee.project, trainee.sha, trainee.path)] = entry("trainee_maintainer")
    threads: dict[Need, Fact] = {ThreadsOf(REPOSITORY, "ada", (310, 320)): each for each in answers}
    source = FakeSource({STANDING_OF: STANDING, **known, **threads})
    evidence, _ = gather(source, make_subject(policy))
    return source, evidence.work[REPOSITORY]


def asked_threads(source: FakeSource) -> list[tuple[int, ...]]:
    """Return the merge requests whose threads were asked for."""
    return [n.iids for needs in source.rounds for n in needs if isinstance(n, ThreadsOf)]


def commented(*iids: int, **changes: Any) -> list[Merged]:
    """Build merge requests on which the nominee is a reviewer who commented."""
    return [make_merged(iid, assigned=True, commented=True, **changes) for iid in iids]


def approved(count: int) -> list[Merged]:
    return [make_merged(330 + n, approved=True, recorded=True) for n in range(count)]


FIVE = kinds.ReviewedMergeRequests(at_least=5)


def test_threads_are_read_where_reviews_are_too_few() -> None:
    threads = Threads(found=frozenset({320}), cut=frozenset())
    work = make_work(reviewed=[*approved(4), *commented(320, 310)])
    source, found = told_of_threads(work, FIVE, threads)
    assert source.rounds[-1] == {ThreadsOf(REPOSITORY, "ada", (310, 320)), STANDING_OF}
    assert isinstance(found, Work)
    assert [(m.iid, m.discussed, m.reviewed) for m in found.reviewed.items[-2:]] == [
        (320, True, True),
        (310, False, False),
    ]
    assert (found.reviewed.total, found.reviewed.complete) == (6, True)


@pytest.mark.parametrize(
    ("rule", "authored", "reviewed"),
    [
        (FIVE, 0, 5),
        (kinds.AuthoredOrReviewed(at_least=5), 3, 2),
        (kinds.AuthoredMergeRequests(at_least=5), 0, 0),
        (replace(FIVE, since_role="reviewer"), 0, 0),
    ],
)
def test_threads_are_not_read_where_they_change_nothing(
    rule: rules.Rule, authored: int, reviewed: int
) -> None:
    work = make_work(authored, [*approved(reviewed), *commented(320, 310)])
    source, found = told_of_threads(work, rule)
    assert asked_threads(source) == []
    assert found == work


@pytest.mark.parametrize(
    ("merged", "looked"),
    [
        *((each, False) for each in commented(320, recorded=True, approved=True)),
        *((each, False) for each in commented(320, author="ADA")),
        *((each, True) for each in commented(320, review_state="REVIEWED")),
        (make_merged(320, assigned=True, review_state="UNAPPROVED"), True),
        # Asked for a review again: the state has forgotten the one before.
        (make_merged(320, assigned=True, review_state="UNREVIEWED"), True),
        (make_merged(320, approved=True), True),
        (make_merged(320), False),
        *((each, True) for each in commented(320, recorded=False)),
        # All that GitLab noted was listed.
        (make_merged(320, assigned=True, recorded=False), False),
        (make_merged(320, assigned=True, review_state="REVIEWED", recorded=False), False),
        (make_merged(320, approved=True, commented=True, recorded=False), False),
    ],
)
def test_what_no_list_dates_is_looked_into(merged: Merged, looked: bool) -> None:
    source, _ = told_of_threads(make_work(reviewed=[merged]), FIVE)
    assert asked_threads(source) == ([(320,)] if looked else [])


def test_what_gitlab_recorded_is_told_apart_by_its_time() -> None:
    asked = [make_merged(iid, assigned=True, review_state="UNAPPROVED") for iid in (310, 320)]
    threads = Threads(found=frozenset({310}), recorded=frozenset({320}), late=frozenset({310}))
    _, found = told_of_threads(make_work(reviewed=asked), FIVE, threads)
    assert isinstance(found, Work)
    assert [(m.iid, m.recorded, m.recorded_late, m.discussed) for m in found.reviewed.items] == [
        (320, True, False, False),
        (310, False, True, True),
    ]


def test_threads_of_somebody_never_asked_are_no_review() -> None:
    work = make_work(reviewed=[make_merged(iid, approved=True) for iid in (310, 320)])
    _, found = told_of_threads(work, FIVE, Threads(found=frozenset({310, 320})))
    assert isinstance(found, Work)
    assert not any(merged.reviewed for merged in found.reviewed.items)


def test_those_who_were_asked_alone_are_looked_into_last() -> None:
    asked = [make_merged(iid, assigned=True) for iid in range(320, 340)]
    source, _ = told_of_threads(make_work(reviewed=[*commented(300), *asked]), FIVE)
    assert asked_threads(source) == [(300, *range(321, 340))]


def test_comments_of_somebody_never_asked_are_not_looked_into() -> None:
    work = make_work(bystander=(make_merged(320, commented=True),))
    source, found = told_of_threads(work, FIVE)
    assert asked_threads(source) == []
    assert found == work


def test_threads_before_the_stage_are_not_read() -> None:
    work = make_work(reviewed=commented(320, 100))
    rule = replace(FIVE, since_role="trainee_maintainer")
    source, _ = told_of_threads(work, rule, stage=True)
    assert asked_threads(source) == [(320,)]


def test_work_that_cannot_be_read_has_no_threads() -> None:
    other = make_requirement(replace(FIVE, repository="group/other"), id="other")
    policy = make_policy(make_requirement(FIVE), other)
    threads = ThreadsOf("group/other", "ada", (320,))
    source = FakeSource(
        {
            work_of(REPOSITORY, "ada"): UNREAD,
            work_of("group/other", "ada"): make_work(reviewed=commented(320)),
            threads: Threads(found=frozenset({320})),
        }
    )
    evidence, _ = gather(source, make_subject(policy))
    assert evidence.work[REPOSITORY] == UNREAD
    assert asked_threads(source) == [(320,)]


@pytest.mark.parametrize("answer", [UNREAD, Threads(found=frozenset(), cut=frozenset({310, 320}))])
def test_threads_that_cannot_be_read_leave_doubt(answer: Fact) -> None:
    _, work = told_of_threads(make_work(reviewed=commented(320, 310)), FIVE, answer)
    assert isinstance(work, Work)
    assert [merged.doubtful for merged in work.reviewed.items] == [True, True]


def test_what_was_in_doubt_before_the_threads_stays_so() -> None:
    work = make_work(reviewed=commented(320, 310, cut=True))
    _, found = told_of_threads(work, FIVE, Threads(found=frozenset({320})))
    assert isinstance(found, Work)
    assert [merged.doubtful for merged in found.reviewed.items] == [False, True]


def test_threads_beyond_the_newest_are_not_read_and_leave_doubt() -> None:
    many = commented(*range(300, 330))
    source, work = told_of_threads(make_work(reviewed=many), FIVE)
    assert asked_threads(source) == [tuple(range(310, 330))]
    assert isinstance(work, Work)
    assert {m.iid for m in work.reviewed.items if m.doubtful} >= set(range(300, 310))


def test_two_rules_share_one_look_at_threads() -> None:
    policy = make_policy(
        make_requirement(FIVE), make_requirement(replace(FIVE, at_least=7), id="more")
    )
    work = make_work(reviewed=commented(310, 320))
    source = FakeSource({work_of(REPOSITORY, "ada"): work})
    gather(source, make_subject(policy))
    assert asked_threads(source) == [(310, 320)]


# --- whose work, and how much of it -----------------------------------------------------


def test_an_account_that_is_written_otherwise_is_asked_for_again() -> None:
    nina = Person(id=7, username="Ada", active=True, bot=False)
    first, own = make_work(1, account=nina), make_work(2, account=nina)
    source = FakeSource({work_of(REPOSITORY, "ada"): first, work_of(REPOSITORY, "Ada"): own})
    evidence, _ = gather(source)
    assert evidence.work[REPOSITORY] == own
    assert source.rounds[1] == {work_of(REPOSITORY, "Ada")}


@pytest.mark.parametrize("name", ["ada", "somebody"])
def test_an_account_is_not_asked_for_again_without_need(name: str) -> None:
    work = make_work(1, account=Person(id=7, username=name, active=True, bot=False))
    source = FakeSource({work_of(REPOSITORY, "ada"): work})
    evidence, _ = gather(source)
    assert evidence.work[REPOSITORY] == work
    assert len(source.rounds) == 1


def test_work_in_another_spelling_that_cannot_be_read_is_unread() -> None:
    first = make_work(9, account=Person(id=7, username="Ada", active=True, bot=False))
    source = FakeSource({work_of(REPOSITORY, "ada"): first, work_of(REPOSITORY, "Ada"): UNREAD})
    assert gather(source)[0].work[REPOSITORY] == UNREAD


def test_as_much_work_is_asked_for_as_is_needed() -> None:
    policy = make_policy(
        make_requirement(replace(FIVE, at_least=40)),
        make_requirement(kinds.AuthoredMergeRequests(at_least=20), id="authored"),
        make_requirement(replace(FIVE, at_least=60, repository="group/other"), id="other"),
    )
    source = FakeSource()
    gather(source, make_subject(policy))
    asked = {n for n in source.rounds[0] if isinstance(n, WorkOf)}
    assert asked == {work_of(REPOSITORY, "ada", 40), work_of("group/other", "ada", 60)}


# --- subject ----------------------------------------------------------------------------


def subject_of(base: Content, target: Content = None) -> Subject:
    change = Change(path=ENTRY, base=base, head=entry("maintainer"), target=target)
    return find_subject(make_nomination(), make_policy(), change, make_merge_request())


def test_the_manager_is_the_one_before_the_merge_request() -> None:
    head = entry("maintainer", manager="accomplice")
    change = Change(path=ENTRY, base=entry(manager="grace"), head=head)
    subject = find_subject(make_nomination(), make_policy(), change, make_merge_request())
    assert subject.reports_to == "grace"
    assert subject.manager_file == MANAGER_FILE
    assert subject.doubt is None


@pytest.mark.parametrize(
    ("base", "target", "slug"),
    [
        (entry(manager="former"), entry(manager="grace"), "grace"),
        (entry(manager="grace"), None, "grace"),
        (entry(manager="former"), b"gitlab: ada\n", None),
        (b"\t{broken", entry(manager="grace"), "grace"),
        (None, None, None),
    ],
    ids=["changed since", "gone since", "taken out since", "broken then", "never there"],
)
def test_the_manager_is_the_one_of_the_present_target_branch(
    base: Content, target: Content, slug: str | None
) -> None:
    subject = subject_of(base, target)
    assert subject.reports_to == slug
    assert bool(subject.manager_file) is bool(slug)


@pytest.mark.parametrize("broken", [UNREAD, b"\t{broken"])
def test_an_entry_that_cannot_be_read_leaves_manager_and_account_in_doubt(broken: Content) -> None:
    reason = "the entry before this merge request cannot be read"
    subject = subject_of(broken)
    assert (subject.doubt, subject.manager_file) == (reason, None)
    assert gather(FakeSource(), subject)[0].manager == Unread(reason=reason)


@pytest.mark.parametrize("broken", [UNREAD, b"\t{broken"])
def test_the_author_cannot_get_round_a_target_branch_that_cannot_be_read(broken: Content) -> None:
    subject = subject_of(entry(manager="accomplice"), broken)
    reason = "the entry on the target branch cannot be read"
    assert subject.doubt == reason
    assert gather(FakeSource(), subject)[0].manager == Unread(reason=reason)


@pytest.mark.parametrize(
    ("base", "target", "words"),
    [
        ("ada", "ada", None),
        ("ada", "ADA", None),
        ("eve", "ada", "rebase it"),
        ("ada", "eve", "itself changes"),
        ("eve", "eve", "itself changes"),
        ("~", "ada", "rebase it"),
    ],
)
def test_the_account_is_judged_against_the_target_branch_as_well(
    base: str, target: str, words: str | None
) -> None:
    doubt = subject_of(entry(username=base), entry(username=target)).doubt
    assert doubt is None if words is None else words in (doubt or "")


def test_a_new_entry_cannot_name_its_manager() -> None:
    subject = find_subject(make_nomination(), make_policy(), None, make_merge_request())
    assert subject.reports_to is None


@pytest.mark.parametrize(("username", "doubted"), [("ADA", False), ("eve", True), ("~", True)])
def test_an_account_that_the_merge_request_changes_is_doubted(username: str, doubted: bool) -> None:
    subject = make_subject(base=entry(username=username))
    assert bool(subject.doubt) is doubted


@pytest.mark.parametrize(
    ("slug", "path"),
    [
        ("grace-hopper", "data/team_members/person/g/grace-hopper.yml"),
        ("Grace", "data/team_members/person/g/Grace.yml"),
        (None, None),
        ("", None),
        ("../../secrets", None),
        (".hidden", None),
        ("a/b", None),
        ("a\\b", None),
        ("a\0b", None),
    ],
)
def test_a_managers_entry_lies_beside_the_nominees(slug: str | None, path: str | None) -> None:
    assert manager_path(ENTRY, slug) == path


# --- needs ------------------------------------------------------------------------------

RICH = make_policy(
    make_requirement(kinds.AuthoredMergeRequests(at_least=5), id="authored"),
    make_requirement(replace(REVIEWED, repository="group/other"), id="reviewed"),
    make_requirement(kinds.OpenFor(days=7), id="age"),
    follow_ups=(make_follow_up(MEMBER), make_follow_up(LISTED), make_follow_up(rules.Manual())),
)


def test_a_policy_says_what_is_looked_up_in_one_round_after_the_history() -> None:
    source = FakeSource({STANDING_OF: STANDING})
    _, standing = gather(source, make_subject(RICH))
    assert standing == STANDING
    assert source.rounds == [
        {CommitsOf(PROJECT, "main", ENTRY)},
        {
            MembersOf(GROUP),
            MembersOf("group/owners"),
            FileAt("group/runway", "main", "inventory.json"),
            MANAGER_FILE,
            work_of(REPOSITORY, "ada"),
            work_of("group/other", "ada"),
            *map(ExposureOf, (REPOSITORY, "group/other")),
            STANDING_OF,
        },
    ]


def test_inherited_members_are_asked_for_where_they_will_do() -> None:
    check = replace(MEMBER, direct=False)
    direct, all_of = make_members("margaret"), make_members("margaret", "ada", owners=())
    source = FakeSource(
        {MembersOf("group/owners"): direct, MembersOf("group/owners", inherited=True): all_of}
    )
    policy = make_policy(follow_ups=(make_follow_up(check),))
    evidence, _ = gather(source, make_subject(policy))
    assert evidence[MembersOf("group/owners")] == direct
    assert evidence[MembersOf("group/owners", inherited=True)] == all_of


def test_after_the_merge_work_history_and_standing_are_not_needed() -> None:
    source = FakeSource()
    evidence, standing = gather(source, make_subject(RICH), state="merged", judged=False)
    (needs,) = source.rounds
    assert all(isinstance(work, Unread) for work in evidence.work.values())
    assert not [need for need in needs if isinstance(need, WorkOf | CommitsOf | StandingOf)]
    assert standing is None


def test_work_is_not_counted_where_the_default_branch_is_not_known() -> None:
    source = FakeSource({DefaultBranchOf(REPOSITORY): UNREAD})
    evidence, _ = gather(source, known={DefaultBranchOf(REPOSITORY): UNREAD})
    assert evidence.work[REPOSITORY] == UNREAD
    evidence, _ = gather(source, known={DefaultBranchOf(REPOSITORY): None})
    assert isinstance(evidence.work[REPOSITORY], Unread)
    assert not [n for needs in source.rounds for n in needs if isinstance(n, WorkOf)]


def test_the_default_branch_is_asked_for_first_where_it_is_not_known() -> None:
    source = FakeSource({DefaultBranchOf(REPOSITORY): "trunk"})
    gather_evidence([make_subject()], make_merge_request(), {}, source)
    assert source.rounds[0] == {DefaultBranchOf(REPOSITORY)}
    assert WorkOf(REPOSITORY, "ada", 10, "trunk") in source.rounds[1]


def test_what_is_known_is_not_looked_up_again() -> None:
    source = FakeSource()
    known = {MembersOf(GROUP): make_members("margaret"), work_of(REPOSITORY, "ada"): make_work(1)}
    evidence, _ = gather(source, known=known)
    assert source.rounds[0].isdisjoint(known)
    assert evidence[MembersOf(GROUP)] == known[MembersOf(GROUP)]
    assert evidence.work[REPOSITORY] == make_work(1)


@pytest.mark.parametrize("answer", [None, UNREAD])
def test_a_merge_request_that_cannot_be_read_again_is_unread(answer: Fact) -> None:
    assert isinstance(gather(FakeSource({STANDING_OF: answer}))[1], Unread)


def test_when_every_look_up_fails_everything_is_unread() -> None:
    evidence, standing = gather(BrokenSource(), make_subject(RICH))
    found = [
        *evidence.work.values(),
        *evidence.tenures.values(),
        evidence.manager,
        *(evidence[n] for n in evidence.facts if isinstance(n, MembersOf | FileAt)),
    ]
    assert len(found) == 8
    assert all(isinstance(fact, Unread) and fact.reason for fact in found)
    assert isinstance(standing, Unread)


def test_what_was_left_out_of_an_answer_is_unread_with_a_reason() -> None:
    evidence, standing = gather(ForgetfulSource(), make_subject(RICH))
    unread = Unread(reason="it was not looked up")
    assert evidence.manager == unread
    assert (*evidence.work.values(), *evidence.tenures.values()) == (unread,) * 3
    assert isinstance(standing, Unread)


def test_a_fact_of_another_kind_is_unread() -> None:
    need = FileAt("group/runway", "main", "inventory.json")
    source = FakeSource({MembersOf(GROUP): "a text", need: "a text"})
    evidence, _ = gather(source, make_subject(RICH))
    assert isinstance(evidence[MembersOf(GROUP)], Unread)
    assert isinstance(evidence[need], Unread)
    assert isinstance(evidence.work[REPOSITORY], Unread)


def test_several_nominations_share_one_round() -> None:
    other = make_subject(username="linus")
    source = FakeSource()
    gathered, _ = gather_evidence(
        [make_subject(), other], make_merge_request(), {**BRANCHES}, source
    )
    assert set(gathered) == {"ada gateway@1", "linus gateway@1"}
    assert len(source.rounds) == 1


# --- stage ------------------------------------------------------------------------------

WATCHED = make_policy(make_requirement(REVIEWED))


def find(revisions: Sequence[Content], *, complete: bool = True) -> Tenure | Unread:
    pairs = [(commit(number), content) for number, content in enumerate(revisions)]
    wanted = Wanted(username="Ada", project="ai-gateway", roles=[TRAINEE])
    return find_tenure(TRAINEE, Trail(revisions=pairs, complete=complete), wanted)


WITH, WITHOUT = entry(TRAINEE), entry("reviewer")
OTHER = entry(TRAINEE, username="bea")
BROKEN = b"\t{broken"


@pytest.mark.parametrize(
    ("revisions", "complete", "stage"),
    [
        ([], True, Tenure(since=None)),
        ([WITHOUT, WITHOUT], True, Tenure(since=None)),
        ([WITH], True, Tenure(since=NOW)),
        ([WITH, WITH, WITHOUT], True, Tenure(since=NOW - timedelta(days=1))),
        ([WITH, WITHOUT, WITH, None], True, Tenure(since=NOW - timedelta(days=2))),
        ([WITHOUT, WITH], True, Tenure(since=NOW - timedelta(days=1))),
        ([WITH, WITHOUT], False, Tenure(since=NOW, at_least=True)),
        ([WITHOUT, WITH], False, Tenure(since=NOW - timedelta(days=1), at_least=True)),
        ([entry("trainee-maintainer")], True, Tenure(since=NOW)),
        ([entry("Trainee_Maintainer backend")], True, Tenure(since=NOW)),
        ([WITH, BROKEN], True, Tenure(since=NOW, at_least=True)),
        ([WITH, BROKEN, WITHOUT], True, Tenure(since=NOW, at_least=True)),
        ([BROKEN, WITH, WITHOUT], True, Tenure(since=NOW - timedelta(days=1))),
        ([WITH, BROKEN, WITH], True, Tenure(since=NOW - timedelta(days=2))),
    ],
)
def test_a_stage_begins_when_the_role_first_appeared(
    revisions: Sequence[Content], complete: bool, stage: Tenure
) -> None:
    assert find(revisions, complete=complete) == stage


def test_the_stage_of_another_account_is_nobodys_guess() -> None:
    assert isinstance(find([WITHOUT, OTHER]), Unread)
    assert find([WITH, OTHER]) == Tenure(since=NOW, at_least=True)
    assert find([WITH, entry("reviewer", username="bea")]) == Tenure(since=NOW)


def test_an_unread_revision_leaves_the_stage_unread() -> None:
    assert find([WITH, UNREAD, WITHOUT]) == UNREAD


@pytest.mark.parametrize("revisions", [[BROKEN], [WITHOUT, BROKEN], [BROKEN, WITHOUT]])
def test_a_revision_that_is_no_entry_may_have_held_the_role(revisions: Sequence[Content]) -> None:
    stage = find(revisions)
    assert isinstance(stage, Unread)
    assert "no valid entry" in stage.reason


def test_a_cut_history_without_the_role_is_unread() -> None:
    assert isinstance(find([WITHOUT], complete=False), Unread)


def history(*contents: Content, path: str = ENTRY, first: int = 0) -> dict[Need, Fact]:
    """Build the facts of an entry's history, newest first."""
    commits = tuple(commit(first + n, path) for n in range(len(contents)))
    ref = "main" if first == 0 else f"c{first - 1}"
    facts: dict[Need, Fact] = {CommitsOf(PROJECT, ref, path): Commits(items=commits, complete=True)}
    pairs = zip(commits, contents, strict=True)
    return facts | {FileAt(PROJECT, c.sha, path): content for c, content in pairs}


def tenure_of(source: FakeSource, **changes: Any) -> Tenure | Unread:
    evidence, _ = gather(source, make_subject(WATCHED, **changes))
    return evidence.tenures[TRAINEE]


def test_a_history_takes_two_rounds() -> None:
    source = FakeSource(history(WITH, WITH, WITHOUT))
    assert tenure_of(source) == Tenure(since=NOW - timedelta(days=1))
    assert len(source.rounds) == 2


def test_a_history_that_is_known_takes_one_round() -> None:
    facts = history(WITH, WITHOUT)
    listed = CommitsOf(PROJECT, "main", ENTRY)
    source = FakeSource(facts)
    evidence, _ = gather(source, make_subject(WATCHED), known={listed: facts[listed]})
    assert evidence.tenures[TRAINEE] == Tenure(since=NOW)
    assert len(source.rounds) == 1


def test_every_role_that_is_asked_about_has_a_stage() -> None:
    policy = make_policy(
        make_requirement(REVIEWED),
        make_requirement(kinds.AuthoredMergeRequests(at_least=1, since_role="reviewer")),
    )
    source = FakeSource(history(WITH, WITHOUT, entry()))
    evidence, _ = gather(source, make_subject(policy))
    assert evidence.tenures == {
        TRAINEE: Tenure(since=NOW),
        "reviewer": Tenure(since=NOW - timedelta(days=1)),
    }


def test_a_new_entry_has_no_history() -> None:
    source = FakeSource()
    assert tenure_of(source, base_path=None) == Tenure(since=None)
    assert not [n for n in source.rounds[0] if isinstance(n, CommitsOf)]


def test_a_rename_is_followed_to_where_the_role_began() -> None:
    facts = history(WITH) | history(WITH, WITHOUT, path="old.yml", first=1)
    facts[RenameOf(PROJECT, "c0", ENTRY)] = "old.yml"
    assert tenure_of(FakeSource(facts)) == Tenure(since=NOW - timedelta(days=1), renames=True)


def test_all_names_are_followed_once_there_was_another() -> None:
    facts = history(WITH) | history(WITH, WITHOUT, path="old.yml", first=1)
    facts |= history(WITH, WITHOUT, path="older.yml", first=3)
    facts[RenameOf(PROJECT, "c0", ENTRY)] = "old.yml"
    facts[RenameOf(PROJECT, "c2", "old.yml")] = "older.yml"
    assert tenure_of(FakeSource(facts)) == Tenure(since=NOW - timedelta(days=3), renames=True)


@pytest.mark.parametrize(
    ("newer", "older", "days"),
    [([WITH, WITHOUT], [WITH, WITHOUT], 2), ([WITHOUT], [WITH], 1), ([BROKEN], [WITH], 1)],
    ids=["taken up again", "given up before", "not readable at first"],
)
def test_where_reviews_are_too_few_a_role_under_an_earlier_name_is_looked_for(
    newer: list[Content], older: list[Content], days: int
) -> None:
    oldest = f"c{len(newer) - 1}"
    facts = history(*newer) | history(*older, path="old.yml", first=len(newer))
    facts[RenameOf(PROJECT, oldest, ENTRY)] = "old.yml"
    items = [make_merged(395 + n, recorded=True) for n in range(6)]
    facts[work_of(REPOSITORY, "ada")] = make_work(reviewed=items)
    assert tenure_of(FakeSource(facts)) == Tenure(since=NOW - timedelta(days=days), renames=True)


EARLY = [make_merged(300 + n, recorded=True) for n in range(5)]
LATE = [make_merged(401 + n, recorded=True) for n in range(5)]


@pytest.mark.parametrize(
    ("work", "since_now", "never"),
    [
        (make_work(reviewed=LATE), False, True),
        (make_work(reviewed=[*EARLY[:2], *LATE[:2]]), False, False),
        (make_work(reviewed=[*EARLY[:2], *LATE[:2]], bystander=tuple(EARLY)), False, False),
        (make_work(reviewed=EARLY), True, True),
        (make_work(reviewed=[*EARLY[:1], *LATE[:4]]), True, True),
        (make_work(reviewed=[*commented(301, 302), *LATE[:3]]), True, True),
        (replace(make_work(), reviewed=make_listed(LATE[:3], total=9)), True, True),
        (UNREAD, False, False),
    ],
    ids=["enough", "too few", "never asked", "early", "one early", "comments", "cut", "unread"],
)
def test_an_earlier_name_is_looked_for_only_where_it_could_change_the_verdict(
    work: Work | Unread, since_now: bool, never: bool
) -> None:
    for revisions, since, expected in (
        ([WITH, WITHOUT], NOW, since_now),
        ([WITHOUT], None, never),
    ):
        source = FakeSource(history(*revisions) | {work_of(REPOSITORY, "ada"): work})
        assert tenure_of(source) == Tenure(since=since, renames=expected)
        asked = {n for needs in source.rounds for n in needs if isinstance(n, RenameOf)}
        assert bool(asked) is expected


@pytest.mark.parametrize(("at_least", "renames"), [(3, False), (5, True), (6, False)])
def test_an_earlier_name_is_looked_for_where_authored_ones_are_too_few(
    at_least: int, renames: bool
) -> None:
    own = [make_merged(iid, "ada") for iid in (300, 301, 401, 402, 403)]
    rule = kinds.AuthoredMergeRequests(at_least=at_least, since_role=TRAINEE)
    # Reviews in doubt change nothing for a rule that does not count them.
    work = make_work(own, commented(302, 303))
    source = FakeSource(history(WITH, WITHOUT) | {work_of(REPOSITORY, "ada"): work})
    evidence, _ = gather(source, make_subject(make_policy(make_requirement(rule))))
    assert evidence.tenures[TRAINEE] == Tenure(since=NOW, renames=renames)


def test_the_commit_that_renamed_an_entry_is_not_read_twice() -> None:
    facts = history(WITH) | history(WITH, WITHOUT, path="old.yml", first=1)
    old = CommitsOf(PROJECT, "c0", "old.yml")
    earlier = facts[old]
    assert isinstance(earlier, Commits)
    items = (commit(0, "old.yml"), *earlier.items)
    facts |= {RenameOf(PROJECT, "c0", ENTRY): "old.yml", old: Commits(items=items, complete=True)}
    source = FakeSource(facts)
    assert tenure_of(source) == Tenure(since=NOW - timedelta(days=1), renames=True)
    assert FileAt(PROJECT, "c0", "old.yml") not in {n for needs in source.rounds for n in needs}


def test_a_rename_is_not_looked_for_when_the_role_began_later() -> None:
    source = FakeSource(history(WITH, WITHOUT))
    tenure_of(source)
    assert not [n for needs in source.rounds for n in needs if isinstance(n, RenameOf)]


@pytest.mark.parametrize("answer", [UNREAD, "old.yml"])
def test_a_rename_that_cannot_be_followed_says_so(answer: Fact) -> None:
    facts = history(WITH) | {
        RenameOf(PROJECT, "c0", ENTRY): answer,
        CommitsOf(PROJECT, "c0", "old.yml"): UNREAD,
    }
    assert tenure_of(FakeSource(facts)) == Tenure(since=NOW, at_least=True)


def test_more_renames_than_are_followed_say_so() -> None:
    facts = history(WITH)
    for number in range(MAX_RENAMES + 1):
        path = ENTRY if number == 0 else f"old{number}.yml"
        facts[RenameOf(PROJECT, f"c{number}", path)] = f"old{number + 1}.yml"
        facts |= history(WITH, path=f"old{number + 1}.yml", first=number + 1)
    last = NOW - timedelta(days=MAX_RENAMES)
    assert tenure_of(FakeSource(facts)) == Tenure(since=last, at_least=True, renames=True)


def test_more_revisions_than_are_read_say_so() -> None:
    source = FakeSource(history(*[WITH] * (MAX_REVISIONS + 5)))
    last = NOW - timedelta(days=MAX_REVISIONS - 1)
    assert tenure_of(source) == Tenure(since=last, at_least=True)
    read = [n for n in source.rounds[1] if isinstance(n, FileAt) and n.path == ENTRY]
    assert len(read) == MAX_REVISIONS


@pytest.mark.parametrize("answer", [UNREAD, None])
def test_an_unread_history_is_an_unread_stage_with_a_reason(answer: Unread | None) -> None:
    stage = tenure_of(FakeSource({CommitsOf(PROJECT, "main", ENTRY): answer}))
    assert stage == (answer or Unread(reason="it was not looked up"))


# --- manager ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "slug", "manager"),
    [
        (entry(username="grace"), "grace", Manager(username="grace")),
        (b"name: Grace\n", "grace", "holds no account"),
        (None, "grace", "does not exist"),
        (entry(), None, "had no `reports_to`"),
        (entry(), "", "had no `reports_to`"),
    ],
)
def test_the_manager_is_whom_the_entry_names(
    content: Content, slug: str | None, manager: Manager | str
) -> None:
    found = find_manager(content, slug)
    assert isinstance(found, Manager)
    if isinstance(manager, Manager):
        assert found == manager
    else:
        assert found.username is None
        assert manager in (found.missing or "")


@pytest.mark.parametrize("content", [UNREAD, b"\t{broken"])
def test_a_manager_whose_entry_cannot_be_read_is_unread(content: Content) -> None:
    assert isinstance(find_manager(content, "grace"), Unread)


def test_an_impossible_slug_names_nobody() -> None:
    evidence, _ = gather(FakeSource(), make_subject(base=entry(manager="../x")))
    assert evidence.manager == Manager(
        username=None, missing="the entry that `reports_to` names does not exist"
    )


def test_an_entry_that_is_written_anew_elsewhere_keeps_its_manager() -> None:
    elsewhere = "data/team_members/person/l/lovelace.yml"
    was = entry(TRAINEE, manager="grace")
    old = Change(path=ENTRY, base=was, head=None, target=was)
    new = Change(path=elsewhere, base=None, head=entry("maintainer", manager="accomplice"))
    wanted = RoleKey(project="ai-gateway", role="maintainer")
    (nomination,) = find_nominations([old, new], [wanted]).nominations
    assert nomination.base_path == old.base_path
    subject = find_subject(nomination, make_policy(), old, make_merge_request())
    assert subject.reports_to == "grace"
