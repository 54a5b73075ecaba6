"""The pages of a project: its files and how to change them, its webhooks and their deliveries."""

from werkzeug.exceptions import NotFound
from werkzeug.utils import redirect
from werkzeug.wrappers import Request, Response

from bot.sandbox.acts import actions
from bot.sandbox.pages.acts import PageRequest, change_file, name_file
from bot.sandbox.pages.repository_views import (
    find_free_branch,
    lay_out,
    list_heard,
    read_file,
    split_ref,
    view_directory,
    view_file,
    view_place,
)
from bot.sandbox.pages.site import Site
from bot.sandbox.pages.views import View, path_of
from bot.sandbox.pages.who import insist, must_be, must_fork, must_push, offer
from bot.sandbox.world.entities import HookEvent, Level, Project, Webhook
from bot.sandbox.world.state import RefusedError


def show_files(site: Site, request: Request, project: str, rest: str = "") -> Response:
    """Show a directory; without a ref the default branch."""
    found = site.project(project)
    asked = request.args.get("ref", found.default_branch)
    ref, path = split_ref(found, rest) if rest else (asked, "")
    shown = view_directory(found, ref, path)
    forkers = offer(site.world, must_fork(site.world, found))
    return site.page(
        "files.html", title=path or found.name, files=shown, project=shown["project"],
        forkers=forkers, fork_of=found.forked_from and found.forked_from.path_with_namespace,
    )  # fmt: skip


def fork(site: Site, request: Request, project: str) -> Response:
    """Fork a project into the namespace of a person."""
    found, asked = site.project(project), PageRequest.read(site.world, request.form)
    insist("Fork", asked.person, must_fork(site.world, found))
    made = actions.fork_project(site.world, asked.person, found)
    return redirect(f"/{made.path_with_namespace}/-/tree", 303)


def show_raw(site: Site, _request: Request, project: str, rest: str) -> Response:
    """Send a file as it is."""
    found = site.project(project)
    return Response(read_file(found, *split_ref(found, rest)), mimetype="text/plain")


def show_file(site: Site, _request: Request, project: str, rest: str) -> Response:
    """Show a file."""
    found = site.project(project)
    ref, path = split_ref(found, rest)
    shown = view_file(found, ref, path)
    return site.page("file.html", title=path, file=shown, project=shown["project"])


def edit_file(site: Site, request: Request, project: str, rest: str) -> Response:
    """Offer to change a file, on its branch or on a new one with a merge request, or do it."""
    found = site.project(project)
    ref, path = split_ref(found, rest)
    shown = view_file(found, ref, path)
    if not shown["editable"]:
        raise RefusedError(405, "Only text files can be changed here, at the head of a branch.")
    if request.method == "POST":
        return _change(site, found, (ref, path), PageRequest.read(site.world, request.form))
    return _offer_change(site, request, found, ref, {"title": f"Edit {path}", "file": shown})


def new_file(site: Site, request: Request, project: str, rest: str) -> Response:
    """Offer to make a file in a directory, or do it."""
    found = site.project(project)
    ref, folder = split_ref(found, rest)
    if ref not in found.repository.branches:
        raise NotFound
    if request.method == "POST":
        asked = PageRequest.read(site.world, request.form)
        return _change(site, found, (ref, name_file(found, ref, folder, asked)), asked)
    shown = {**view_place(found, ref, folder), "text": ""}
    values: View = {"title": "New file", "file": shown, "naming": True}
    return _offer_change(site, request, found, ref, values)


def _change(site: Site, found: Project, place: tuple[str, str], asked: PageRequest) -> Response:
    mr = change_file(site.world, found, *place, asked)
    there = f"/{found.path_with_namespace}/-/blob/{'/'.join(place)}"
    return redirect(path_of(mr) if mr else there, 303)


def _offer_change(site: Site, request: Request, found: Project, ref: str, values: View) -> Response:
    """Show the form, which commits to the branch of the address or to a new one."""
    new = find_free_branch(found.repository) if "new" in request.args else ""
    may = must_push(site.world, found, "" if new else ref)
    people = offer(site.world, may, [request.args.get("as", "")])
    around = {"project": found.path_with_namespace, "action": request.path, "naming": False}
    return site.page("edit.html", **(around | {"new": new, "people": people} | values))


def show_hooks(site: Site, _request: Request, project: str) -> Response:
    """Show the webhooks of a project with what became of their deliveries."""
    found = site.project(project)
    hooks = [(each, list_heard(each)) for each in found.webhooks]
    return site.page("hooks.html", title="Webhooks", project=found.path_with_namespace, hooks=hooks)


def show_delivery(site: Site, request: Request, project: str, hook: int, log: int) -> Response:
    """Show a delivery, or send it again."""
    found = site.project(project)
    webhook, event = _find_delivery(found, hook, log)
    reason = must_be(site.world, found, Level.MAINTAINER)
    above = f"/{found.path_with_namespace}/-/hooks"
    if request.method == "POST":
        person = PageRequest.read(site.world, request.form).person
        if site.hooks is None:
            raise RefusedError(405, "Nothing here delivers webhooks.")
        insist("Resend", person, reason)
        site.hooks.resend(webhook, event)
        return redirect(above, 303)
    return site.page(
        "delivery.html",
        title=f"Delivery {log}",
        project=found.path_with_namespace,
        above=above,
        delivery=event,
        sent=lay_out(event.body),
        people=offer(site.world, reason),
    )


def _find_delivery(project: Project, hook: int, log: int) -> tuple[Webhook, HookEvent]:
    for webhook in project.webhooks:
        for event in webhook.events:
            if (webhook.id, event.id) == (hook, log):
                return webhook, event
    raise NotFound
