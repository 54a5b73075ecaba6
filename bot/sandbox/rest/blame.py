"""REST: who wrote the lines of a file."""

from difflib import SequenceMatcher

from bot.sandbox.rest.code_entities import render_commit
from bot.sandbox.rest.core import FILES, Answer, Call, endpoint
from bot.sandbox.rest.files import FILE, describe_in_headers, find_file
from bot.sandbox.rest.params import mapping, takes
from bot.sandbox.world.entities import Project
from bot.sandbox.world.repository import Commit

# lib/api/entities/blame_range_commit.rb
BLAMED = (
    "id", "parent_ids", "message", "authored_date", "author_name", "author_email",
    "committed_date", "committer_name", "committer_email",
)  # fmt: skip


@endpoint(
    "GET",
    FILE + "/blame",
    {"range": mapping(takes(integer="start end"))},
    text="ref",
    required="ref",
    scopes=FILES,
)
def blame_file(call: Call) -> Answer:
    """Say for each run of lines which commit wrote it."""
    found = find_file(call, call.params["ref"])
    lines = found.content.decode("utf-8", "replace").splitlines()
    owners = _blame(call.project, found.commit, call.path["file_path"], lines)
    wanted = call.params.get("range", {})
    start, end = wanted.get("start", 1), wanted.get("end", len(lines))
    runs: list[tuple[Commit, list[str]]] = []
    for line, owner in list(zip(lines, owners, strict=True))[start - 1 : end]:
        if runs and runs[-1][0] is owner:
            runs[-1][1].append(line)
        else:
            runs.append((owner, [line]))
    rows = [_render_blame(call, owner, kept) for owner, kept in runs]
    return Answer(body=rows, headers=describe_in_headers(found.told))


def _blame(project: Project, head: Commit, path: str, lines: list[str]) -> list[Commit]:
    """Credit each line to the oldest commit that has held it ever since."""
    owners, newer = [head] * len(lines), lines
    places = {number: number for number in range(len(lines))}  # of the lines in an older version
    for commit in project.repository.log(head.sha, path):
        content = project.repository.content(commit, path) or b""
        older = content.decode("utf-8", "replace").splitlines()
        alike = SequenceMatcher(None, newer, older, autojunk=False).get_matching_blocks()
        moved = {run.a + more: run.b + more for run in alike for more in range(run.size)}
        places = {number: moved[place] for number, place in places.items() if place in moved}
        for number in places:
            owners[number] = commit
        newer = older
    return owners


def _render_blame(call: Call, commit: Commit, lines: list[str]) -> dict[str, object]:
    told = render_commit(call.world, call.project, commit)
    return {"commit": {name: told[name] for name in BLAMED}, "lines": lines}
