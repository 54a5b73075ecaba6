"""How the counted merge requests went after the nominee's review, and those of their own."""
# One module: all of a kind (keys, facts, judgement, words) stands in one file, as of every other.

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import replace
from typing import ClassVar

from bot.assessment.findings import Case, Finding, Folder, Outcome, Outcomes, Verdict
from bot.assessment.kinds.kind import RequirementKind, kind_of, unknown
from bot.evidence import Act, Course, CoursesOf, Ledger, Merged, Subject, Work, find_work
from bot.merge_request import MergeRequest
from bot.policy import Counting, Following, Requirement
from bot.unread import Unread
from bot.values import dataclass

MOST = 20  # merge requests of each side that are looked into, the newest
TOP = "."  # stands for the top of the repository
_PUSHES = ("pushed", "rebased")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewOutcomes(Following, RequirementKind):
    """Show what happened to the counted merge requests after the nominee's review.

    With `afterwards` it does so after the merge of the nomination, too; no policy says that.
    """

    kind = "review_outcomes"
    about = (
        "Shows how the merge requests went that other requirements count: what others asked for "
        "after the nominee's review, and in the nominee's own. It is evidence and asks for "
        "nothing: `enforcement` is advisory, and there must be a requirement that counts in the "
        "same project."
    )
    turn = None  # nothing is asked for
    words: ClassVar = {"evidence": "{% include 'outcomes.md.j2' %}"}
    afterwards: bool = False

    def needs(
        self, subject: Subject, merge_request: MergeRequest, known: Ledger
    ) -> Collection[CoursesOf]:
        """Ask for how the newest went that may count; once the nomination is merged only if wanted.

        What was merged after the nomination counts for nothing then.
        """
        place, end = subject.policy.place_of(self), merge_request.merged_at
        work = find_work(subject, place, known)
        if (end and not self.afterwards) or isinstance(work, Unread):
            return ()
        name = subject.nomination.username.casefold()
        found = (_may_count(work, name), work.authored.items)
        sides = [[m for m in side if end is None or m.merged_at <= end] for side in found]
        return [
            CoursesOf(place, tuple(sorted(merged.iid for merged in side[:MOST])))
            for side in sides
            if side
        ]

    def judge(self, case: Case, requirement: Requirement) -> Finding:
        """Tell how those went that are counted."""
        place = case.policy.place_of(self)
        counted = _find_counted(case, place)
        if isinstance(counted, Unread):
            return replace(unknown(requirement, 0, counted.reason), repository=place)
        courses, failed = _find_courses(case, place)
        name = case.nomination.username.casefold()
        own = [merged for merged in counted if (merged.author or "").casefold() == name]
        others = [merged for merged in counted if merged not in own]
        known = [merged for merged in counted if merged.iid in courses]
        reviewed = _follow(others, courses, name, _after_review)
        authored = _follow(own, courses, name, _through_reviews)
        if counted and not known and failed:
            return replace(unknown(requirement, 0, failed), repository=place)
        doubts = sum(each.state == "unknown" for each in (*reviewed, *authored))
        return Finding(
            requirement=requirement,
            verdict=Verdict.SHOWN,
            repository=place,
            reason=f"GitLab did not list all that happened in {doubts} of them" if doubts else None,
            outcomes=Outcomes(
                reviewed=reviewed,
                authored=authored,
                left_out=len(counted) - len(known),
                since=min((merged.merged_at for merged in known), default=None),
                until=max((merged.merged_at for merged in known), default=None),
                folders=_find_folders(courses[merged.iid] for merged in known),
                unlisted=sum(courses[merged.iid].paths is None for merged in known),
            ),
        )


def _may_count(work: Work, name: str) -> list[Merged]:
    return [
        merged
        for merged in work.reviewed.items
        if (merged.author or "").casefold() != name
        and (merged.reviewed or merged.marked or merged.commented or merged.assigned)
    ]


def _find_counted(case: Case, place: str) -> list[Merged] | Unread:
    """Return what the policy's requirements count in a repository, newest first, each once."""
    found: dict[int, Merged] = {}
    reasons: list[str] = []
    for each in case.policy.requirements:
        rule = each.rule
        if isinstance(rule, Counting) and case.policy.place_of(rule) == place:
            finding = kind_of(each).judge(case, each)
            found |= {merged.iid: merged for merged in finding.counted}
            reasons += [finding.reason] if finding.found is None and finding.reason else []
    if reasons and not found:
        return Unread(reason=reasons[0])
    return sorted(found.values(), key=lambda merged: merged.merged_at, reverse=True)


def _find_courses(case: Case, place: str) -> tuple[dict[int, Course], str | None]:
    """Return what is known of how merge requests went, by number, and why some is not."""
    found: dict[int, Course] = {}
    reasons: list[str] = []
    for need in case.evidence.facts:
        if isinstance(need, CoursesOf) and need.project == place:
            fact = case.evidence[need]
            if isinstance(fact, Unread):
                reasons.append(fact.reason)
            else:
                found |= {course.iid: course for course in fact}
    return found, next(iter(reasons), None)


Follow = Callable[[Course, str], tuple[list[Act], str]]


def _follow(
    counted: Iterable[Merged], courses: dict[int, Course], name: str, follow: Follow
) -> tuple[Outcome, ...]:
    return tuple(
        _tell(merged, courses[merged.iid], name, follow)
        for merged in counted
        if merged.iid in courses
    )


def _tell(merged: Merged, course: Course, name: str, follow: Follow) -> Outcome:
    """Say how a merge request went, by what was done to it after some point."""
    acts, otherwise = follow(course, name)
    by_others = [act for act in acts if not act.bot and _key(act) != name]
    threads = sum(act.what == "opened" and _key(act) != _author(course) for act in by_others)
    requests = sum(act.what == "requested" for act in by_others)
    pushes = [act.what for act in acts if act.what in _PUSHES]
    state = "as_it_was"
    if course.cut or otherwise == "unknown":
        state = "unknown"
    elif "pushed" in pushes:
        state = "commits"
    elif threads or requests:
        state = "comments"
    elif pushes:
        state = "rebase"
    elif otherwise:
        state = otherwise
    return Outcome(merged=merged, state=state, threads=threads, requests=requests)


def _after_review(course: Course, name: str) -> tuple[list[Act], str]:
    """Return what came after the approval that the nominee did not take back.

    Without one it is what came after the last thing that they did as a reviewer.
    """
    approved, since = False, None
    for act in course.acts:
        if _key(act) != name or act.what in _PUSHES:
            continue
        if not approved or act.what in {"unapproved", "requested"}:
            since = act.at
            approved = act.what == "approved"
    if since is None:
        return [], "unknown"
    return [act for act in course.acts if act.at > since], ""


def _through_reviews(course: Course, name: str) -> tuple[list[Act], str]:
    """Return what reviewers did, and what was pushed after the first of it."""
    reviews = [
        act for act in course.acts if not act.bot and _key(act) != name and act.what not in _PUSHES
    ]
    if not reviews:
        return [], "no_review"
    pushes = (act for act in course.acts if act.what in _PUSHES and act.at > reviews[0].at)
    return [*reviews, *pushes], ""


def _key(act: Act) -> str:
    return (act.by or "").casefold()


def _author(course: Course) -> str:
    # Of an account that is gone nothing is known, and so of its threads.
    return (course.author or "").casefold()


def _find_folders(courses: Iterable[Course]) -> tuple[Folder, ...]:
    """Return the folders at the top, those first that most merge requests touched."""
    touched = Counter(folder for course in courses for folder in set(_folders_of(course)))
    ordered = sorted(touched.items(), key=lambda pair: (-pair[1], pair[0]))
    return tuple(Folder(name=name, touched=count) for name, count in ordered)


def _folders_of(course: Course) -> Iterator[str]:
    for path in course.paths or ():
        folder, slash, _ = path.partition("/")
        yield folder if slash else TOP
