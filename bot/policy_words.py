"""The single values of a policy: what each may look like, and how that is said to people."""

from bot.policy_shapes import Choice, Text, Whole

LEVELS = {
    "guest": 10,
    "planner": 15,
    "reporter": 20,
    "developer": 30,
    "maintainer": 40,
    "owner": 50,
}
ACTORS = ("nominee", "manager", "maintainer", "owner", "anyone")

_SEGMENT = "[A-Za-z0-9_][A-Za-z0-9_.-]*"
_NO_WAY_UP = r"(?!(.*/)?\.\.(/|$))"

LINE = Text(
    says="one sentence or more, at most 1000 characters, without control characters",
    pattern=r"^(?=[\s\S]*\S)[^\u0000-\u0008\u000b-\u001f\u007f]*$",
    longest=1000,
    fold=True,
)
ID = Text(
    says="lower-case letters, digits and hyphens, a letter first; not the word `all`",
    pattern="^(?!all$)[a-z][a-z0-9-]*$",
    longest=60,
)
VERSION = Text(says="letters, digits, `.`, `_` and `-`", pattern=f"^{_SEGMENT}$", longest=40)
KEY = Text(says="a key of `projects` in a team entry", pattern=f"^{_SEGMENT}$", longest=100)
ROLE = Text(
    says="the first word of a role, in lower case, such as maintainer",
    pattern="^[a-z][a-z0-9_-]*$",
    longest=60,
)
URL = Text(
    says="an https:// address without user name, blanks, quotes or brackets",
    pattern=r"^https://[A-Za-z0-9.-]+(:[0-9]+)?([/?#][A-Za-z0-9._~:/?#@!$&*+,;=%-]*)?$",
    longest=500,
)
GROUP = Text(
    says="the full path of a group, such as gitlab-org/maintainers/ai-gateway",
    pattern=f"^{_NO_WAY_UP}{_SEGMENT}(/{_SEGMENT})*$",
)
PROJECT = Text(
    says="the full path of a project, such as gitlab-org/gitlab",
    pattern=f"^{_NO_WAY_UP}{_SEGMENT}(/{_SEGMENT})+$",
)
PATH = Text(
    says="a path inside the repository, without `..` and without a leading `/`",
    pattern=rf"^{_NO_WAY_UP}[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*$",
)
GLOB = Text(
    says="a path inside the repository that ends in .yml or .yaml; `*` stands for any part of"
    " one name, `**` and `..` are not allowed",
    pattern=rf"^{_NO_WAY_UP}(?!.*\*\*)[A-Za-z0-9_.*-]+(/[A-Za-z0-9_.*-]+)*\.ya?ml$",
)
REF = Text(
    says="the name of a branch",
    pattern=r"^(?!.*\.\.)[A-Za-z0-9_][A-Za-z0-9_./-]*$",
    longest=100,
)
WORD = Text(
    says="a key or value of that file", pattern=r"^[A-Za-z0-9_$@.][A-Za-z0-9_$@./-]*$", longest=100
)
COUNT = Whole(least=1)
LEVEL = Choice(words=LEVELS)
ACTOR = Choice(words={actor: actor for actor in ACTORS})
