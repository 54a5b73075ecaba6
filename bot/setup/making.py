"""The other reading of the desired state: make GitLab so, and say what is left by hand."""

from collections.abc import Callable
from datetime import timedelta

from bot.errors import GitLabError
from bot.inert import log_line
from bot.setup.doctor import examine, find_settings, look
from bot.setup.ground import Ground
from bot.setup.hooks import rotate_trigger
from bot.setup.values import Answer, State
from bot.setup.variables import TOKEN, store_token

YEAR = timedelta(days=364)  # GitLab allows 365, counted in its own time zone
Tell = Callable[[str], None]


def plan_changes(ground: Ground, tell: Tell) -> list[Answer]:
    """Tell every change that would be made; return what is wrong and must be done by hand."""
    wrong = [answer for answer in examine(ground) if answer.found.state is State.WRONG]
    for answer in wrong:
        if answer.found.mend:
            tell(log_line(f"would {answer.found.step} ({answer.point.id}: {answer.link})"))
    return [answer for answer in wrong if not answer.found.mend]


def apply_changes(ground: Ground, tell: Tell) -> list[Answer]:
    """Make every change, in order; return what is wrong all the same.

    Each point is looked at again right before, because one change may settle another. What
    nobody can set, as a query that must be answered, is looked at when all is made.
    """
    failed: set[str] = set()
    for point in find_settings(ground):
        answer = look(point, ground, failed)
        if not _mended(answer, ground, tell) and not answer.found.excused:
            failed.add(point.id)
    return [answer for answer in examine(ground) if answer.found.state is State.WRONG]


def _mended(answer: Answer, ground: Ground, tell: Tell) -> bool:
    """Make a change if there is one to make; return whether the point is now as it must be."""
    found = answer.found
    if found.mend is None:
        return found.state is State.OK
    try:
        found.mend(ground)
    except GitLabError as error:
        tell(log_line(f"could not {found.step}: {error} {answer.link}"))
        return False
    finally:
        ground.forget()
    tell(log_line(f"did {found.step}"))
    return True


def rotate(what: str, ground: Ground, tell: Tell) -> None:
    """Replace the token or the trigger token; raises GitLabError when it could not be done."""
    if what == "trigger":
        for left in rotate_trigger(ground):
            tell(left)
        tell("the webhook has a new trigger token")
    else:
        tell(f"{TOKEN} is a new token, until {_rotate_token(ground)}")
        page = ground.host_page("settings/ci_cd#js-cicd-variables-settings")
        tell(f"the one that is set here has ended: take the new one from {page}")


def _rotate_token(ground: Ground) -> str:
    # One that has ended cannot be rotated, and the attempt ends those that followed it
    # (doc/api/personal_access_tokens.md, "Automatic reuse detection").
    try:
        ground.as_bot("/user")
    except GitLabError as error:
        raise GitLabError(
            f"The token cannot be rotated ({error}): make another token of the same account and "
            f"store it as {TOKEN}."
        ) from None
    # Before the present token ends: whether the next one can be stored at all.
    store_token(ground, ground.settings.token.reveal())
    ends = (ground.now + YEAR).date().isoformat()
    made = ground.bot.create("/personal_access_tokens/self/rotate", {"expires_at": ends})
    try:
        store_token(ground, str(made["token"]))
    except GitLabError as error:
        raise GitLabError(
            f"The token was rotated, but the new one could not be stored ({error}): make another "
            f"token of the same account and store it as {TOKEN}."
        ) from None
    return str(made.get("expires_at") or "ever")
