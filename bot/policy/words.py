"""The single values of a policy: what each may look like, and how that is said to people."""

from bot.policy.grammar import Choice, Text, Whole, whole

LEVELS = {  # as in lib/gitlab/access.rb
    "guest": 10,
    "planner": 15,
    "reporter": 20,
    "developer": 30,
    "maintainer": 40,
    "owner": 50,
}
ACTORS = ("nominee", "manager", "maintainer", "owner", "anyone")

_SEGMENT = "[A-Za-z0-9_][A-Za-z0-9_.-]*"
_PART = "[A-Za-z0-9_.-]+"
_NO_WAY_UP = r"(?!(.*/)?\.\.(?![^/]))"
_NO_DOTS = r"(?!(.*/)?\.\.?(?![^/]))"
_CONTROL = r"\u0000-\u0008\u000b-\u001f\u007f-\u009f"

LINE = Text(
    says="one sentence or more, at most 1000 characters, without control characters",
    # Python and ECMAScript disagree on whether a byte order mark is a blank: here it is one.
    pattern=whole(rf"(?=[\s\S]*[^\s\ufeff])[^{_CONTROL}]*"),
    longest=1000,
    fold=True,
)
ID = Text(
    says="lower-case letters, digits and hyphens, a letter first; not the word `all`",
    pattern=whole("(?!all(?![a-z0-9-]))[a-z][a-z0-9-]*"),
    longest=60,
)
VERSION = Text(says="letters, digits, `.`, `_` and `-`", pattern=whole(_SEGMENT), longest=40)
KEY = Text(says="a key of `projects` in a team entry", pattern=whole(_SEGMENT), longest=100)
ROLE = Text(
    says="the first word of a role, in lower case, such as maintainer",
    pattern=whole("[a-z][a-z0-9_-]*"),
    longest=60,
)
URL = Text(
    says="an https:// address without user name, blanks, quotes or brackets",
    pattern=whole(r"https://[A-Za-z0-9.-]+(:[0-9]+)?([/?#][A-Za-z0-9._~:/?#@!$&*+,;=%-]*)?"),
    longest=500,
)
GROUP = Text(
    says="the full path of a group, such as group/maintainers/project",
    pattern=whole(f"{_NO_WAY_UP}{_SEGMENT}(/{_SEGMENT})*"),
)
PROJECT = Text(
    says="the full path of a project, such as gitlab-org/gitlab",
    pattern=whole(f"{_NO_WAY_UP}{_SEGMENT}(/{_SEGMENT})+"),
)
PATH = Text(
    says="a path inside the repository, without `..` and without a leading `/`",
    pattern=whole(f"{_NO_WAY_UP}{_PART}(/{_PART})*"),
)
# Whatever else looks for team entries starts at that folder and goes exactly one deeper.
GLOB = Text(
    says="a folder and then `/*/*.yml`, such as data/team_members/person/*/*.yml; the folder is"
    " written out, without `*`, `.` or `..` as a part and without a leading `/`",
    pattern=whole(rf"{_NO_DOTS}{_PART}(/{_PART})*/\*/\*\.yml"),
)
REF = Text(
    says="the name of a branch",
    pattern=whole(r"(?!.*\.\.)[A-Za-z0-9_][A-Za-z0-9_./-]*"),
    longest=100,
)
WORD = Text(
    says="a key or value of that file",
    pattern=whole("[A-Za-z0-9_$@.][A-Za-z0-9_$@./-]*"),
    longest=100,
)
COUNT = Whole(least=1, most=100)  # merge requests are read in one page, and GitLab's end at 100
LEVEL = Choice(words=LEVELS)
ACTOR = Choice(words={actor: actor for actor in ACTORS})
