"""The first page with the sandbox's own buttons, and the pages of groups, people and jobs."""

from werkzeug.exceptions import NotFound
from werkzeug.utils import redirect
from werkzeug.wrappers import Request, Response

from bot.sandbox.pages.acts import ROLES, PageRequest, add_to_group
from bot.sandbox.pages.markdown import render_markdown
from bot.sandbox.pages.site import FOLDER, Site
from bot.sandbox.pages.views import (
    LEVEL_NAMES,
    list_merge_requests,
    list_todos,
    view_time,
)
from bot.sandbox.pages.who import insist, must_be, must_push, offer
from bot.sandbox.world.entities import Project
from bot.sandbox.world.state import RefusedError

ASSETS = {
    "icon.svg": "image/svg+xml",
    "page.js": "text/javascript",
    "style.css": "text/css",
}
OPEN = {"state": "opened"}
DAY = 24 * 60 * 60.0
NOWHERE = "No project here runs the bot yet"


def show_index(site: Site, _request: Request) -> Response:
    """Show what there is, and what to try."""
    world = site.world
    rows = [row for each in world.projects.values() for row in list_merge_requests(each, OPEN)]
    runs = site.runner.runs[::-1] if site.runner else []
    bots = _find_bots_project(site)
    around = bots or next(iter(world.projects.values()), None)
    return site.page(
        "index.html",
        title="Sandbox",
        guide=render_markdown(world, around, site.guide) if around else "",
        rows=rows,
        projects=[each.path_with_namespace for each in world.projects.values()],
        groups=[each.full_path for each in world.groups.values() if each.members],
        runs=runs[:10],
        now=view_time(world.now),
        sweep=offer(world, must_push(world, bots, bots.default_branch)) if bots else None,
        nowhere=NOWHERE,
        pulse=site.beat(world.now),
    )


def _find_bots_project(site: Site) -> Project | None:
    """Find the project whose pipelines run the bot: the one that can be triggered."""
    if site.runner is None:
        return None
    return next((each for each in site.world.projects.values() if each.triggers), None)


def tell_pulse(site: Site, _request: Request) -> Response:
    """Tell whether the first page shows something new."""
    return site.tell_pulse(site.beat(site.world.now))


def let_time_pass(site: Site, request: Request) -> Response:
    """Move the clock on by some days."""
    days = request.form.get("days", "")
    if days not in {"1", "7"}:
        raise RefusedError(400, "The clock moves by a day, or by a week.")
    site.world.tick(int(days) * DAY)
    return redirect("/#clock", 303)


def sweep(site: Site, request: Request) -> Response:
    """Start the pipeline that a schedule starts, in which the bot looks at everything again."""
    bots, person = _find_bots_project(site), PageRequest.read(site.world, request.form).person
    if bots is None or site.runner is None:
        raise RefusedError(405, f"{NOWHERE}.")
    insist("Sweep now", person, must_push(site.world, bots, bots.default_branch))
    site.runner.schedule(bots, person)
    return redirect("/#jobs", 303)


def send_asset(_site: Site, _request: Request, name: str) -> Response:
    """Send a style sheet, a script or a picture."""
    if name not in ASSETS:
        raise NotFound
    return Response((FOLDER / name).read_bytes(), mimetype=ASSETS[name])


def show_group(site: Site, request: Request, group: str) -> Response:
    """Show a group's members, or add one."""
    found = site.world.find_group(group)
    if found is None:
        raise NotFound
    if request.method == "POST":
        add_to_group(site.world, found, PageRequest.read(site.world, request.form))
        return redirect(request.path, 303)
    return site.page(
        "group.html",
        title=f"Members of {group}",
        group=found,
        today=site.world.now.date(),
        levels=LEVEL_NAMES,
        owners=offer(site.world, must_be(site.world, found, ROLES["owner"])),
        everybody=offer(site.world, lambda who: "is a member" if who.id in found.members else ""),
        roles=ROLES,
    )


def show_job(site: Site, _request: Request, project: str, job: int) -> Response:
    """Show a job with its log."""
    run = site.runner.find_run(job) if site.runner else None
    if run is None or run.job.pipeline.project is not site.world.find_project(project):
        raise NotFound
    return site.page("job.html", title=f"Job {job}", run=run)


def show_place(site: Site, request: Request, name: str) -> Response:
    """Lead to what a name stands for, as links in comments have it."""
    if "/-/" in f"/{name}":
        # A page of GitLab's that is not here, unlike a thing that is not there.
        raise RefusedError(404, f"the sandbox does not offer {request.method} /{name}")
    if site.world.find_group(name) is not None:
        return redirect(f"/groups/{name}/-/group_members", 303)
    user = site.world.find_user(name)
    if user is not None:
        todos = list_todos(site.world, user)
        return site.page("person.html", title=name, person=user, todos=todos)
    path = site.project(name).path_with_namespace
    return redirect(f"/{path}/-/merge_requests", 303)
