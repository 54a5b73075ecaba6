"""Points about the variables of the jobs: the token, the settings, and who may pass others."""

from collections.abc import Mapping
from functools import partial

from bot.config import SETTINGS
from bot.gitlab import Json
from bot.setup.ground import Ground
from bot.setup.hosting import HOST_FIRST
from bot.setup.values import Found, Point, ok, unknown, wrong
from bot.setup.versions import PAYLOAD_EXEMPT, VARIABLES_ROLE

TOKEN = "NOMINATION_BOT_TOKEN"  # noqa: S105  the name of a variable
PREFIX = "NOMINATION_BOT_"
# Jobs know GitLab's address and their project from GitLab.
NOT_FOR_JOBS = (URL, PROJECT, ADMIN) = (
    "NOMINATION_BOT_GITLAB_URL", "NOMINATION_BOT_PROJECT", "NOMINATION_BOT_ADMIN_TOKEN",
)  # fmt: skip
ALL_JOBS: Mapping[str, object] = {"environment_scope": "*", "variable_type": "env_var"}
ROLE_SETTING = "ci_pipeline_variables_minimum_override_role"


def _rows(ground: Ground) -> list[Json]:
    rows = ground.rows_as_operator(f"{ground.host}/variables")
    return [row for row in rows if str(row["key"]).startswith(PREFIX)]


def _variables(ground: Ground) -> dict[str, Json]:
    return {str(row["key"]): row for row in _rows(ground)}


def _look_at_token(ground: Ground) -> Found:
    rows = [row for row in _rows(ground) if row["key"] == TOKEN]
    if len(rows) > 1:
        return wrong(f"it is set {len(rows)} times", "keep the one for all environments, `*`")
    if not rows:
        return wrong("it is not set", f"set {TOKEN}, masked and protected", _make)
    found = rows[0]
    if found.get("value") not in {None, ground.settings.token.reveal()}:
        return wrong("it is another token", f"replace {TOKEN} by the one given now", _store)
    flaws = [f"not {flag}" for flag in ("masked", "protected") if not found.get(flag)]
    flaws += _kind_flaws(found)
    if flaws:
        step = f"make {TOKEN} masked and protected, a variable for all environments"
        return wrong(" and ".join(flaws), step, _store)
    return ok("masked and protected")


def _kind_flaws(row: Json) -> list[str]:
    """Say what keeps a variable from the jobs, or from being what they read."""
    flaws = []
    scope = str(row.get("environment_scope") or "*")
    if scope != "*":  # the jobs of the bot have no environment
        flaws.append(f"for the environment {scope!r} alone")
    if row.get("variable_type") == "file":
        flaws.append("a file, whose place the jobs would take for its text")
    return flaws


def _store(ground: Ground) -> None:
    store_token(ground, ground.settings.token.reveal())


def store_token(ground: Ground, token: str) -> None:
    """Give the variable of the token that is there already another value."""
    ground.operator.change("put", f"{ground.host}/variables/{TOKEN}", _token_fields(token))


def _make(ground: Ground) -> None:
    # Raw: a `$` in it would be taken for a variable (gitlab-org/gitlab#217309).
    fields = {"key": TOKEN, **_token_fields(ground.settings.token.reveal()), "raw": True}
    ground.operator.create(f"{ground.host}/variables", fields)


def _token_fields(token: str) -> dict[str, object]:
    return {"value": token, "masked": True, "protected": True, **ALL_JOBS}


def _look_at_settings(ground: Ground) -> Found:
    """Compare the variables of the jobs with the settings given now, all but the token."""
    misplaced = _misplaced(ground)
    if misplaced:
        return misplaced
    apart = (TOKEN, *NOT_FOR_JOBS)
    there = {name: row for name, row in _variables(ground).items() if name not in apart}
    unheard = sorted(set(there) - {each.name for each in SETTINGS})
    if unheard:
        return wrong(f"{unheard[0]} is no setting of the bot", "rename or remove it")
    wanted = dict(ground.chosen)
    differing = sorted(
        name
        for name in wanted.keys() | there.keys()
        # The value of a hidden one is told to nobody.
        if name not in there or there[name].get("value") not in {None, wanted.get(name)}
    )
    spoken = [name for name in differing if name in wanted]
    open_ones = sorted(
        name for name, row in there.items() if _kind_flaws(row) or not row.get("protected")
    )
    if spoken or open_ones:
        names = ", ".join(dict.fromkeys((*spoken, *open_ones)))
        step = f"set as given now, protected, for all environments: {names}"
        change = partial(_set, names=(*spoken, *open_ones))
        return wrong(f"differs, or not protected, or not for all jobs: {names}", step, change)
    if differing:
        return wrong(
            f"the jobs have {', '.join(differing)}, which is not given now",
            "give it here as well, or remove it there",
        )
    return ok(f"{len(there)} variables, protected")


def _misplaced(ground: Ground) -> Found | None:
    """Return what is wrong with variables that say where GitLab is, or are none of the jobs'."""
    there = _variables(ground)
    if ADMIN in there:
        step = "remove it: it is a token of yours, and `doctor` and `init` alone need it"
        return wrong(f"the jobs have {ADMIN}", step)
    host = ground.as_operator(ground.host)
    present = {
        URL: (ground.settings.gitlab_url,),
        PROJECT: (str(host["id"]), str(host["path_with_namespace"])),
    }
    for name, values in present.items():
        value = there.get(name, {}).get("value")
        if value is not None and str(value).rstrip("/") not in values:
            return wrong(f"{name} of the jobs is not {values[-1]}", "remove it: they know that")
    return None


def _set(ground: Ground, names: tuple[str, ...]) -> None:
    there = _variables(ground)
    for name in dict.fromkeys(names):
        given = ground.chosen.get(name)
        value = there[name]["value"] if given is None else given
        # What is hidden keeps its value.
        fields: dict[str, object] = {"protected": True, **ALL_JOBS}
        fields |= {} if value is None else {"value": value}
        if name in there:
            ground.operator.change("put", f"{ground.host}/variables/{name}", fields)
        else:
            ground.operator.create(f"{ground.host}/variables", {"key": name, **fields})


def _look_at_passing(ground: Ground) -> Found:
    if ground.version < VARIABLES_ROLE.version:
        return unknown("this GitLab has no such setting", VARIABLES_ROLE.without, excused=True)
    allowed = "no_one_allowed" if ground.version >= PAYLOAD_EXEMPT.version else "maintainer"
    found = str(ground.as_operator(ground.host).get(ROLE_SETTING))
    if found == allowed:
        return ok(found)
    step = f"restrict who may pass pipeline variables: {allowed}"
    change = partial(_restrict, role=allowed)
    if found == "no_one_allowed":
        words = f"{found}, by which this version of GitLab refuses every webhook"
        return wrong(words, step, change)
    return wrong(found, step, change)


def _restrict(ground: Ground, role: str) -> None:
    ground.operator.change("put", ground.host, {ROLE_SETTING: role})


POINTS = (
    Point(
        id="variable-token",
        expected=f"{TOKEN} is set for the jobs, masked and protected",
        costs="every run",
        look=_look_at_token,
        link=lambda ground: ground.host_page("settings/ci_cd#js-cicd-variables-settings"),
        needs=(*HOST_FIRST, "token"),  # what has ended must not take the place of what works
    ),
    Point(
        id="variables",
        expected="the jobs have the settings given now, protected",
        costs="what the settings say",
        look=_look_at_settings,
        link=lambda ground: ground.host_page("settings/ci_cd#js-cicd-variables-settings"),
        needs=(*HOST_FIRST, "team-project"),
    ),
    Point(
        id="pipeline-variables",
        expected="nobody may pass pipeline variables",
        costs="whoever holds the trigger token could override the settings, or no event arrives",
        look=_look_at_passing,
        link=lambda ground: ground.host_page("settings/ci_cd#js-general-pipeline-settings"),
        needs=HOST_FIRST,
    ),
)
