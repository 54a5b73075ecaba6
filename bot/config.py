"""Parse the settings from the environment, all problems at once."""

# One module: what a setting means, its default, and how it is read are changed together.

from collections.abc import Mapping

from bot.errors import ConfigError
from bot.scope import DEFAULT_TEAM_PROJECT, DEFAULT_WORD, parse_scope
from bot.values import dataclass

DEADLINES = range(5, 3601)  # seconds
MOST_DIGITS = 18  # of an id; GitLab's are 64-bit integers
# Variables of GitLab and of other tools that people expect to count.
FOREIGN_TOKENS = (
    "GITLAB_TOKEN",
    "GITLAB_PRIVATE_TOKEN",
    "GITLAB_ACCESS_TOKEN",
    "GL_TOKEN",
    "PRIVATE_TOKEN",
    "CI_JOB_TOKEN",
)
FOREIGN_ADDRESSES = ("GITLAB_HOST", "GITLAB_URL", "GITLAB_URI", "GL_HOST", "CI_API_V4_URL")
GATES = ("commit-status", "external-status-check", "none")


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting as the operator meets it; the README lists exactly these."""

    name: str
    meaning: str
    default: str = ""


SETTINGS = (
    Setting("NOMINATION_BOT_TOKEN", "access token of the bot's account, scope `api`; required"),
    Setting("NOMINATION_BOT_GITLAB_URL", "address of GitLab", "`CI_SERVER_URL`"),
    Setting("NOMINATION_BOT_TEAM_PROJECT", "path or id of the team database", DEFAULT_TEAM_PROJECT),
    Setting("NOMINATION_BOT_POLICIES", "directory of policies", "the shipped ones"),
    Setting("NOMINATION_BOT_GATE", "one of " + ", ".join(f"`{g}`" for g in GATES), GATES[0]),
    Setting("NOMINATION_BOT_COMMAND", "word of the command", DEFAULT_WORD),
    Setting("NOMINATION_BOT_STATUS_NAME", "name of the status or status check", "nomination-bot"),
    Setting("NOMINATION_BOT_TEMPLATES", "directory whose templates replace shipped ones", "none"),
    Setting("NOMINATION_BOT_FORMER_IDS", "user ids of earlier bot accounts, by comma", "none"),
    Setting("NOMINATION_BOT_DEADLINE", "seconds that one run may take", "120"),
    Setting(
        "NOMINATION_BOT_PROJECT",
        "path or id of the project that hosts the bot, for `doctor` and `init`",
        "`CI_PROJECT_PATH`",
    ),
    Setting(
        "NOMINATION_BOT_ADMIN_TOKEN",
        "your own token, for `doctor` and `init` only; never store it",
        "none",
    ),
    Setting(
        "NOMINATION_BOT_OBSERVE",
        "`true`: evaluate and log, but write nothing to GitLab; for the first week",
        "`false`",
    ),
    Setting(
        "NOMINATION_BOT_ARTIFACTS",
        "directory for `nomination.json`, `junit.xml` and `metrics.txt` of each run",
        "none",
    ),
    Setting("NOMINATION_BOT_CONTACT", "whom the comment names for trouble with the bot", "none"),
    Setting(
        "NOMINATION_BOT_ISSUE",
        "`true`: an issue in the bot's project says what the sweep found not to work, since when",
        "`false`",
    ),
)


class Secret:
    """A text that shows itself only when asked by name, and the setting it came from."""

    __slots__ = ("_text", "setting")

    def __init__(self, text: str, setting: str = "NOMINATION_BOT_TOKEN") -> None:
        self._text = text
        self.setting = setting

    def reveal(self) -> str:
        """Return the text itself."""
        return self._text

    def __repr__(self) -> str:
        return "Secret(***)"

    __str__ = __repr__


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All settings, valid."""

    token: Secret
    gitlab_url: str
    team_project: str
    policies: str | None
    gate: str
    word: str
    status_name: str
    templates: str | None
    former_ids: frozenset[int]
    deadline: float
    contact: str
    docs_url: str
    job_url: str
    project: str | None = None
    admin_token: Secret | None = None
    observe: bool = False
    artifacts: str | None = None
    issue: bool = False
    in_job: bool = False


def parse_settings(environment: Mapping[str, str]) -> Settings:
    """Read all settings; raise ConfigError that names every missing or wrong one."""
    # One function: each setting is read in one place, and what is wrong told with all the others.
    problems: list[str] = []
    token = _text(environment, "TOKEN")
    if not token:
        problems.append(
            "NOMINATION_BOT_TOKEN is missing: set it to the bot's access token"
            + _hint(environment, *FOREIGN_TOKENS)
        )
    _check_token("TOKEN", token, problems)
    admin_token = _text(environment, "ADMIN_TOKEN")
    _check_token("ADMIN_TOKEN", admin_token, problems)
    url = (_text(environment, "GITLAB_URL") or environment.get("CI_SERVER_URL", "")).strip()
    if not _is_web_address(url):
        problems.append(
            "NOMINATION_BOT_GITLAB_URL (default CI_SERVER_URL) is "
            + ("missing" if not url else "not an http(s) address")
            + ": set it to GitLab's address, such as https://gitlab.com"
            + _hint(environment, *FOREIGN_ADDRESSES)
        )
    team_project, word = _scope(environment, problems)
    gate = _text(environment, "GATE") or GATES[0]
    if gate not in GATES:
        problems.append(f"NOMINATION_BOT_GATE is {gate!r}: use one of {', '.join(GATES)}")
    former = _numbers(_text(environment, "FORMER_IDS"), problems)
    deadline = _seconds(_text(environment, "DEADLINE") or "120", problems)
    _check_project(team_project, problems)
    observe = _switch("OBSERVE", environment, problems)
    project = _text(environment, "PROJECT") or environment.get("CI_PROJECT_PATH", "").strip()
    issue = _switch("ISSUE", environment, problems)
    if issue and not project:
        problems.append(
            "NOMINATION_BOT_ISSUE is true, but NOMINATION_BOT_PROJECT (default CI_PROJECT_PATH) is "
            "missing: set it to the project that the issue belongs in"
        )
    if problems:
        raise ConfigError("\n".join(map(_sentence, problems)))
    return Settings(
        token=Secret(token),
        gitlab_url=url.rstrip("/"),
        team_project=team_project,
        policies=_text(environment, "POLICIES") or None,
        gate=gate,
        word=word,
        status_name=_text(environment, "STATUS_NAME") or "nomination-bot",
        templates=_text(environment, "TEMPLATES") or None,
        former_ids=former,
        deadline=deadline,
        contact=" ".join(_text(environment, "CONTACT").split()),
        docs_url=_own_page(environment, "CI_PROJECT_URL"),
        job_url=_own_page(environment, "CI_JOB_URL"),
        project=project or None,
        admin_token=Secret(admin_token, "NOMINATION_BOT_ADMIN_TOKEN") if admin_token else None,
        observe=observe,
        artifacts=_text(environment, "ARTIFACTS") or None,
        issue=issue,
        in_job=environment.get("GITLAB_CI") == "true",  # doc/ci/variables/predefined_variables.md
    )


def find_chosen(environment: Mapping[str, str]) -> dict[str, str]:
    """Return what the operator chose otherwise than the default, by the settings' names.

    Tokens are left out, and what jobs learn from GitLab.
    """
    apart = {"TOKEN", "ADMIN_TOKEN", "PROJECT", "GITLAB_URL"}
    chosen = {}
    for setting in SETTINGS:
        value = environment.get(setting.name, "").strip()
        short = setting.name.removeprefix("NOMINATION_BOT_")
        if value and value != setting.default and short not in apart:
            chosen[setting.name] = value
    return chosen


def _scope(environment: Mapping[str, str], problems: list[str]) -> tuple[str, str]:
    try:
        return parse_scope(environment)[:2]
    except ConfigError as error:
        problems += str(error).splitlines()
        return DEFAULT_TEAM_PROJECT, DEFAULT_WORD


def _check_token(name: str, token: str, problems: list[str]) -> None:
    # A header cannot carry these, and the error of the HTTP library may show the token.
    if not token.isascii() or not token.isprintable() or " " in token:
        problems.append(f"NOMINATION_BOT_{name} holds characters that no access token has")


def _sentence(problem: str) -> str:
    return problem if problem.endswith("?") else f"{problem}."


def _hint(environment: Mapping[str, str], *names: str) -> str:
    """Say which variables of other tools are set, because the bot reads none of them."""
    found = [name for name in names if environment.get(name, "").strip()]
    if not found:
        return ""
    several = " and ".join(found)
    verb = "is" if len(found) == 1 else "are"
    why = " (a job token cannot write comments)" if "CI_JOB_TOKEN" in found else ""
    return f"; {several} {verb} set, but the bot does not read that{why}"


def _own_page(environment: Mapping[str, str], name: str) -> str:
    """Return a page of the bot's project, unless only some of the comment's readers can see it."""
    url = environment.get(name, "").strip()
    is_public = environment.get("CI_PROJECT_VISIBILITY", "public") == "public"
    return url if is_public and _is_web_address(url) else ""


def _text(environment: Mapping[str, str], name: str) -> str:
    return environment.get(f"NOMINATION_BOT_{name}", "").strip()


def _switch(name: str, environment: Mapping[str, str], problems: list[str]) -> bool:
    value = _text(environment, name).casefold() or "false"
    if value not in {"true", "false"}:
        problems.append(f"NOMINATION_BOT_{name} is {value!r}: use true or false")
    return value == "true"


def _is_web_address(url: str) -> bool:
    scheme, _, rest = url.partition("://")
    host = rest.partition("/")[0]
    # Paths are put behind it, and an account in it would be shown in messages.
    odd = any(c in "@?#" or c.isspace() for c in rest)
    return scheme in {"http", "https"} and bool(host) and not odd


def _check_project(project: str, problems: list[str]) -> None:
    if not _is_number(project) and ("/" not in project or not all(project.split("/"))):
        problems.append(
            f"NOMINATION_BOT_TEAM_PROJECT is {project!r}: use an id or a path such as group/project"
        )


def _numbers(text: str, problems: list[str]) -> frozenset[int]:
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not all(_is_number(part) for part in parts):
        problems.append(f"NOMINATION_BOT_FORMER_IDS is {text!r}: use numbers separated by commas")
        return frozenset()
    return frozenset(int(part) for part in parts)


def _seconds(text: str, problems: list[str]) -> float:
    if _is_number(text) and int(text) in DEADLINES:
        return float(text)
    problems.append(f"NOMINATION_BOT_DEADLINE is {text!r}: use whole seconds from 5 to 3600")
    return 0.0


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= MOST_DIGITS
