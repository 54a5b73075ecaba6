"""Build values with defaults, so that a test names only what it is about."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from bot import policy as rules
from bot.assessment import kinds
from bot.assessment.assessing import Assessment, assess
from bot.assessment.findings import Case, Finding
from bot.assessment.kinds.kind import kind_of
from bot.commands.values import Hold, Replay, Waiver
from bot.evidence import (
    Evidence,
    Exposure,
    ExposureOf,
    Fact,
    FileAt,
    Listed,
    Manager,
    Member,
    Members,
    MembersOf,
    Merged,
    Need,
    Offer,
    Subject,
    Work,
    WorkOf,
)
from bot.evidence.history import Tenure
from bot.evidence.timing import Timing
from bot.merge_request import HeadPipeline, MergeRequest, Note, Person, Standing, Visibility
from bot.nomination.values import Detection, Nomination
from bot.policy.values import GroupRef, Policy, Requirement
from bot.report.values import Findings
from bot.rulebook.loading import load_policies
from bot.unread import Content, Unread

NOW = datetime(2026, 2, 2, 9, 30, tzinfo=UTC)
GITLAB = "https://gitlab.example.com"
PROJECT = "example-org/team-database"
REPOSITORY = "example-org/ai-gateway"
GROUP = "example-org/maintainers"
BRANCH = "main"
HEAD = "a1b2c3d4e5f60718293a4b5c6d7e8f9001122334"
BASE = "00aa11bb22cc33dd44ee55ff66aa77bb88cc99dd"
ENTRY = "data/team_members/person/a/ada.yml"
MR_URL = f"{GITLAB}/{PROJECT}/-/merge_requests/231"
DEVELOPER, MAINTAINER, OWNER = 30, 40, 50
# How the shipped comment begins to say so.
TROUBLE = "**The gate could not be set:**"


def make_person(username: str, **changes: Any) -> Person:
    return replace(Person(id=sum(map(ord, username)), username=username), **changes)


def make_note(number: int, body: str, author: Person | None = None, **changes: Any) -> Note:
    note = Note(
        id=number,
        body=body,
        author=author or make_person("ada"),
        created_at=NOW + timedelta(minutes=number),
        url=f"{MR_URL}#note_{number}",
    )
    return replace(note, **changes)


def make_merge_request(**changes: Any) -> MergeRequest:
    merge_request = MergeRequest(
        project=PROJECT,
        project_id=7001,
        iid=231,
        web_url=MR_URL,
        state="opened",
        draft=False,
        author=make_person("ada"),
        created_at=NOW - timedelta(days=2),
        merged_at=None,
        prepared=True,
        head_sha=HEAD,
        base_sha=BASE,
        source_branch="ada-maintainer",
        target_branch="main",
        from_fork=False,
        source_project_id=7001,
        changed_paths=(ENTRY,),
        assignees=(),
        reviewers=(),
        approved_by=(),
        head_pipeline=None,
        discussion_locked=False,
        notes=(),
        me=make_person("nomination-bot", bot=True),
    )
    return replace(merge_request, **changes)


def make_standing(**changes: Any) -> Standing:
    standing = Standing(
        head_sha=HEAD,
        state="opened",
        target_branch="main",
        assignees=frozenset(),
        approved_by=frozenset(),
        comments=frozenset(),
        whole=True,
    )
    return replace(standing, **changes)


def make_pipeline(**changes: Any) -> HeadPipeline:
    pipeline = HeadPipeline(
        id=880231, sha=HEAD, source="merge_request_event", ref="refs/merge-requests/231/head"
    )
    return replace(pipeline, **changes)


def make_nomination(username: str = "ada", **changes: Any) -> Nomination:
    nomination = Nomination(
        username=username,
        project="ai-gateway",
        role="maintainer",
        before=("trainee_maintainer",),
        after=("maintainer",),
        path=f"data/team_members/person/{username[:1].lower()}/{username}.yml",
        base_path=f"data/team_members/person/{username[:1].lower()}/{username}.yml",
        cautions=(),
    )
    return replace(nomination, **changes)


def make_requirement(rule: rules.Rule, **changes: Any) -> Requirement:
    requirement = Requirement(
        id="wanted",
        title="What is wanted",
        blocking=True,
        actor="nominee",
        help="Do it.",
        rule=rule,
    )
    return replace(requirement, **changes)


def make_follow_up(check: rules.Check, **changes: Any) -> rules.FollowUp:
    step = rules.FollowUp(
        id="step", title="Take the step", actor="nominee", help="Take it.", check=check
    )
    return replace(step, **changes)


def make_policy(*wanted: Requirement, **changes: Any) -> Policy:
    """Build a small policy; with nothing wanted it wants five authored merge requests."""
    policy = Policy(
        id="gateway",
        version="1",
        title="Maintainer of the AI Gateway",
        document=f"{GITLAB}/{REPOSITORY}/-/blob/main/maintainership.md",
        project="ai-gateway",
        role="maintainer",
        repository=REPOSITORY,
        maintainers=GroupRef(group=GROUP, level=DEVELOPER),
        requirements=wanted or (make_requirement(kinds.AuthoredMergeRequests(at_least=5)),),
        source="policies/gateway.yml",
    )
    return replace(policy, **changes)


def load_shipped() -> Policy:
    return load_policies()[0]


def make_merged(iid: int, author: str | None = "linus", **changes: Any) -> Merged:
    """Build a merged merge request; the higher the number, the later it was merged."""
    merged = Merged(
        iid=iid,
        title=f"Change number {iid}",
        web_url=f"{GITLAB}/{REPOSITORY}/-/merge_requests/{iid}",
        merged_at=NOW - timedelta(days=400 - iid),
        author=author,
    )
    return replace(merged, **changes)


def make_listed(items: Iterable[Merged] = (), total: int | None = None) -> Listed:
    newest = tuple(sorted(items, key=lambda merged: merged.merged_at, reverse=True))
    is_cut = total is not None and total > len(newest)
    seen_since = newest[-1].merged_at if newest and is_cut else None
    return Listed(
        items=newest, total=len(newest) if total is None else total, seen_since=seen_since
    )


def work_of(project: str, username: str, wanted: int = 10) -> WorkOf:
    return WorkOf(project, username, wanted, BRANCH)


def make_work(
    authored: int | Sequence[Merged] = 0, reviewed: int | Sequence[Merged] = 0, **changes: Any
) -> Work:
    """Build somebody's work, from numbers of merge requests or from the merge requests."""
    if isinstance(authored, int):
        authored = [make_merged(100 + n, "ada") for n in range(authored)]
    if isinstance(reviewed, int):
        reviewed = [make_merged(200 + n, approved=True, recorded=True) for n in range(reviewed)]
    work = Work(
        account=Person(id=7, username="ada", active=True, bot=False),
        authored=make_listed(authored),
        reviewed=make_listed(reviewed),
        branch=BRANCH,
    )
    return replace(work, **changes)


def make_member(username: str, level: int = MAINTAINER, **changes: Any) -> Member:
    return replace(Member(username=username, level=level), **changes)


def make_members(*direct: str | Member, owners: Iterable[str | Member] = ("olga",)) -> Members:
    def members(all_of: Iterable[str | Member]) -> tuple[Member, ...]:
        return tuple(make_member(m) if isinstance(m, str) else m for m in all_of)

    return Members(direct=members(direct), owners=members(owners), visibility=Visibility.PUBLIC)


def make_offer(**changes: Any) -> Offer:
    """Build a merge request that the bot opened for a step, and to which nobody else pushed."""
    me = make_person("nomination-bot").id
    offer = Offer(
        iid=12,
        web_url=f"{GITLAB}/example-org/runway/-/merge_requests/12",
        state="opened",
        branch="nomination-bot/gateway/step/ada",
        target="main",
        author_id=me,
        whose=frozenset({me}),
    )
    return replace(offer, **changes)


OPEN = Exposure(merge_requests=Visibility.PUBLIC, files=Visibility.PUBLIC)


def make_evidence(
    work: Work | Unread | Mapping[str, Work | Unread] | None = None, **changes: Any
) -> Evidence:
    """Build evidence; `members` are those of the maintainers' group, `stage` of every role.

    `work` is that in the policy's own repository, unless it is a mapping.
    """
    members = changes.pop("members", make_members("margaret", "linus"))
    stage = changes.pop("stage", Tenure(since=NOW - timedelta(days=365)))
    told = {name: changes.pop(name, {}) for name in ("inherited", "files", "exposures")}
    evidence = Evidence(
        work=work if isinstance(work, Mapping) else {REPOSITORY: work or make_work()},
        tenures={"trainee_maintainer": stage},
        manager=Manager(username="grace"),
        facts=changes.pop("facts", {}),
    )
    evidence = tell_facts(evidence, groups=changes.pop("groups", {GROUP: members}), **told)
    evidence = replace(evidence, **changes)
    # Everybody may see everything, unless a test says otherwise.
    files = (need.project for need in evidence.facts if isinstance(need, FileAt))
    everywhere = {ExposureOf(place): OPEN for place in (*evidence.work, *files)}
    return replace(evidence, facts=everywhere | dict(evidence.facts))


def tell_facts(
    evidence: Evidence,
    groups: Mapping[str, Fact] | None = None,
    inherited: Mapping[str, Fact] | None = None,
    files: Mapping[Any, Fact] | None = None,
    exposures: Mapping[str, Fact] | None = None,
) -> Evidence:
    """Add facts to the evidence: members by group, contents by file, and who may see a project."""
    told: dict[Need, Fact] = {
        **{MembersOf(group): found for group, found in (groups or {}).items()},
        **{MembersOf(group, inherited=True): found for group, found in (inherited or {}).items()},
        **{ExposureOf(place): found for place, found in (exposures or {}).items()},
    }
    return replace(evidence, facts={**evidence.facts, **told, **(files or {})})


def make_timing(merge_request: MergeRequest, **changes: Any) -> Timing:
    """Build the times of a nomination that came with its merge request and was approved since."""
    timing = Timing(
        nominated=merge_request.created_at,
        settled=merge_request.created_at,
        opened=merge_request.created_at,
        approved={person.key: NOW for person in merge_request.approved_by},
    )
    return replace(timing, **changes)


def make_case(policy: Policy | None = None, **changes: Any) -> Case:
    merge_request = changes.get("merge_request", make_merge_request())
    subject = Subject(
        nomination=changes.pop("nomination", make_nomination()),
        policy=policy or make_policy(),
        reports_to=None,
        manager_file=None,
        doubt=changes.pop("account_doubt", None),
        timing=changes.pop("timing", make_timing(merge_request)),
        present=changes.pop("present", None),
    )
    case = Case(
        subject=subject,
        merge_request=merge_request,
        evidence=make_evidence(),
        attested=frozenset(),
        now=NOW,
    )
    return replace(case, **changes)


def judge(rule: rules.Rule, **changes: Any) -> Finding:
    """Judge one requirement of a policy that has no other."""
    requirement = make_requirement(rule)
    return kind_of(requirement).judge(make_case(make_policy(requirement), **changes), requirement)


def make_replay(**changes: Any) -> Replay:
    replay = Replay(waivers={}, held=None, attested={}, help_wanted=False, answers=())
    return replace(replay, **changes)


def make_waiver(by: str = "margaret", reason: str = "Long experience elsewhere") -> Waiver:
    return Waiver(by=by, reason=reason, note_id=7, at=NOW)


def make_hold(by: str = "margaret", reason: str = "Reorganisation ahead") -> Hold:
    return Hold(by=by, reason=reason, note_id=8, at=NOW)


def make_detection(**changes: Any) -> Detection:
    return replace(Detection(nominations=(), remarks=(), unread=()), **changes)


def make_assessment(
    policy: Policy | None = None, replay: Replay | None = None, **changes: Any
) -> Assessment:
    newer = changes.pop("newer_policy", None)
    return assess(make_case(policy, **changes), replay or make_replay(), newer)


def make_findings(*assessments: Assessment, **changes: Any) -> Findings:
    findings = Findings(
        merge_request=make_merge_request(),
        detection=make_detection(nominations=tuple(a.nomination for a in assessments)),
        assessments=assessments,
        replay=make_replay(),
        gate_url=f"{MR_URL}#note_9",
    )
    return replace(findings, **changes)


def files_at(contents: Mapping[tuple[str, str], Content], project: str = PROJECT) -> Any:
    """Build facts from contents by ref and path."""
    return {FileAt(project, ref, path): content for (ref, path), content in contents.items()}
