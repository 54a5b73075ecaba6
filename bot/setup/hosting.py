"""Points about the project whose pipelines run the bot, and its branch."""

from collections.abc import Mapping

from bot.errors import RefusedError
from bot.gitlab import escape_path
from bot.setup.ground import MAINTAINER, Ground, level_in
from bot.setup.values import Found, Point, ok, unknown, wrong


def _look_at_host(ground: Ground) -> Found:
    operator = ground.as_operator("/user")
    if ground.settings.project is None:
        step = "set NOMINATION_BOT_PROJECT to the project whose pipelines run the bot"
        return unknown("which one it is was not said", step)
    try:
        found = ground.as_operator(ground.host)
        level = level_in(ground.as_operator, ground.host, int(operator["id"]))
    except RefusedError as error:
        return wrong(str(error), "mend NOMINATION_BOT_PROJECT, or run this as its Maintainer")
    path, wanted = str(found["path_with_namespace"]), ground.settings.project
    if level < MAINTAINER:
        return wrong(f"you have level {level}", "run this as its Maintainer")
    if found.get("archived"):
        return wrong("it is archived, so nothing runs in it", "unarchive it, or name another one")
    if not wanted.isdecimal() and path.casefold() != wanted.casefold():
        return wrong(f"it moved to {path}", f"set NOMINATION_BOT_PROJECT to {path}")
    return ok(path)


def _look_at_branch(ground: Ground) -> Found:
    name = ground.host_branch
    branch = ground.as_operator(f"{ground.host}/repository/branches/{escape_path(name)}")
    if not branch.get("protected"):
        step = f"protect the branch {name}, for Maintainers only"
        return wrong(f"{name} is not protected", step, _protect)
    if branch.get("developers_can_push") or branch.get("developers_can_merge"):
        return wrong(f"Developers may change {name}", "let only Maintainers push and merge there")
    return ok(f"{name} is protected")


def _protect(ground: Ground) -> None:
    fields: Mapping[str, object] = {
        "name": ground.host_branch,
        "push_access_level": MAINTAINER,
        "merge_access_level": MAINTAINER,
    }
    ground.operator.create(f"{ground.host}/protected_branches", fields)


HOST_FIRST = ("host-project",)
POINTS = (
    Point(
        id="host-project",
        expected="you maintain the project whose pipelines run the bot",
        costs="`doctor` and `init` see nothing of it",
        look=_look_at_host,
        link=lambda ground: ground.host_page(),
    ),
    Point(
        id="branch",
        expected="the branch that the bot runs on is protected for Maintainers",
        costs="the token: whoever can push there can read it",
        look=_look_at_branch,
        link=lambda ground: ground.host_page("settings/repository#js-protected-branches-settings"),
        needs=HOST_FIRST,
    ),
)
