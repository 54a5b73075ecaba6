"""The pages of merge requests: lists, the three tabs, a new one, and what is sent to them."""

from collections.abc import Callable, Mapping
from functools import partial

from werkzeug.utils import redirect
from werkzeug.wrappers import Request, Response

from bot.sandbox.acts.merging import assess_merge
from bot.sandbox.acts.pipelines import list_gates
from bot.sandbox.pages.acts import PageRequest, comment, open_merge_request, resolve
from bot.sandbox.pages.buttons import OBSTACLES, press_button, view_buttons
from bot.sandbox.pages.markdown import render_markdown
from bot.sandbox.pages.repository_views import list_sources, view_changes
from bot.sandbox.pages.site import Site
from bot.sandbox.pages.views import is_about, list_merge_requests, path_of
from bot.sandbox.pages.who import must_comment, must_push, must_update, offer
from bot.sandbox.rest.merge_request_entities import commits_of
from bot.sandbox.world.entities import MergeRequest, Note, group_threads
from bot.sandbox.world.state import World


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
        return redirect(path_of(mr), 303)
    return site.page(
        "new.html",
        title="New merge request",
        project=found.path_with_namespace,
        sources=list_sources(found),
        targets=sorted(found.upstream.repository.branches),
        target=found.upstream.default_branch,
        places=[each.path_with_namespace for each in (found.forked_from, found) if each],
        people=offer(site.world, must_push(site.world, found, "")),
    )


def show_overview(site: Site, request: Request, project: str, iid: int) -> Response:
    """Show a merge request with its checks, its discussion and the means to act on it."""
    mr, world = site.merge_request(project, iid), site.world
    last = request.args.get("as", "")
    preferred = (last, *(each.username for each in mr.assignees))
    writers = (last, mr.author.username)
    runs = [each for each in site.runner.runs if is_about(each, mr)] if site.runner else []
    obstacle = assess_merge(world, mr)
    return site.page(
        "merge_request.html",
        **_head(mr, "overview"),
        pulse=_beat(site, mr),
        prose=partial(render_markdown, world, mr.project),
        mergeable=obstacle == "mergeable",
        obstacle=OBSTACLES.get(obstacle, obstacle),
        gates=list_gates(world, mr),
        threads=group_threads(each for each in mr.notes if not each.internal),
        runs=runs[-10:][::-1],
        writers=offer(world, must_comment(world, mr), writers),
        resolvers=offer(world, must_update(world, mr), preferred),
        buttons=view_buttons(world, mr, preferred),
    )


def show_commits(site: Site, _request: Request, project: str, iid: int) -> Response:
    """Show the commits of a merge request."""
    mr = site.merge_request(project, iid)
    return site.page("commits.html", **_head(mr, "commits"), commits=commits_of(mr))


def show_changes(site: Site, request: Request, project: str, iid: int) -> Response:
    """Show the changed lines of a merge request."""
    mr, world = site.merge_request(project, iid), site.world
    preferred = (request.args.get("as", ""), *(each.user.username for each in mr.reviewers))
    writers = offer(world, must_comment(world, mr), (*preferred, mr.author.username))
    head = _head(mr, "changes")
    return site.page("changes.html", **head, changes=view_changes(mr), writers=writers)


def _head(mr: MergeRequest, tab: str) -> Mapping[str, object]:
    return {"title": f"{mr.title} (!{mr.iid})", "mr": mr, "tab": tab}


def _beat(site: Site, mr: MergeRequest) -> str:
    return site.beat(mr.updated_at, [(each.id, each.body, len(each.awards)) for each in mr.notes])


def tell_pulse(site: Site, _request: Request, project: str, iid: int) -> Response:
    """Tell whether a merge request's page shows something new."""
    return site.tell_pulse(_beat(site, site.merge_request(project, iid)))


# What the forms of a merge request's page send, by the end of their address.
ACTS: Mapping[str, Callable[[World, MergeRequest, PageRequest], object]] = {
    "acts": press_button,
    "notes": comment,
    "threads": resolve,
}


def act(site: Site, request: Request, project: str, iid: int, what: str) -> Response:
    """Do what was sent, and show the merge request or a new comment, the same person chosen."""
    mr = site.merge_request(project, iid)
    asked = PageRequest.read(site.world, request.form)
    done = ACTS[what](site.world, mr, asked)
    anchor = f"#note_{done.id}" if isinstance(done, Note) else ""
    return redirect(f"{path_of(mr)}?as={asked.person.username}{anchor}", 303)
