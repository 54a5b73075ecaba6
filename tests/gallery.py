"""Situations that the comment is about, each as what was found."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from bot.app.asked import with_outcomes
from bot.assessment.assessing import Assessment
from bot.commands.values import Answer, Outcome, Replay
from bot.evidence import Act, Course, CoursesOf, Evidence, FileAt, Manager, Work
from bot.evidence.history import Tenure
from bot.evidence.present import Present
from bot.merge_request import MergeRequest
from bot.nomination.values import Remark
from bot.policy.follow_ups import ListedIn
from bot.policy.values import Policy
from bot.report.values import Findings
from bot.unread import Content, Unread
from tests.builders import (
    ENTRY,
    GITLAB,
    MR_URL,
    NOW,
    REPOSITORY,
    load_shipped,
    make_assessment,
    make_detection,
    make_evidence,
    make_findings,
    make_hold,
    make_members,
    make_merge_request,
    make_merged,
    make_nomination,
    make_offer,
    make_person,
    make_replay,
    make_waiver,
    make_work,
    tell_facts,
)

POLICY = load_shipped()
SINCE = NOW - timedelta(days=250)
HALF = make_work(
    [make_merged(100 + n, "ada", title=f"Speed up the proxy, part {n}") for n in range(1, 8)],
    [
        make_merged(240, approved=True, recorded=True, title="Cache tokens"),
        make_merged(230, review_state="REVIEWED", recorded=True, title="Add a health check"),
        make_merged(220, assigned=True, title="Bump dependencies"),
        make_merged(210, "ada", approved=True, recorded=True, title="Log less"),
        make_merged(120, approved=True, recorded=True, title="Read models from a file"),
    ],
)
TALK = make_work(
    [make_merged(100 + n, "ada", title=f"Speed up the proxy, part {n}") for n in range(1, 8)],
    [
        make_merged(240, approved=True, recorded=True, title="Cache tokens"),
        make_merged(235, assigned=True, commented=True, discussed=True, title="Rename the queue"),
        make_merged(230, assigned=True, commented=True, discussed=False, title="Check health"),
        make_merged(225, assigned=True, commented=True, cut=True, title="Log less"),
    ],
    asked_elsewhere=(make_merged(226, branch="stable", title="Backport the queue"),),
    bystander=(make_merged(228, commented=True, title="Sort the imports"),),
)
MARKED = make_work(
    [make_merged(100 + n, "ada", title=f"Speed up the proxy, part {n}") for n in range(1, 8)],
    [
        make_merged(
            240, assigned=True, review_state="UNAPPROVED", recorded=True, title="Cache tokens"
        ),
        make_merged(
            235, assigned=True, review_state="REVIEWED", recorded_late=True, title="Rename it"
        ),
        make_merged(
            230, assigned=True, review_state="REVIEWED", recorded=False, title="Check health"
        ),
    ],
)
FULL = make_work(
    [make_merged(100 + n, "ada", title=f"Speed up the proxy, part {n}") for n in range(1, 13)],
    [
        make_merged(300 + n, approved=True, recorded=True, title=f"Answer faster, part {n}")
        for n in range(1, 9)
    ],
)
ASSIGNED = (make_person("grace"), make_person("margaret"))
# How those of HALF went, by number: after Ada's approval, or through the reviews of hers.
COURSES = {
    240: (("approved", "ada"), ("opened", "grace"), ("pushed", "linus")),
    230: (("reviewed", "ada"), ("approved", "grace")),
    107: (("opened", "grace"), ("approved", "grace")),
    106: (("approved", "grace"),),
    105: (),
}
TOPICS = frozenset(("python", "fastapi", "grpc"))
FORBIDDEN = Unread(reason="GitLab answered 403 to a query: insufficient permissions")
LISTS = {
    "inventory.json": b"""{
  "inventory": [
    {
      "name": "ai-gateway",
      "members": [
        "grace",
        "linus"
      ],
      "groups": ["example-org/sre"]
    }
  ]
}
""",
    "renovate.json": b"""{
  "extends": ["config:base"],

  "additionalReviewers": ["linus", "margaret"]
}
""",
}


def gather(
    work: Work | Unread, lists: Mapping[str, Content] = LISTS, policy: Policy = POLICY
) -> Evidence:
    """Build the evidence that the shipped policy asks for."""
    checks = [step.check for step in policy.follow_ups if isinstance(step.check, ListedIn)]
    return make_evidence(
        work={policy.repository: work},
        tenures={"trainee_maintainer": Tenure(since=SINCE)},
        groups={policy.maintainers.group: make_members("margaret", "linus", owners=["olga"])},
        files={FileAt(c.project, c.ref, c.path): lists.get(c.path) for c in checks},
    )


def person(
    username: str = "ada",
    work: Work | Unread = HALF,
    evidence: Evidence | None = None,
    replay: Replay | None = None,
    **changes: object,
) -> Assessment:
    """Assess one nominee by the shipped policy."""
    facts: dict[str, object] = {
        "nomination": make_nomination(username),
        "evidence": evidence or gather(work),
        "moved": NOW - timedelta(days=3),
    }
    return make_assessment(POLICY, replay, **(facts | changes))


def scene(
    *assessments: Assessment,
    merge_request: MergeRequest | None = None,
    **changes: object,
) -> Findings:
    """Build what was found in a merge request, open unless it is given."""
    return make_findings(
        *assessments, merge_request=merge_request or make_merge_request(), **changes
    )


def followed() -> Assessment:
    """Judge one nominee by a policy that shows how the merge requests went, too."""
    known = {merged.iid: merged for merged in (*HALF.authored.items, *HALF.reviewed.items)}
    items = tuple(
        Course(
            iid=iid,
            author=known[iid].author,
            merged_at=known[iid].merged_at,
            acts=tuple(
                Act(what=what, by=by, bot=False, at=known[iid].merged_at - timedelta(hours=9 - n))
                for n, (what, by) in enumerate(acts)
            ),
            paths=("ai_gateway/api.py", "README.md") if iid > 105 else None,
        )
        for iid, acts in COURSES.items()
    )
    need = CoursesOf(POLICY.repository, tuple(sorted(COURSES)))
    evidence = gather(HALF)
    evidence = replace(evidence, facts={**evidence.facts, need: items})
    return make_assessment(with_outcomes(POLICY), evidence=evidence)


def offered(assessment: Assessment) -> Assessment:
    """Let the bot have opened a merge request for both files, of which somebody closed one."""
    left = "the merge request of the bot was closed by somebody, so it opens no other one"
    offer = make_offer()
    closed = replace(offer, iid=13, web_url=f"{GITLAB}/{REPOSITORY}/-/merge_requests/13")
    others, steps = assessment.steps[:-2], assessment.steps[-2:]
    told = (
        replace(steps[0], offer=offer),
        replace(steps[1], offer=replace(closed, state="closed"), left=left),
    )
    return replace(assessment, steps=(*others, *told))


NEVER = {"trainee_maintainer": Tenure(since=None)}
ASSIGNED_NOW = make_merge_request(assignees=ASSIGNED)
MERGED = make_merge_request(state="merged", merged_at=NOW, assignees=ASSIGNED)
WAIVED = make_replay(waivers={("ada", "reviewed"): make_waiver()})
HELD = make_replay(held=make_hold())
REFUSED = make_replay(
    answers=(
        Answer(
            note_id=3,
            by="ada",
            outcome=Outcome.REFUSED,
            messages=("line 1: a nominee cannot decide here; ask a maintainer or your manager.",),
        ),
    )
)
STRANGE = gather(HALF)
UNKNOWN = replace(
    tell_facts(STRANGE, groups={POLICY.maintainers.group: FORBIDDEN}),
    work={POLICY.repository: FORBIDDEN},
    manager=Manager(
        username=None, missing="the entry had no `reports_to` before this merge request"
    ),
)
DONE_GROUPS = {POLICY.maintainers.group: make_members("margaret", "ada", owners=["olga"])}
DONE_LISTS = {
    "inventory.json": b'{"inventory": [{"name": "ai-gateway", "members": ["ada"]}]}',
    "renovate.json": b'{"additionalReviewers": ["ada"]}',
}
NEWER = replace(POLICY, version="2025-03-01")
NEAR_MISS = Remark(
    path=ENTRY,
    message="`maintaner` for ai-gateway is no role that is known; did you mean maintainer?",
    near_miss=True,
)
UNREADABLE = Remark(path=ENTRY, message="the file is larger than 1 MiB", near_miss=False)

SCENES: Mapping[str, Findings] = {
    "Nothing met": scene(
        person(evidence=replace(gather(make_work(reviewed=1)), tenures=NEVER)),
    ),
    "Half met": scene(
        person(attested=TOPICS, merge_request=make_merge_request(assignees=ASSIGNED[1:])),
        merge_request=make_merge_request(assignees=ASSIGNED[1:]),
    ),
    "All met": scene(
        person(work=FULL, merge_request=ASSIGNED_NOW, attested=TOPICS), merge_request=ASSIGNED_NOW
    ),
    "Waived": scene(
        person(replay=WAIVED, merge_request=ASSIGNED_NOW),
        merge_request=ASSIGNED_NOW,
        replay=WAIVED,
    ),
    "Held": scene(
        person(work=FULL, merge_request=ASSIGNED_NOW), merge_request=ASSIGNED_NOW, replay=HELD
    ),
    "Parts unknown": scene(
        person(evidence=UNKNOWN),
        detection=make_detection(unread=(UNREADABLE,)),
    ),
    "Everybody assigned, the counts unknown": scene(
        person(work=FORBIDDEN, merge_request=ASSIGNED_NOW), merge_request=ASSIGNED_NOW
    ),
    "Ready, but it could not be read again": scene(
        person(work=FULL, merge_request=ASSIGNED_NOW),
        merge_request=ASSIGNED_NOW,
        unknown=("the merge request could not be read again at the end",),
    ),
    "Reviews by comments alone": scene(
        person(work=TALK, merge_request=ASSIGNED_NOW), merge_request=ASSIGNED_NOW
    ),
    "Reviews without a date": scene(
        person(work=MARKED, merge_request=ASSIGNED_NOW), merge_request=ASSIGNED_NOW
    ),
    "Several people": scene(
        person(work=FULL, merge_request=ASSIGNED_NOW),
        person("linus"),
        merge_request=ASSIGNED_NOW,
    ),
    "Draft": scene(
        person(work=FULL, merge_request=ASSIGNED_NOW),
        merge_request=replace(ASSIGNED_NOW, draft=True),
    ),
    "A doubtful entry, and a command that was refused": scene(
        person(
            nomination=make_nomination(
                cautions=("The entry is new: make sure that the username belongs to the person.",)
            ),
            account_doubt="this merge request itself changes the account in the entry",
        ),
        replay=REFUSED,
    ),
    "Near miss": scene(detection=make_detection(remarks=(NEAR_MISS,))),
    "No longer a nomination": scene(),
    "Nothing could be read": scene(
        detection=make_detection(unread=(UNREADABLE,)),
        unknown=("GitLab did not list all changed files of this merge request",),
    ),
    "Policy changed": scene(
        person(work=FULL, merge_request=ASSIGNED_NOW, newer_policy=NEWER),
        merge_request=ASSIGNED_NOW,
    ),
    "Closed": scene(person(), merge_request=make_merge_request(state="closed")),
    "Merged with steps open": scene(person(merge_request=MERGED), merge_request=MERGED),
    "Merged, and the bot opened merge requests": scene(
        offered(person(merge_request=MERGED)), merge_request=MERGED
    ),
    "Merged, and some steps cannot be checked": scene(
        person(
            merge_request=MERGED,
            evidence=tell_facts(
                gather(HALF, {"inventory.json": FORBIDDEN, "renovate.json": b"{"}),
                groups=DONE_GROUPS,
            ),
        ),
        merge_request=MERGED,
    ),
    "All done": scene(
        person(
            merge_request=MERGED,
            evidence=tell_facts(gather(HALF, DONE_LISTS), groups=DONE_GROUPS),
        ),
        merge_request=MERGED,
    ),
    "Merged while held, and not ready": scene(
        replace(
            person(merge_request=MERGED),
            left_open=person(work=make_work(3)).open_findings[:1],
        ),
        merge_request=MERGED,
        replay=HELD,
    ),
    "Merged, and whether it was ready is not known": scene(
        replace(
            person(merge_request=MERGED),
            left_open=person(work=FORBIDDEN).open_findings[-1:],
        ),
        merge_request=MERGED,
    ),
    "The role was taken back after the merge": scene(
        person(
            merge_request=MERGED,
            present=Present(username="ada", gone="the entry does not give maintainer any more"),
            evidence=tell_facts(gather(HALF, DONE_LISTS), groups=DONE_GROUPS),
        ),
        merge_request=MERGED,
    ),
    "The account is not known after the merge": scene(
        person(
            merge_request=MERGED,
            present=Present(username="ada", doubt="GitLab knows no account ada"),
        ),
        merge_request=MERGED,
    ),
    "Held for one of two people, in an earlier merge request": scene(
        person(work=FULL, merge_request=ASSIGNED_NOW),
        person("linus"),
        merge_request=ASSIGNED_NOW,
        replay=make_replay(
            held=replace(make_hold(), over=("linus",), place=f"{MR_URL}#note_8"),
        ),
    ),
    "Held by an account that is gone": scene(
        person(work=FULL, merge_request=ASSIGNED_NOW),
        merge_request=ASSIGNED_NOW,
        replay=make_replay(held=replace(make_hold("ghost"), orphaned=True)),
    ),
    "Help": scene(person(), replay=make_replay(help_wanted=True)),
    "Half met, and how the merge requests went": scene(followed()),
}  # fmt: skip
