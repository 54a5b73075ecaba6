"""The few errors a person can act on."""
# More of them than exit codes: a caller makes something else of each that it catches, such as to
# look before it writes again, or to pass over what is missing.


class BotError(Exception):
    """An expected failure; its message says what, where, and the next step."""


class ConfigError(BotError):
    """A setting in the environment or on the command line is missing or wrong."""


class PolicyError(BotError):
    """A policy file does not say what a policy must say."""


class TeamDatabaseError(BotError):
    """A file of the team database cannot be read as what it should be."""


class GitLabError(BotError):
    """GitLab failed, or answered something unusable."""


class UnreachableError(GitLabError):
    """No answer of GitLab's came back; `str` says why, and the next step."""


class RefusedError(GitLabError):
    """GitLab refused a request; `code` is the HTTP status, `advice` says what to check."""

    def __init__(self, code: int, words: str, request: str, advice: str = "") -> None:
        reason = "; ".join(filter(None, (words or "no reason given", advice)))
        super().__init__(f"GitLab answered {code} to {request}: {reason}")
        self.code = code
        self.words = words
        self.advice = advice


class AbsentError(RefusedError):
    """GitLab answered 404: what was asked for is not there, or not for this account."""


class MissingError(GitLabError):
    """A merge request that does not exist, perhaps not yet, or that the token cannot read."""


class DoubtfulWriteError(GitLabError):
    """A write may or may not have landed: look before writing again."""
