"""The pages of merge requests: lists, the three tabs, a new one, and what is sent to them."""

import hashlib
from collections.abc import Mapping

from werkzeug.utils import redirect
from werkzeug.wrappers import Request, Response

from bot.sandbox.acts import actions
from bot.sandbox.pages.acts import PageRequest, comment, open_merge_request
from bot.sandbox.pages.buttons import press_button, view_buttons
from bot.sandbox.pages.repository_views import list_sources, view_changes, view_commits
from bot.sandbox.pages.site import Site
from bot.sandbox.pages.views import is_about, list_merge_requests, view_merge_request, view_row
from bot.sandbox.pages.who import must_comment, must_push, must_update, offer
from bot.sandbox.world.entities import MergeRequest


def show_list(site: Site, request: Request, project: str) -> Response:
    """List a project's merge requests, as the address asks."""
    found = site.project(project)
    rows = list_merge_requests(found, request.args)
    title = f"Merge requests of {found.path_with_namespace}"
    return site.page("list.html", title=title, rows=rows, project=found.path_with_namespace)


def show_new(site: Site, request: Request, project: str) -> Response:
    """Offer to open a merge request from a branch that is there, or do it."""
    found = site.project(project)
    if request.method == "POST":
        mr = open_merge_request(site.world, found, PageRequest.read(site.world, request.form))
        return redirect(str(view_row(mr)["url"]), 303)
    return site.page(
        "new.html",
        title="New merge request",
        project=found.path_with_namespace,
        sources=list_sources(found),
        targets=sorted(found.repository.branches),
        target=found.default_branch,
        people=offer(site.world, must_push(site.world, found, "")),
    )


def show_overview(site: Site, request: Request, project: str, iid: int) -> Response:
    """Show a merge request with its checks, its discussion and the means to act on it."""
    mr, world = site.merge_request(project, iid), site.world
    last = request.args.get("as", "")
    preferred = (last, *(each.username for each in mr.assignees))
    writers = (last, mr.author.username)
    return site.page(
        "merge_request.html",
        **_head(site, mr, "overview"),
        writers=offer(world, must_comment(world, mr), writers),
        resolvers=offer(world, must_update(world, mr), preferred),
        buttons=view_buttons(world, mr, preferred),
    )


def show_commits(site: Site, _request: Request, project: str, iid: int) -> Response:
    """Show the commits of a merge request."""
    mr = site.merge_request(project, iid)
    return site.page("commits.html", **_head(site, mr, "commits"), commits=view_commits(mr))


def show_changes(site: Site, _request: Request, project: str, iid: int) -> Response:
    """Show the changed lines of a merge request."""
    mr = site.merge_request(project, iid)
    return site.page("changes.html", **_head(site, mr, "changes"), changes=view_changes(mr))


def _head(site: Site, mr: MergeRequest, tab: str) -> Mapping[str, object]:
    runs = [each for each in site.runner.runs if is_about(each, mr)] if site.runner else []
    return {
        "title": f"{mr.title} (!{mr.iid})",
        "mr": view_merge_request(site.world, mr, reversed(runs[-10:])),
        "tab": tab,
        "pulse": _beat(site, mr),
    }


def _beat(site: Site, mr: MergeRequest) -> str:
    """Summarise all the page shows, so that a poll can tell whether to look again."""
    seen = (
        mr.updated_at,
        [(each.id, each.body, len(each.awards)) for each in mr.notes],
        len(site.world.events),
        tuple(site.job_states()),
    )
    return hashlib.sha256(repr(seen).encode()).hexdigest()[:16]


def tell_pulse(site: Site, _request: Request, project: str, iid: int) -> Response:
    """Tell whether a merge request's page shows something new."""
    beat = _beat(site, site.merge_request(project, iid))
    busy = "false" if site.quiet else "true"
    return Response(f'{{"pulse": "{beat}", "busy": {busy}}}', mimetype="application/json")


def write_comment(site: Site, request: Request, project: str, iid: int) -> Response:
    """Write a comment, and lead to it."""
    mr = site.merge_request(project, iid)
    asked = PageRequest.read(site.world, request.form)
    note = comment(site.world, mr, asked)
    anchor = f"#note_{note.id}" if note else ""
    return redirect(f"{view_row(mr)['url']}?as={asked.person.username}{anchor}", 303)


def resolve(site: Site, request: Request, project: str, iid: int) -> Response:
    """Resolve a thread, or reopen it."""
    mr = site.merge_request(project, iid)
    asked = PageRequest.read(site.world, request.form)
    thread, wanted = asked.line("thread", "Thread"), asked.form.get("resolved") == "1"
    actions.resolve_thread(site.world, asked.person, mr, thread, wanted)
    return redirect(f"{view_row(mr)['url']}?as={asked.person.username}", 303)


def act(site: Site, request: Request, project: str, iid: int) -> Response:
    """Do what a button says."""
    mr = site.merge_request(project, iid)
    asked = PageRequest.read(site.world, request.form)
    press_button(site.world, mr, asked)
    return redirect(f"{view_row(mr)['url']}?as={asked.person.username}", 303)
