"""Answer the question of a nomination before any merge request exists."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot import policy as rules
from bot.assessment import Assessment, assess
from bot.commands import Replay
from bot.errors import ConfigError, TeamDatabaseError
from bot.evidence import evidence_key, find_subject, gather_evidence, manager_path
from bot.facts import FileAt, Source
from bot.findings import Case
from bot.merge_request import MergeRequest, Person
from bot.nomination import Change, Nomination, Unread
from bot.policy import Policy
from bot.team_db import parse_entry

# What only an open merge request can show.
LATER = (rules.Assigned, rules.ApprovedBy, rules.OpenFor, rules.Attested)


def choose_policies(
    policies: Sequence[Policy], wanted: str | None, today: datetime
) -> list[Policy]:
    """Return the policies in force today, or the one that is asked for by id.

    Raises ConfigError when there is none of that id.
    """
    keys = dict.fromkeys((p.project, p.role) for p in policies if wanted in {None, p.id})
    if not keys:
        known = ", ".join(sorted({policy.id for policy in policies}))
        raise ConfigError(f"There is no policy {wanted!r}; there are: {known}.")
    return [rules.policy_in_force(policies, *key, today.date()) for key in keys]


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """Somebody who may be nominated; their entry is the file `slug` on a project's branch."""

    username: str
    slug: str
    project: str
    branch: str


def assess_readiness(
    candidate: Candidate, policy: Policy, source: Source, now: datetime
) -> Assessment:
    """Judge whether somebody could be nominated now.

    Raises TeamDatabaseError when their entry cannot be read or names another account.
    """
    username, slug, project = candidate.username, candidate.slug, candidate.project
    path = manager_path(policy.team_files.replace("*/*.yml", "x/x.yml"), slug)
    if path is None:
        raise TeamDatabaseError(
            f"{slug!r} is no name of an entry's file: say one with --entry SLUG."
        )
    entry_file = FileAt(project, candidate.branch, path)
    content = source.fetch_facts({entry_file})[entry_file]
    if isinstance(content, Unread):
        raise TeamDatabaseError(f"{path} cannot be read ({content.reason}): try again later.")
    base = content if isinstance(content, bytes) else None
    before = _roles(base, username, policy, path)
    nomination = Nomination(
        username=username,
        project=policy.project,
        role=policy.role,
        before=before,
        after=(*before, policy.role),
        path=path,
        base_path=path if isinstance(base, bytes) else None,
        reports_to=None,
        cautions=() if base is not None else (_without_entry(path),),
    )
    merge_request = _imagined(candidate, now)
    change = Change(path=path, base=base, head=base, target=base)
    subject = find_subject(nomination, policy, change, merge_request)
    evidence, _ = gather_evidence([subject], merge_request, {entry_file: base}, source)
    case = Case(
        nomination=nomination,
        policy=policy,
        merge_request=merge_request,
        evidence=evidence[evidence_key(subject)],
        attested=frozenset(),
        now=now,
        account_doubt=subject.doubt,
    )
    return assess(case, _NOTHING_SAID, None)


def _without_entry(path: str) -> str:
    return (
        f"There is no entry {path}, so no earlier role and no manager is known: "
        "say which entry is theirs with --entry SLUG."
    )


_NOTHING_SAID = Replay(waivers={}, held=None, attested={}, help_wanted=False, answers=())


def _roles(base: bytes | None, username: str, policy: Policy, path: str) -> tuple[str, ...]:
    if base is None:
        return ()
    entry = parse_entry(base, path)
    if (entry.username or "").casefold() != username.casefold():
        raise TeamDatabaseError(
            f"{path} is the entry of {entry.username!r}, not of {username!r}: "
            "say which entry is theirs with --entry SLUG."
        )
    return entry.roles_for(policy.project)


def _imagined(candidate: Candidate, now: datetime) -> MergeRequest:
    nobody = Person(id=0, username=candidate.username)
    return MergeRequest(
        project=candidate.project,
        project_id=0,
        iid=0,
        title="",
        web_url="",
        state="opened",
        draft=False,
        author=nobody,
        created_at=now,
        merged_at=None,
        prepared=True,
        head_sha=candidate.branch,
        base_sha=candidate.branch,
        source_branch="",
        target_branch=candidate.branch,
        from_fork=False,
        source_project_id=None,
        changed_paths=(),
        assignees=(),
        reviewers=(),
        approved_by=(),
        head_pipeline=None,
        discussion_locked=False,
        notes=(),
        me=nobody,
    )
