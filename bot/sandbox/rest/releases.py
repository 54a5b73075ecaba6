"""REST: tags and releases (doc/api/tags.md, doc/api/releases/_index.md)."""

# One module: a release makes its tag, and a tag takes its release along.

from collections.abc import Mapping
from typing import Any

from bot.sandbox.acts import actions
from bot.sandbox.rest.code_entities import render_commit
from bot.sandbox.rest.core import FILES, Answer, Call, endpoint, paged
from bot.sandbox.rest.kinds import change
from bot.sandbox.rest.params import PAGING, items, mapping, takes
from bot.sandbox.rest.people_entities import expose, render_user, web_url
from bot.sandbox.world.access import demand, reaches, required
from bot.sandbox.world.entities import Level, Project, Release, User, matches
from bot.sandbox.world.state import RefusedError, World

NO_TAG = "You are not allowed to create this tag as it is protected."  # tag_check.rb
TAGS = "/projects/{id}/repository/tags"
RELEASES = "/projects/{id}/releases"
MILESTONES = "/projects/{id}/milestones"
LINKS = RELEASES + "/{tag_name}/assets/links"
LINK = takes(
    text="name url direct_asset_path filepath",
    required="name url",
    choices={"link_type": "other runbook image package"},
)


@endpoint(
    "GET",
    TAGS,
    PAGING,
    text="search",
    choices={"order_by": "name updated version", "sort": "asc desc"},
    scopes=FILES,
)
def list_tags(call: Call) -> Answer:
    """List tags."""
    needle = call.params.get("search", "").removeprefix("^")
    found = [each for each in sorted(call.code.repository.tags, reverse=True) if needle in each]
    return paged(call, found, lambda name: _render_tag(call, name))


@endpoint("GET", TAGS + "/{tag_name}", scopes=FILES)
def show_tag(call: Call) -> object:
    """Tell of a tag."""
    demand(call.path["tag_name"] in call.code.repository.tags, 404, "404 Tag Not Found")
    return _render_tag(call, call.path["tag_name"])


@endpoint("POST", TAGS, text="tag_name ref message", required="tag_name ref")
def create_tag(call: Call) -> object:
    """Make a tag."""
    name = call.params["tag_name"]
    _tag(call, name, call.params["ref"], call.params.get("message", ""))
    return _render_tag(call, name)


@endpoint("DELETE", TAGS + "/{tag_name}")
def delete_tag(call: Call) -> None:
    """Delete a tag."""
    name = call.path["tag_name"]
    demand(call.level >= Level.DEVELOPER)
    demand(name in call.code.repository.tags, 404, "404 Tag Not Found")
    actions.receive(call.world, call.actor, call.project, f"refs/tags/{name}", (None, None))


def _tag(call: Call, name: str, ref: str, message: str) -> None:
    demand(call.level >= Level.DEVELOPER)
    if name in call.code.repository.tags:
        raise RefusedError(400, f"Tag {name} already exists")
    if not may_make_tag(call.world, call.actor, call.project, name):
        raise RefusedError(400, NO_TAG)
    commit = call.project.repository.find_commit(ref)
    commit = required(commit, f"Target {ref} is invalid", 400)
    moved = commit.sha, None
    actions.receive(call.world, call.actor, call.project, f"refs/tags/{name}", moved)
    call.project.tag_messages[name] = message


def _rules(world: World, project: Project, name: str) -> list[dict[str, Any]]:
    """List what protects a tag, which need not be there yet."""
    found = world.shelf("/projects/{id}/protected_tags", id=project.id)
    return [each for each in found if matches(each["name"], name)]


def may_make_tag(world: World, user: User, project: Project, name: str) -> bool:
    """Return whether a person may make a tag, if it is protected at all."""
    rules = _rules(world, project, name)
    levels = {each["access_level"] for rule in rules for each in rule["create_access_levels"]}
    return reaches(user, project, levels or {Level.DEVELOPER}, world.now.date())


def _render_tag(call: Call, name: str) -> dict[str, object]:
    sha, own = call.project.repository.tags[name]
    release = call.project.releases.get(name)
    return {
        "name": name,
        "message": call.project.tag_messages.get(name, ""),
        "target": own or sha,
        "commit": render_commit(call.world, call.project, call.commit(sha)),
        "release": {"tag_name": name, "description": release.description} if release else None,
        "protected": bool(_rules(call.world, call.project, name)),
        "created_at": None,
    }


@endpoint(
    "GET",
    RELEASES,
    PAGING,
    flag="include_html_description",
    choices={"order_by": "released_at created_at", "sort": "asc desc"},
)
def list_releases(call: Call) -> Answer:
    """List releases, the newest first."""
    order = call.params.get("order_by", "released_at")
    found = sorted(call.code.releases.values(), key=lambda each: getattr(each, order))
    if call.params.get("sort") != "asc":
        found.reverse()
    return paged(call, found, lambda each: _render(call, each))


RELEASE = takes(text="name description", words="milestones", moment="released_at")


# doc/ci/jobs/ci_job_token.md: job tokens may read and make releases and their links.
@endpoint("GET", RELEASES + "/{tag_name}", flag="include_html_description", job_token=True)
def show_release(call: Call) -> object:
    """Tell of a release."""
    return _render(call, _find(call))


@endpoint(
    "POST",
    RELEASES,
    RELEASE,
    {"assets": mapping({"links": items(LINK)})},
    text="tag_name tag_message ref",
    required="tag_name",
    job_token=True,
)
def create_release(call: Call) -> object:
    """Make a release, and its tag from `ref` where there is none."""
    given, name = call.params, call.params["tag_name"]
    demand(call.level >= Level.DEVELOPER)
    if name in call.code.releases:
        raise RefusedError(409, "Release already exists")
    milestones = _milestones(call)
    if name not in call.project.repository.tags:
        if "ref" not in given:
            raise RefusedError(422, "Ref is not specified")
        _tag(call, name, given["ref"], given.get("tag_message", ""))
    links = given.get("assets", {}).get("links", [])
    with call.world.writing() as now:
        made = call.project.releases[name] = Release(
            tag=name,
            name=given.get("name", name),
            description=given.get("description", ""),
            author=call.actor,
            created_at=now,
            released_at=given.get("released_at", now),
            milestones=milestones,
            links=[_make_link(call, each) for each in links],
        )
    return _render(call, made)


def _make_link(call: Call, given: Mapping[str, Any]) -> dict[str, Any]:
    return {"id": call.world.next_id("link"), **dict.fromkeys(LINK), **tell_link(given), **given}


def tell_link(given: Mapping[str, Any]) -> dict[str, Any]:
    """Tell what a link has besides what was given."""
    return {"link_type": "other", "direct_asset_url": given["url"]}


@endpoint("PUT", RELEASES + "/{tag_name}", RELEASE)
def edit_release(call: Call) -> object:
    """Change a release."""
    found = _find(call)
    demand(call.level >= Level.DEVELOPER)
    given = {**call.params, "milestones": _milestones(call)}
    with call.world.writing():
        change(call, found, given if "milestones" in call.params else call.params)
    return _render(call, found)


@endpoint("DELETE", RELEASES + "/{tag_name}")
def delete_release(call: Call) -> object:
    """Delete a release; its tag stays."""
    found = _find(call)
    demand(call.level >= Level.DEVELOPER)
    with call.world.writing():
        del call.project.releases[found.tag]
    return _render(call, found)


def _milestones(call: Call) -> list[dict[str, Any]]:
    """Find the milestones that are named; raise RefusedError (400)."""
    known = {row["title"]: row for row in call.world.shelf(MILESTONES, id=call.project.id)}
    names = call.params.get("milestones", [])
    missing = [name for name in names if name not in known]
    if missing:
        raise RefusedError(400, f"Milestone(s) not found: {', '.join(missing)}")
    return [known[name] for name in names]


def _find(call: Call) -> Release:
    return required(call.code.releases.get(call.path["tag_name"]))


def _render(call: Call, release: Release) -> dict[str, object]:
    sha, path = call.project.repository.tags[release.tag][0], call.project.path_with_namespace
    url = web_url(call.world, f"{path}/-/releases/{release.tag}")
    return {
        "tag_name": release.tag,
        **expose(release, "name description created_at released_at"),
        "upcoming_release": release.released_at > call.world.now,
        **({"milestones": release.milestones} if release.milestones else {}),
        "author": render_user(call.world, release.author),
        "commit": render_commit(call.world, call.project, call.commit(sha)),
        "commit_path": f"/{path}/-/commit/{sha}",
        "tag_path": f"/{path}/-/tags/{release.tag}",
        "assets": {"count": len(release.links), "sources": [], "links": release.links},
        "evidences": [],
        "_links": {"self": url, "edit_url": f"{url}/edit"},
    }
