"""What the pages show of repositories and webhooks, as plain values for the templates."""

import json

from werkzeug.exceptions import NotFound

from bot.sandbox.acts.merging import has_source_branch
from bot.sandbox.pages.views import View
from bot.sandbox.rest.merge_request_entities import shown_diff
from bot.sandbox.rest.repository import list_tree
from bot.sandbox.world.diffs import FileChange, diff_of, number_lines
from bot.sandbox.world.entities import MergeRequest, Project, Webhook
from bot.sandbox.world.git_objects import object_id
from bot.sandbox.world.repository import Repository

EVENTS = {
    "merge_requests_events": "merge requests",
    "note_events": "comments",
    "confidential_note_events": "internal comments",
    "push_events": "pushes",
    "pipeline_events": "pipelines",
}
GAP = (None, None)
KINDS = {"+": "added", "-": "removed", "@": "place"}


def split_ref(project: Project, rest: str) -> tuple[str, str]:
    """Tell the ref from the path behind it, as branches may have slashes, too."""
    for branch in sorted(project.repository.branches, key=len, reverse=True):
        if rest == branch or rest.startswith(f"{branch}/"):
            return branch, rest[len(branch) + 1 :]
    ref, _, path = rest.partition("/")
    return ref, path


def view_directory(project: Project, ref: str, path: str) -> View:
    """Describe a directory at a ref; raise NotFound."""
    commit = project.repository.find_commit(ref)
    entries = list_tree(commit, path) if commit else []
    if not entries:
        raise NotFound
    branches = sorted(project.repository.branches)
    return {**view_place(project, ref, path), "entries": entries, "branches": branches}


def read_file(project: Project, ref: str, path: str) -> bytes:
    """Return the content of a file at a ref; raise NotFound."""
    commit = project.repository.find_commit(ref)
    content = project.repository.content(commit, path) if commit else None
    if content is None:
        raise NotFound
    return content


def view_file(project: Project, ref: str, path: str) -> View:
    """Describe a file at a ref; raise NotFound."""
    content = read_file(project, ref, path)
    text = content.decode("utf-8", "replace")
    # A form changes the ends of lines, and what is no text would be lost.
    keeps = text.encode() == content and "\r" not in text and "\0" not in text
    return {
        **view_place(project, ref, path),
        "editable": keeps and ref in project.repository.branches,
        "text": text,
        "last": object_id("blob", content),
    }


def view_place(project: Project, ref: str, path: str) -> View:
    """Say where a page of a repository is."""
    parts = path.split("/") if path else []
    crumbs = [(name, "/".join(parts[: at + 1])) for at, name in enumerate(parts)]
    return {"project": project.path_with_namespace, "ref": ref, "path": path, "crumbs": crumbs}


def find_free_branch(repository: Repository) -> str:
    """Return a name that no branch has."""
    number = 1
    while f"patch-{number}" in repository.branches:
        number += 1
    return f"patch-{number}"


def list_sources(project: Project) -> list[str]:
    """List the branches that a merge request may be opened from."""
    own = set() if project.forked_from else {project.default_branch}
    return sorted(set(project.repository.branches) - own)


def view_changes(mr: MergeRequest) -> list[View]:
    """List the changed files of a merge request with their lines."""
    return [_view_change(mr, each) for each in diff_of(mr, shown_diff(mr))]


def _view_change(mr: MergeRequest, change: FileChange) -> View:
    path = mr.source_project.path_with_namespace if mr.source_project else ""
    lines = list(number_lines(mr.project.repository.store, change))
    changed = (each for each in lines if each.text[:1] in {"+", "-"})
    chosen = next((name_place(each.old, each.new) for each in changed), "")
    edit = f"/{path}/-/edit/{mr.source_branch}/{change.new_path}"
    return {
        "path": change.new_path,
        "old_path": change.old_path if change.renamed else "",
        "edit": edit if change.new and has_source_branch(mr) and mr.state == "opened" else "",
        "lines": [(KINDS.get(line.text[:1], ""), line.text) for line in lines],
        "places": [
            (name_place(line.old, line.new), line.text) for line in lines if line[1:] != GAP
        ],
        "chosen": chosen,
        "threads": [
            note
            for note in mr.comments
            if note.position and note.position.get("new_path") == change.new_path
        ],
    }


def name_place(old: int | None, new: int | None) -> str:
    """Write the numbers of a line as the form of a page sends them."""
    return f"{old or ''}:{new or ''}"


def list_heard(hook: Webhook) -> list[str]:
    """List what a webhook hears of."""
    return [name for key, name in EVENTS.items() if getattr(hook, key)]


def lay_out(body: str) -> str:
    """Lay out what was sent, so that people can read it; "" where it is not kept."""
    return json.dumps(json.loads(body), indent=2, ensure_ascii=False) if body else ""
