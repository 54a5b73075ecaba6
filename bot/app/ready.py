"""Answer the question of a nomination before any merge request exists."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bot import policy as rules
from bot.assessment import Assessment, Case, Finding, ReviewOutcomes, RoleHeld, Verdict, assess
from bot.commands import Replay
from bot.errors import ConfigError, TeamDatabaseError
from bot.evidence import (
    FileAt,
    Ledger,
    Source,
    Work,
    evidence_key,
    find_subject,
    gather_evidence,
    manager_path,
)
from bot.merge_request import MergeRequest, Person
from bot.nomination import Change, Nomination
from bot.policy import Policy
from bot.team import Entry, is_team_file, parse_entry
from bot.unread import Unread

MOST_FOUND = 10  # files of a search that are read
COMES_LATER = "comes with the merge request"
NO_ENTRY = Unread(reason="no entry of theirs was found: say which it is with --entry SLUG")


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


def with_outcomes(policy: Policy) -> Policy:
    """Return a policy that tells how all went that it counts, whether it asks for that or not."""
    asked = [each.rule for each in policy.requirements]
    told = {policy.place_of(rule) for rule in asked if isinstance(rule, rules.Following)}
    counted = {policy.place_of(rule) for rule in asked if isinstance(rule, rules.Counting)}
    more = tuple(
        rules.Requirement(
            id=f"{ReviewOutcomes.kind}_{number}",
            title=f"How the merge requests in {place} went",
            blocking=False,
            actor="anyone",
            help="It is evidence and asks for nothing.",
            rule=ReviewOutcomes(repository=place),
        )
        for number, place in enumerate(sorted(counted - told))
    )
    return replace(policy, requirements=(*policy.requirements, *more))


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
    path = _entry_path(candidate, policy.team_files)
    entry_file = FileAt(candidate.project, candidate.branch, path)
    base = _read(entry_file, source)
    entry = None if base is None else _own_entry(base, candidate.username, path)
    nomination = _imagined_nomination(candidate.username, policy, path, entry)
    merge_request = _imagined(candidate, now)
    change = Change(path=path, base=base, head=base, target=base)
    subject = find_subject(nomination, policy, change, merge_request)
    gathered, _ = gather_evidence([subject], merge_request, {entry_file: base}, source)
    evidence = gathered[evidence_key(subject)]
    if any(isinstance(work, Work) and not work.account for work in evidence.work.values()):
        raise TeamDatabaseError(
            f"GitLab knows no account {candidate.username!r}: check how it is written; it may be "
            "renamed, deleted, or not visible to the bot."
        )
    if entry is None:
        # A file that was not found tells nothing about earlier roles.
        tenures = dict.fromkeys(evidence.tenures, NO_ENTRY)
        evidence = replace(evidence, tenures=tenures, manager=NO_ENTRY)
    case = Case(
        subject=subject,
        merge_request=merge_request,
        evidence=evidence,
        attested=frozenset(),
        now=now,
    )
    return _restate(assess(case, _NOTHING_SAID, None), entry)


def is_later(finding: Finding) -> bool:
    """Return whether only an open merge request can show what a requirement asks for."""
    return finding.requirement.rule.later


def is_ready(assessment: Assessment) -> bool | None:
    """Return whether all is met that needs no merge request; None where that is not known."""
    verdicts = {f.verdict for f in assessment.open_findings if not is_later(f)}
    if Verdict.UNMET in verdicts:
        return False
    return None if verdicts else True


def find_slug(
    who: Candidate, team_files: str, source: Source, search: Callable[[str], list[str]]
) -> str:
    """Return the name of the file whose `gitlab:` names somebody, or the usual one if none does.

    The usual name is tried first; only where that is not theirs the team database is searched.
    """
    usual = _entry_path(who, team_files)
    if _is_theirs(who, usual, source):
        return who.slug
    for path in search(f"gitlab: {who.username}")[:MOST_FOUND]:
        if path != usual and is_team_file(path, team_files) and _is_theirs(who, path, source):
            return path.rpartition("/")[2].removesuffix(".yml")
    return who.slug


def _is_theirs(who: Candidate, path: str, source: Source) -> bool:
    content = Ledger({}, source).fetch(FileAt(who.project, who.branch, path))
    if not isinstance(content, bytes):
        return False
    try:
        return (parse_entry(content, path).username or "").casefold() == who.username.casefold()
    except TeamDatabaseError:
        return False


def _entry_path(candidate: Candidate, team_files: str) -> str:
    path = manager_path(team_files.replace("*/*.yml", "x/x.yml"), candidate.slug)
    if path is None:
        raise TeamDatabaseError(
            f"{candidate.slug!r} is no name of an entry's file: say one with --entry SLUG."
        )
    return path


def _read(entry_file: FileAt, source: Source) -> bytes | None:
    content = Ledger({}, source).fetch(entry_file)
    if isinstance(content, Unread):
        raise TeamDatabaseError(
            f"{entry_file.path} cannot be read ({content.reason}): try again later."
        )
    return content


def _own_entry(base: bytes, username: str, path: str) -> Entry:
    entry = parse_entry(base, path)
    if (entry.username or "").casefold() != username.casefold():
        raise TeamDatabaseError(
            f"{path} is the entry of {entry.username!r}, not of {username!r}: "
            "say which entry is theirs with --entry SLUG."
        )
    return entry


def _imagined_nomination(
    username: str, policy: Policy, path: str, entry: Entry | None
) -> Nomination:
    before = entry.roles_for(policy.project) if entry else ()
    return Nomination(
        username=username,
        project=policy.project,
        role=policy.role,
        before=before,
        after=before if _holds_role(entry, policy) else (*before, policy.role),
        path=path,
        base_path=path if entry else None,
        cautions=(),
    )


def _holds_role(entry: Entry | None, policy: Policy) -> bool:
    return entry is not None and entry.holds(policy.project, policy.role)


def _restate(assessment: Assessment, entry: Entry | None) -> Assessment:
    """Say what only a merge request or an entry can show, and what there is already."""
    cautions = tuple(_cautions(assessment, entry))
    return replace(
        assessment,
        nomination=replace(assessment.nomination, cautions=cautions),
        findings=tuple(_unjudged(finding, entry) for finding in assessment.findings),
    )


def _unjudged(finding: Finding, entry: Entry | None) -> Finding:
    reason = None
    if is_later(finding):
        reason = COMES_LATER
    elif entry is None and isinstance(finding.requirement.rule, RoleHeld):
        reason = NO_ENTRY.reason
    if reason is None:
        return finding
    return replace(finding, verdict=Verdict.UNKNOWN, found=None, reason=reason)


def _cautions(assessment: Assessment, entry: Entry | None) -> Iterator[str]:
    nomination, policy = assessment.nomination, assessment.policy
    if entry is None:
        yield (
            f"There is no entry {nomination.path}, so no earlier role and no manager is known: "
            "say which entry is theirs with --entry SLUG."
        )
    if _holds_role(entry, policy):
        yield (
            f"They hold the role already: {nomination.path} names them {policy.role} of "
            f"{policy.project}."
        )
    if nomination.username.casefold() in {m.casefold() for m in assessment.maintainers or ()}:
        yield f"They are a maintainer already, as a direct member of {policy.maintainers.group}."


_NOTHING_SAID = Replay(waivers={}, held=None, attested={}, help_wanted=False, answers=())


def _imagined(candidate: Candidate, now: datetime) -> MergeRequest:
    nobody = Person(id=0, username=candidate.username)
    return MergeRequest(
        project=candidate.project,
        project_id=0,
        iid=0,
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
