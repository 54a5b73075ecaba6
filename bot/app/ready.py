"""Answer the question of a nomination before any merge request exists."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from bot.app.candidate import Candidate, entry_path, own_entry, read_entry
from bot.assessment import Assessment, Case, Finding, RoleHeld, Verdict, assess
from bot.commands import Replay
from bot.errors import TeamDatabaseError
from bot.evidence import FileAt, Source, Work, evidence_key, find_subject, gather_evidence
from bot.merge_request import MergeRequest, Person
from bot.nomination import Change, Nomination
from bot.policy import Policy
from bot.team import Entry
from bot.unread import Unread

COMES_LATER = "comes with the merge request"
NO_ENTRY = Unread(reason="no entry of theirs was found: say which it is with --entry SLUG")


def assess_readiness(
    candidate: Candidate, policy: Policy, source: Source, now: datetime
) -> Assessment:
    """Judge whether somebody could be nominated now.

    Raises TeamDatabaseError when their entry cannot be read or names another account.
    """
    path = entry_path(candidate, policy.team_files)
    entry_file = FileAt(candidate.project, candidate.branch, path)
    base = read_entry(entry_file, source)
    entry = None if base is None else own_entry(base, candidate.username, path)
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
    # There is no commit yet: the branch stands for it, and nothing is changed.
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
