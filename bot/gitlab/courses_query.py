"""The query for how merged merge requests went, and its answer."""

import re
from collections.abc import Iterator

from bot.evidence import Act, Course, CoursesOf
from bot.gitlab.answers import Json, nodes_of, read_time, read_touched
from bot.gitlab.deeds import DEEDS, is_read_until, times_of
from bot.gitlab.packing import Part, make_part
from bot.unread import Unread

# Each discussion is read from its beginning, the oldest first (`discussions` of the module
# Noteable, app/models/concerns/noteable.rb); those of system notes are passed over.
COURSES = """
query($project: ID!, $iids: [String!], $count: Int!) {
  project(fullPath: $project) {
    mergeRequests(iids: $iids, first: $count) {
      nodes {
        iid mergedAt
        author { username }
        diffStats { path }
        diffStatsSummary { fileCount }
        activity: notes(filter: ONLY_ACTIVITY, first: 100) {
          pageInfo { hasNextPage }
          nodes { body createdAt author { username bot } }
        }
        discussions(first: 100) {
          pageInfo { hasNextPage }
          nodes {
            notes(first: 30) {
              pageInfo { hasNextPage }
              nodes { system internal resolvable createdAt author { username bot } }
            }
          }
        }
      }
    }
  }
}
"""

# What GitLab itself writes of pushes (add_commits, system_notes/commit_service.rb). Commits that
# came with the target branch are summed up in a line of their own (existing_commit_summary), whose
# `<code>` no title of a commit can hold: those are escaped. A push that only takes commits away is
# noted nowhere.
_PUSH = re.compile(r"added [0-9]+ commits?\b")
_OF_TARGET = re.compile(r"commits? from branch <code>")


def courses_part(need: CoursesOf) -> Part:
    """Ask how some merge requests went."""
    return make_part(need, COURSES, _read_courses, cost=64, count=len(need.iids))


def _read_courses(need: CoursesOf, answer: Json) -> tuple[Course, ...] | Unread:
    nodes = ((answer.get("project") or {}).get("mergeRequests") or {}).get("nodes")
    if nodes is None:
        return Unread(reason=f"GitLab did not list the merge requests of {need.project}")
    return tuple(_read_course(n) for n in nodes if n and n.get("mergedAt"))


def _read_course(node: Json) -> Course:
    merged_at = read_time(node["mergedAt"])
    activity, discussions = node["activity"] or {}, node["discussions"] or {}
    threads = [thread["notes"] or {} for thread in nodes_of(discussions)]
    acts = [*_read_activity(activity), *(act for each in threads for act in _read_thread(each))]
    in_time = [act for act in acts if act.at <= merged_at]
    begun = [read_time(n[0]["createdAt"]) for each in threads if (n := list(nodes_of(each)))]
    lists = (
        (discussions, begun),
        (activity, times_of(activity)),
        *((each, ()) for each in threads),
    )
    return Course(
        iid=int(node["iid"]),
        author=(node.get("author") or {}).get("username"),
        merged_at=merged_at,
        acts=tuple(sorted(in_time, key=lambda act: act.at)),
        paths=read_touched(node),
        cut=not all(is_read_until(listed, times, merged_at) for listed, times in lists),
    )


def _read_activity(activity: Json) -> Iterator[Act]:
    for note in nodes_of(activity):
        body = note["body"].strip().casefold()
        what = DEEDS.get(body)
        if _PUSH.match(body):
            what = "rebased" if _OF_TARGET.search(body) else "pushed"
        if what:
            yield _act(what, note)


def _read_thread(notes: Json) -> Iterator[Act]:
    """Tell who began a thread and who wrote in it; plain comments, and internal ones, are none."""
    for number, note in enumerate(nodes_of(notes)):
        if note["resolvable"] and not note["system"] and not note.get("internal"):
            yield _act("wrote" if number else "opened", note)


def _act(what: str, note: Json) -> Act:
    author = note.get("author") or {}
    return Act(
        what=what,
        by=author.get("username"),
        bot=bool(author.get("bot")),
        at=read_time(note["createdAt"]),
    )
