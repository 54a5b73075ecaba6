"""Say why GitLab could not be reached: each reason has another next step.

The libraries wrap the true error several times; it is found by its class in that chain.
"""

import socket
import ssl
from collections.abc import Iterator

WAIT = "check NOMINATION_BOT_GITLAB_URL, or wait for the next event or sweep"
SLOW = "it did not answer in time"
PROXY = "check HTTPS_PROXY, HTTP_PROXY and NO_PROXY"
BOTH = "check NOMINATION_BOT_GITLAB_URL, HTTPS_PROXY, HTTP_PROXY and NO_PROXY"
# The first that is found counts. A text is part of the name of a library's own class.
REASONS: tuple[tuple[type | str, str, str], ...] = (
    (
        socket.gaierror,
        "its name is not known",
        "check NOMINATION_BOT_GITLAB_URL and the DNS of this machine",
    ),
    (
        ssl.SSLCertVerificationError,
        "its certificate is not trusted",
        "set REQUESTS_CA_BUNDLE to a file with the certificates of your own authority",
    ),
    (
        ssl.SSLError,
        "it does not speak TLS as expected",
        "check whether the address begins with http://",
    ),
    (
        ConnectionRefusedError,
        "nothing listens there",
        "check the host and port of NOMINATION_BOT_GITLAB_URL",
    ),
    (TimeoutError, SLOW, WAIT),
    ("Timeout", SLOW, WAIT),
)


def explain_unreachable(error: BaseException, url: str, proxy: str = "") -> str:
    """Return one sentence: what failed, at GitLab or at the `proxy` before it, and the next step.

    What happens between us and a proxy says nothing about GitLab.
    """
    chain = list(_chain(error))
    reason, step = _find_reason(chain)
    if any(_is(each, "ProxyError") for each in chain):
        reason, step = f"the proxy{proxy and f' {proxy}'} refuses, {reason}".rstrip(", "), PROXY
    elif proxy and reason in {"", SLOW}:
        reason, step = f"{reason or 'it broke off'}, through the proxy {proxy}", BOTH
    words = f": {reason}" if reason else ""
    return f"GitLab at {url} cannot be reached ({type(error).__name__}){words}; {step}."


def _find_reason(chain: list[BaseException]) -> tuple[str, str]:
    for kind, reason, step in REASONS:
        if any(_is(each, kind) for each in chain):
            return reason, step
    return "", WAIT


def _is(error: BaseException, kind: type | str) -> bool:
    if isinstance(kind, str):
        return kind in type(error).__name__
    return isinstance(error, kind)


def _chain(error: BaseException) -> Iterator[BaseException]:
    waiting: list[object] = [error]
    seen: set[int] = set()
    while waiting:
        each = waiting.pop()
        if isinstance(each, BaseException) and id(each) not in seen:
            seen.add(id(each))
            yield each
            waiting += [getattr(each, "reason", None), each.__cause__, each.__context__, *each.args]
