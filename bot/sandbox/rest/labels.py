"""REST: labels of a project (doc/api/labels.md)."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bot.sandbox.rest.core import Answer, Call, endpoint, paged
from bot.sandbox.rest.kinds import Kind, change, delete, edit, offer
from bot.sandbox.rest.merge_request_entities import render_label_basic
from bot.sandbox.rest.params import PAGING, takes
from bot.sandbox.world.entities import Issue, Label, Level, MergeRequest
from bot.sandbox.world.state import RefusedError

LABELS = "/projects/{id}/labels"
LABEL = takes(text="color description", integer="priority")


@endpoint("GET", LABELS, PAGING, text="search", flag="with_counts include_ancestor_groups archived")
def list_labels(call: Call) -> Answer:
    """List labels."""
    needle = call.params.get("search", "").casefold()
    found = [each for each in call.project.labels.values() if needle in each.name.casefold()]
    found.sort(key=lambda label: label.name)
    return paged(call, found, lambda label: _render_label(call, label))


def _make(call: Call) -> Label:
    name, labels = call.params["name"], call.project.labels
    if name in labels:
        raise RefusedError(409, "Label already exists")
    labels[name] = Label(id=call.world.next_id("label"), **call.params)
    return labels[name]


def _change(call: Call, label: Label, given: Mapping[str, Any]) -> None:
    del call.project.labels[label.name]
    label.name = given.get("new_name", label.name)
    change(call, label, {name: given[name] for name in LABEL if name in given})
    call.project.labels[label.name] = label


def _forget(call: Call, label: Label) -> None:
    """Take a label away everywhere."""
    mrs, issues = call.project.merge_requests.values(), call.project.issues.values()
    labelled: list[MergeRequest | Issue] = [*mrs, *issues]
    for item in labelled:
        item.labels = [each for each in item.labels if each is not label]
    del call.project.labels[label.name]


def _render_label(_call: Call, label: Label) -> dict[str, object]:
    more = {"subscribed": False, "priority": label.priority, "is_project_label": True}
    return render_label_basic(label) | more


KIND = offer(
    Kind(
        at=LABELS,
        key="label_id",
        name="id name",
        missing="404 Label Not Found",
        fields=takes(LABEL, text="name color", required="name color"),
        # A copy: labels are kept by name, which `_make`, `_change` and `_forget` see to.
        keep=lambda call: [*call.project.labels.values()],
        make=_make,
        change=_change,
        forget=_forget,
        tell=_render_label,
        ways=("show", "create", "delete"),
        writes=Level.REPORTER,
    )
)
NAMED = takes(text="name label_id")


def _named(call: Call) -> Call:
    """Find in the parameters what old clients name there (lib/api/labels.rb, "deprecated")."""
    if "label_id" in call.path:
        return call
    given = dict(call.params)
    names = [str(given.pop(name)) for name in NAMED if name in given]
    return replace(call, params=given, path={**call.path, "label_id": (*names, "")[0]})


@endpoint("PUT", LABELS, NAMED, LABEL, text="new_name")
@endpoint("PUT", LABELS + "/{label_id}", LABEL, text="new_name")
def edit_label(call: Call) -> object:
    """Change a label."""
    return edit(KIND, _named(call))


@endpoint("DELETE", LABELS, NAMED)
def delete_label(call: Call) -> None:
    """Delete a label."""
    delete(KIND, _named(call))
