"""Open and close the merge requests for the steps after a merge.

A branch is made together with its one commit, from the very commit at which the file was read,
and only if no branch has its name: nothing of anybody else's can be overwritten, and of two runs
at once one makes it. What is doubtful is looked at before it is written again.
"""
# One module: to make a branch, to open a merge request and to see what is there are one act.

import base64
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Protocol, TypeVar

from bot.assessment import Assessment, Move, Step
from bot.errors import DoubtfulWriteError, GitLabError, RefusedError
from bot.evidence import Asks, Offer, OffersOf, ProfileOf
from bot.listing import add_name
from bot.policy import ListedIn
from bot.publish.plan import Problem
from bot.publish.writer import BAD_REQUEST, CONFLICT, FORBIDDEN, NOT_FOUND
from bot.report import OfferText, describe_end
from bot.values import dataclass

T = TypeVar("T")
MOST_TRIES = 3  # of a write of which it is not known whether it landed
# app/services/commits/create_service.rb, `validate_branch_existence!`.
EXISTS = "already exists"
MAY_NOT = {
    FORBIDDEN: "GitLab refused it to the account of the bot: a branch may be protected",
    NOT_FOUND: "the account of the bot may not write there",
}


# Six methods: three questions about what is there, and the three writes of one act.
class Offerer(Protocol):
    """What opening and closing merge requests asks of GitLab."""

    def fetch_now(self, need: Asks[T]) -> T:
        """Look a fact up again; raise GitLabError where it cannot be had."""

    def fetch_file(self, project: str, path: str, ref: str) -> tuple[bytes, str]:
        """Read a file with the commit that a ref stands for."""

    def fetch_change(self, project: str, ref: str, branch: str) -> tuple[str, str, str] | None:
        """Return head, its parent and the one file that the only commit of a branch changes."""

    def start_branch(self, project: str, fields: Mapping[str, object]) -> None:
        """Make a branch with a commit; raise DoubtfulWriteError if it may have landed."""

    def open_offer(self, project: str, fields: Mapping[str, object]) -> Offer:
        """Open a merge request; raise DoubtfulWriteError if it may have landed."""

    def close_offer(self, project: str, iid: int, description: str) -> None:
        """Close a merge request, and replace its description."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """A step with all that it takes to do it."""

    assessment: Assessment
    step: Step
    need: OffersOf
    gitlab: Offerer
    describe: Callable[[Assessment, Step], OfferText]

    @property
    def check(self) -> ListedIn:
        """What the step is about."""
        return self.step.listed_in

    @property
    def branch(self) -> str:
        """From where a merge request is opened."""
        return self.step.move.opens or ""


def tell_move(step: Step, move: Move) -> Iterator[str]:
    """Describe what is opened and closed for a step, one a line."""
    for offer, why in move.closes:
        yield f"close {step.place[0]}!{offer.iid} ({why})"
    if move.opens:
        yield f"open a merge request in {step.place[0]} from the branch {move.opens}"


def do_step(work: Work) -> tuple[Step, list[Problem]]:
    """Do what the bot does for a step; return it as it is then, and what went wrong.

    What GitLab refuses is no fault: the step says so, and people do it.
    """
    step, problems = replace(work.step, move=Move()), list[Problem]()
    # An id is the operator's: it may be the word for a write.
    what = f"step {work.step.follow_up.id}"
    for offer, why in work.step.move.closes:
        try:
            work.gitlab.close_offer(work.check.project, offer.iid, describe_end(why))
        except GitLabError as error:
            problems.append(Problem(what=what, why=f"!{offer.iid} was not closed: {error}"))
    if problems or not work.step.move.opens:
        return step, problems
    try:
        return _open(work, step), []
    except RefusedError as error:
        reason = MAY_NOT.get(error.code, f"GitLab answered {error.code} ({error.words})")
        return replace(step, left=f"the bot could open no merge request: {reason}"), []
    except GitLabError as error:
        return step, [Problem(what=what, why=f"no merge request was opened: {error}")]


def _open(work: Work, step: Step) -> Step:
    """Make the branch and open the merge request, unless either is there by now."""
    gitlab, check = work.gitlab, work.check
    # The list of the bot's own does not hold what an account opened that it had before.
    there = _find_there(work)
    if there:
        return _with(step, there)
    account = gitlab.fetch_now(ProfileOf(work.assessment.nomination.username))
    if account is None:
        return replace(step, left="the bot opens no merge request: GitLab knows no such account")
    content, sha = gitlab.fetch_file(check.project, check.path, check.ref)
    edited = _edit(work, content)
    if edited is None:
        return replace(step, left="the bot opens no merge request: the file changed just now")
    text = work.describe(work.assessment, step)
    made = _start_branch(work, edited, sha, text.title)
    if not made:
        left = "there is a branch of the name that the bot would take, with something else on it"
        return replace(step, left=left)
    fields = {
        "source_branch": work.branch,
        "target_branch": check.ref,
        "title": text.title,
        "description": text.description,
        "assignee_id": account.id,
        "remove_source_branch": True,
    }
    return _with(step, _open_once(work, fields))


def _with(step: Step, offer: Offer) -> Step:
    return replace(step, offer=offer) if offer.state == "opened" else step


def _edit(work: Work, content: bytes) -> bytes | None:
    """Return the file with the name in it; None where it is there, or nobody can tell where to."""
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        return None
    edited = add_name(text, work.check.spec, work.assessment.nomination.username)
    return None if edited is None else edited.encode()


def _start_branch(work: Work, edited: bytes, sha: str, message: str) -> bool:
    fields = {
        "branch": work.branch,
        "start_sha": sha,
        "commit_message": message,
        "actions": [
            {
                "action": "update",
                "file_path": work.check.path,
                "content": base64.b64encode(edited).decode("ascii"),
                "encoding": "base64",
            }
        ],
    }
    left = MOST_TRIES
    while True:
        try:
            work.gitlab.start_branch(work.check.project, fields)
        except DoubtfulWriteError:
            # Tried again it is refused if it landed: a branch that is there is never written to.
            left -= 1
            if not left:
                raise
        except RefusedError as error:
            if error.code != BAD_REQUEST or EXISTS not in error.words:
                raise
            return _holds_the_edit(work)
        else:
            return True


def _holds_the_edit(work: Work) -> bool:
    """Return whether a branch that is there is what the bot would have made of its beginning."""
    gitlab, check = work.gitlab, work.check
    change = gitlab.fetch_change(check.project, check.ref, work.branch)
    if change is None or change[2] != check.path:
        return False
    head, parent, _ = change
    before, _ = gitlab.fetch_file(check.project, check.path, parent)
    after, _ = gitlab.fetch_file(check.project, check.path, head)
    return _edit(work, before) == after


def _open_once(work: Work, fields: Mapping[str, object]) -> Offer:
    """Open the merge request, unless there is one by now: another run may have been faster."""
    left = MOST_TRIES
    while True:
        there = _find_there(work)
        if there:
            return there
        try:
            return work.gitlab.open_offer(work.check.project, fields)
        except (DoubtfulWriteError, RefusedError) as error:
            # app/models/merge_request.rb, `validate_branches`: one open for each branch.
            left -= 1
            if not left or (isinstance(error, RefusedError) and error.code != CONFLICT):
                raise


def _find_there(work: Work) -> Offer | None:
    """Find a merge request that is open for the step, or one that came from the branch."""
    check, found = work.check, work.gitlab.fetch_now(work.need).items
    opened = [o for o in found if o.state == "opened" and o.target == check.ref]
    same = [offer for offer in found if offer.branch == work.branch]
    return next(iter((*opened, *same)), None)
