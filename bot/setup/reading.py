"""Points about what the policies name: projects, groups, files and the entries themselves."""

from collections.abc import Callable, Iterator
from functools import partial
from urllib.parse import quote

from bot.errors import AbsentError, RefusedError
from bot.gitlab import escape_path, read_pages
from bot.listing import UnreadableListing, read_listing
from bot.policy import ListedIn, Policy
from bot.setup.ground import DEVELOPER, Ground, level_in
from bot.setup.values import Found, Point, ok, wrong

ACCESS = "give the bot's account read access there, or mend the policy"


def find_points(ground: Ground) -> Iterator[Point]:
    """Yield a point for every place that a policy names, each once."""
    yield Point(
        id="policies",
        expected="every policy is without a mistake",
        costs="its nominations are unknown, their gate stays shut",
        look=_look_at_policies,
        link=lambda ground: ground.host_page(),
    )
    yield Point(
        id="team-project",
        expected=f"the team database is at {ground.settings.team_project}",
        costs="everything: events of another project are passed over",
        look=_look_at_team,
        link=lambda ground: ground.team_page(),
        needs=("token",),
    )
    for glob in dict.fromkeys(policy.team_files for policy in ground.policies):
        yield Point(
            id=f"entries {glob}",
            expected="the folder of the team entries exists",
            costs="every nomination",
            look=partial(_look_at_entries, glob=glob),
            link=lambda ground: ground.team_page(),
            needs=("token", "account", "team-project"),
        )
    for project in dict.fromkeys(policy.repository for policy in ground.policies):
        yield _point("project", project, "the counts of merge requests", _look_at_project)
    memberships = (each for policy in ground.policies for each in policy.memberships)
    for group in dict.fromkeys(each.group for each in memberships):
        yield _point("group", group, "who is a maintainer, and steps after the merge", _look_group)
    for policy in ground.policies:
        yield from _files_of(policy)


def _point(kind: str, path: str, costs: str, look: Callable[..., Found]) -> Point:
    return Point(
        id=f"{kind} {path}",
        expected=f"the bot can read this {kind}",
        costs=costs,
        look=partial(look, path=path),
        link=lambda ground: f"{ground.settings.gitlab_url}/{path}",
        needs=("token", "account"),
    )


def _files_of(policy: Policy) -> Iterator[Point]:
    for step in policy.follow_ups:
        if isinstance(step.check, ListedIn):
            check = step.check
            yield Point(
                id=f"file {check.project}:{check.path}",
                expected="the bot can read this file",
                costs=f"the step {step.id!r} after the merge",
                look=partial(_look_at_file, check=check),
                link=lambda ground, check=check: (  # type: ignore[misc]
                    f"{ground.settings.gitlab_url}/{check.project}/-/blob/{check.ref}/{check.path}"
                ),
                needs=("token", "account", f"project {check.project}"),
            )
            if check.open:
                yield _opening(check, step.id)


def _opening(check: ListedIn, step: str) -> Point:
    return Point(
        id=f"merge requests {check.project}:{check.path}",
        expected="the bot may open the merge request for this file, as the policy asks",
        costs=f"the step {step!r} after the merge is left to people",
        look=partial(_look_at_opening, check=check),
        link=lambda ground: f"{ground.settings.gitlab_url}/{check.project}/-/project_members",
        needs=("token", "account", f"file {check.project}:{check.path}"),
    )


def _look_at_policies(ground: Ground) -> Found:
    lines = [line for policy in ground.broken for line in policy.mistakes]
    if lines:
        more = f" (and {len(lines) - 1} more)" if lines[1:] else ""
        return wrong(f"{lines[0]}{more}", "see all by `nomination-bot policy check`, and mend them")
    return ok(", ".join(policy.label for policy in ground.policies))


def _look_at_team(ground: Ground) -> Found:
    try:
        found = ground.as_bot(ground.team)
    except RefusedError as error:
        return wrong(str(error), "mend NOMINATION_BOT_TEAM_PROJECT, or give the bot access")
    path, wanted = str(found["path_with_namespace"]), ground.settings.team_project
    if found.get("archived"):
        return wrong("it is archived", "unarchive it, or name the present one")
    if found.get("merge_requests_access_level") == "disabled":
        return wrong("it takes no merge requests", "switch merge requests on")
    if not wanted.isdecimal() and path.casefold() != wanted.casefold():
        return wrong(f"it moved to {path}", f"set NOMINATION_BOT_TEAM_PROJECT to {path}")
    return ok(path)


def _look_at_entries(ground: Ground, glob: str) -> Found:
    folder = glob.split("*", maxsplit=1)[0].rstrip("/")
    # Of a folder that is not there older versions list nothing, others answer 404
    # (`rescue_not_found: false` in lib/api/repositories.rb).
    try:
        rows, _ = ground.bot.fetch_rows(
            f"{ground.team}/repository/tree", {"path": folder, "per_page": 1}
        )
    except AbsentError:
        rows = []
    if not rows:
        return wrong(f"{folder} is not there", "mend `team_files` of the policy")
    return ok(folder)


def _look_at_project(ground: Ground, path: str) -> Found:
    try:
        found = ground.as_bot(f"/projects/{escape_path(path)}")
        branch = str(found.get("default_branch"))
        ground.as_bot(f"/projects/{escape_path(path)}/repository/branches/{escape_path(branch)}")
    except RefusedError:
        return wrong("it does not exist for the bot, or without its repository", ACCESS)
    present = str(found["path_with_namespace"])
    if present.casefold() != path.casefold():
        return wrong(f"it moved to {present}", "mend the policy")
    if found.get("archived"):
        return wrong("it is archived", "unarchive it, or name the present one in the policy")
    return ok("readable")


def _look_group(ground: Ground, path: str) -> Found:
    try:
        members = read_pages(ground.bot, f"/groups/{escape_path(path)}/members")
    except RefusedError:
        return wrong("it does not exist for the bot", ACCESS)
    if not members:
        return wrong("it has no direct members", "mend the policy, or the group")
    return ok(f"{len(members)} direct members")


def _look_at_file(ground: Ground, check: ListedIn) -> Found:
    path = f"/projects/{escape_path(check.project)}/repository/files/{quote(check.path, safe='')}"
    try:
        content = ground.bot.fetch_raw(f"{path}/raw", {"ref": check.ref})
        names = read_listing(content.decode("utf-8"), check.spec, check.path).names
    except RefusedError:
        return wrong(f"{check.path} cannot be read at {check.ref}", ACCESS)
    except (UnreadableListing, UnicodeDecodeError) as error:
        return wrong(f"no list can be read in it: {error}", "mend the file, or the policy")
    return ok(f"{len(names)} listed")


def _look_at_opening(ground: Ground, check: ListedIn) -> Found:
    where = f"/projects/{escape_path(check.project)}"
    found = ground.as_bot(where)
    level = level_in(ground.as_bot, where, int(ground.me["id"]))
    if found.get("archived"):
        return wrong("the project is archived", "mend the policy")
    if found.get("merge_requests_access_level") == "disabled":
        return wrong("the project takes no merge requests", "mend the policy")
    if level < DEVELOPER:
        return wrong(
            f"the bot's account has level {level}",
            f"give it the Developer role ({DEVELOPER}), or take `open` out of the policy",
        )
    return ok(f"level {level}")
