"""Which facts are asked for by way of trial, one of each kind, and what it costs to lack them."""

from collections.abc import Callable, Mapping

from bot import evidence as facts
from bot.setup.sample import NOWHERE, Sample


def build_work(at: Sample) -> facts.WorkOf:
    """Ask for the work of the bot itself, which has done none."""
    return facts.WorkOf(project=at.repository, username=at.username, wanted=1, branch="main")


FOR_NEEDS: Mapping[str, tuple[Callable[[Sample], facts.Need], str]] = {
    "members": (
        lambda at: facts.MembersOf(at.group),
        "who is a maintainer, and who owns the group",
    ),
    "inherited members": (
        lambda at: facts.MembersOf(at.group, inherited=True),
        "steps that ask for inherited membership",
    ),
    "present state": (
        lambda at: facts.StandingOf(at.project, at.iid),
        "changes during a run are not noticed, so every run is unknown",
    ),
    "files": (
        lambda at: facts.FileAt(at.project, at.sha, NOWHERE),
        "every entry",
    ),
    "threads": (
        lambda at: facts.ThreadsOf(at.repository, at.username, (1,)),
        "reviews by comments in threads",
    ),
    "history": (
        lambda at: facts.CommitsOf(at.project, at.branch, NOWHERE),
        "since when somebody is a trainee maintainer",
    ),
    "diff of a commit": (
        lambda at: facts.RenameOf(at.project, at.sha, at.changed("new_path")),
        "the history of renamed entries",
    ),
    "moves by a commit": (
        lambda at: facts.RenameOf(at.project, at.sha, at.changed("old_path"), onward=True),
        "following entries that moved after the merge",
    ),
    "visibility": (
        lambda at: facts.ExposureOf(at.repository),
        "titles and names are left out of every comment",
    ),
    "default branch": (
        lambda at: facts.DefaultBranchOf(at.repository),
        "the counts of merge requests",
    ),
    "merge requests of a branch": (
        lambda at: facts.SiblingsOf(at.project, at.branch),
        "holds of an earlier merge request",
    ),
    "merge requests of an author": (
        lambda at: facts.ProposedOf(at.project, at.username),
        "holds of another merge request",
    ),
    "own merge requests": (
        lambda at: facts.OffersOf(at.project, author=at.username),
        "merge requests that the bot opens for steps",
    ),
    "account": (
        lambda at: facts.ProfileOf(at.username),
        "steps after the merge for renamed accounts",
    ),
    "membership": (
        lambda at: facts.AccessOf(at.project_id, at.user_id),
        "steps after the merge for renamed accounts",
    ),
    "tip of a branch": (
        lambda at: facts.TipOf(at.project, at.branch),
        "merge requests that change many entries",
    ),
    "versions of a merge request": (
        lambda at: facts.VersionsOf(at.project, at.iid),
        "requirements that count days or approvals; waivers and holds: when was pushed",
    ),
    "place of the CI configuration": (
        lambda at: facts.CiConfigOf(at.project_id),
        "nominations that change other files, too",
    ),
    "courses": (
        lambda at: facts.CoursesOf(at.repository, (1,)),
        "evidence of how reviewed merge requests went",
    ),
    "labels": (
        lambda at: facts.LabelsOf(at.project, at.iid),
        "requirements that ask for a label",
    ),
    "diff of a merge request": (
        lambda at: facts.DiffsOf(at.project, at.iid),
        "renamed entries",
    ),
    "what GitLab noted": (
        lambda at: facts.DeedsOf(at.project, at.iid),
        "requirements that count approvals; replay, and the board's times",
    ),
    "openings and closings": (
        lambda at: facts.StateChangesOf(at.project, at.iid),
        "requirements that count days; replay, and the board's times",
    ),
    "commit statuses": (
        lambda at: facts.StatusesOf(at.project_id, at.sha, at.status_name),
        "the gate by commit status",
    ),
    "status checks": (
        lambda at: facts.StatusChecksOf(at.project, at.iid),
        "the gate by status check",
    ),
}
ONLY_FOR = {"commit statuses": "commit-status", "status checks": "external-status-check"}
