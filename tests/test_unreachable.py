"""Why GitLab cannot be reached is told apart, and private authorities and proxies are followed."""

import socket
import ssl
import threading
from pathlib import Path

import pytest

from bot import config
from bot.config import Secret
from bot.errors import GitLabError
from bot.gitlab import transport as sending
from bot.gitlab.transport import Transport
from bot.gitlab.unreachable import explain_unreachable
from bot.sandbox.http.server import Server
from tests.event_bodies import TEAM_PROJECT, make_merge_request_body
from tests.nomination_world import SECRET, TEAM, make_world, settings
from tests.processes import run_here, write_payload
from tests.raw_server import RawServer, Script, answer, free_port, hang, raw_server, saying

TLS = Path(__file__).parent / "tls"
VERSION = answer(
    "401 Unauthorized", b'{"message":"401 Unauthorized"}', "Content-Type: application/json"
)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Try again at once, and read none of this machine's own settings."""
    monkeypatch.setattr(Transport, "first_pause", 0.01)
    for name in ("HTTP_PROXY", "NO_PROXY", "REQUESTS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


def check(url: str, **environment: str) -> str:
    """Run a command that must fail, with variables that libraries read; return what it said."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        done = run_here(
            "check",
            f"{TEAM}!1",
            **{"NOMINATION_BOT_DEADLINE": "5", **settings(url), **environment},
        )
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert SECRET not in line
    return line


def speaking_tls(script: Script) -> RawServer:
    """Serve a script with a certificate of a private authority."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(TLS / "server.pem", TLS / "server.key")
    return RawServer(
        script, wrap=lambda connection: context.wrap_socket(connection, server_side=True)
    )


def test_an_unknown_name() -> None:
    said = check("http://gitlab.invalid")
    assert "its name is not known" in said
    assert "DNS" in said


def test_a_refused_connection() -> None:
    assert "nothing listens there" in check(f"http://127.0.0.1:{free_port()}")


def test_no_answer_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(config, "DEADLINES", [1])
    with raw_server(hang) as server:
        said = check(server.url, NOMINATION_BOT_DEADLINE="1")
    assert "it did not answer in time" in said


def test_an_untrusted_certificate_and_how_it_becomes_trusted() -> None:
    server = speaking_tls(saying(VERSION))
    try:
        url = server.url.replace("http:", "https:")
        said = check(url)
        assert "its certificate is not trusted" in said
        assert "REQUESTS_CA_BUNDLE" in said
        trusting = check(url, REQUESTS_CA_BUNDLE=str(TLS / "ca.pem"))
        assert "answered 401" in trusting or "NOMINATION_BOT_TOKEN" in trusting
    finally:
        server.stop()


def test_whom_to_trust_is_read_once_and_names_are_still_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trusted = tmp_path / "ca.pem"
    trusted.write_bytes((TLS / "ca.pem").read_bytes())
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(trusted))
    version = answer("200 OK", b"{}", "Content-Type: application/json")
    server = speaking_tls(saying(version))  # each over a connection of its own
    url = server.url.replace("http:", "https:")
    transports = [Transport(each, Secret(SECRET), 2, 60) for each in (url, url)]
    other = Transport(url.replace("127.0.0.1", "127.1"), Secret(SECRET), 2, 60)
    try:
        first, second = transports
        assert first.fetch_object("/version") == {}
        trusted.write_text("not a certificate")
        assert first.fetch_object("/version") == {}
        with pytest.raises(GitLabError, match="SSLError"):
            second.fetch_object("/version")
        trusted.write_bytes((TLS / "ca.pem").read_bytes())
        with pytest.raises(GitLabError, match="its certificate is not trusted"):
            other.fetch_object("/version")
    finally:
        server.stop()
        for transport in (*transports, other):
            transport.close()


def test_a_proxy_that_speaks_tls_is_trusted_as_gitlab_is() -> None:
    proxy = speaking_tls(saying(answer("403 Forbidden", b"")))
    try:
        ways = {"HTTPS_PROXY": proxy.url.replace("http:", "https:")}
        check("https://gitlab.invalid", **ways, REQUESTS_CA_BUNDLE=str(TLS / "ca.pem"))
        assert proxy.requests[0].startswith(b"CONNECT gitlab.invalid:443 ")
        asked = len(proxy.requests)
        check("https://gitlab.invalid", **ways)
        assert len(proxy.requests) == asked
    finally:
        proxy.stop()


def test_plain_http_where_tls_was_expected() -> None:
    with Server(make_world().world) as server:
        said = check(server.url.replace("http:", "https:"))
    assert "does not speak TLS" in said


def test_a_proxy_is_followed_but_for_what_is_excepted() -> None:
    with raw_server(saying(VERSION)) as proxy:
        said = check("http://gitlab.invalid", HTTP_PROXY=proxy.url)
        assert "NOMINATION_BOT_TOKEN" in said
        assert proxy.requests[0].startswith(b"POST http://gitlab.invalid/api/graphql ")
        asked = len(proxy.requests)
        check("http://gitlab.invalid", HTTP_PROXY=proxy.url, NO_PROXY="gitlab.invalid")
        assert len(proxy.requests) == asked


def test_a_proxy_that_does_not_answer() -> None:
    proxy = f"http://127.0.0.1:{free_port()}"
    said = check("http://gitlab.invalid", HTTP_PROXY=proxy)
    assert "the proxy" in said
    assert "NO_PROXY" in said


COMMANDS = ("doctor", "init", "init --apply", "ready nominee", "board", "drift", "sweep", "run")


@pytest.fixture
def brief(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for a first answer as long as a test can."""
    monkeypatch.setattr(Transport, "contact_seconds", 0.1)
    monkeypatch.setattr(sending, "REQUEST_SECONDS", 0.15)


def fail(command: str, url: str, directory: Path, proxy: str = "") -> str:
    """Run any command that cannot reach GitLab; return the one line that it says."""
    given = settings(url) | {
        "NOMINATION_BOT_ADMIN_TOKEN": f"{SECRET}-too",
        "NOMINATION_BOT_PROJECT": "a/bot",
    }
    if command == "run":
        given["NOMINATION_BOT_TEAM_PROJECT"] = TEAM_PROJECT
        given["TRIGGER_PAYLOAD"] = str(write_payload(directory, make_merge_request_body("open")))
    where = ["--output", str(directory / "site")] if command == "board" else []
    with pytest.MonkeyPatch.context() as patch:
        for name in ("HTTP_PROXY", "HTTPS_PROXY"):
            patch.setenv(name, proxy)
        done = run_here(*command.split(), *where, **given)
    assert done.returncode == 1
    assert command == "sweep" or done.stdout == ""
    assert not (directory / "site").exists()
    (line,) = done.stderr.splitlines()
    assert SECRET not in line
    assert "secret-of-the-proxy" not in line
    return line


@pytest.mark.sample(1)
@pytest.mark.usefixtures("brief")
@pytest.mark.parametrize("command", COMMANDS)
def test_a_proxy_that_is_dead_is_said_once(command: str, tmp_path: Path) -> None:
    place = f"127.0.0.1:{free_port()}"
    proxy = f"http://bot:secret-of-the-proxy@{place}"
    said = fail(command, "https://gitlab.invalid", tmp_path, proxy)
    assert f"the proxy http://{place} refuses, nothing listens there; check HTTPS_PROXY" in said


@pytest.mark.sample(3)
@pytest.mark.usefixtures("brief")
@pytest.mark.parametrize("command", COMMANDS)
def test_a_gitlab_that_is_silent_is_asked_once(command: str, tmp_path: Path) -> None:
    with raw_server(hang) as server:
        said = fail(command, server.url, tmp_path)
        # Some commands send two requests at a time.
        assert len(server.requests) <= 2
    assert f"GitLab at {server.url} cannot be reached (ReadTimeout): it did not answer" in said


@pytest.mark.usefixtures("brief")
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_is_silent_is_named(scheme: str, tmp_path: Path) -> None:
    with raw_server(hang) as proxy:
        said = fail("doctor", f"{scheme}://gitlab.invalid", tmp_path, proxy.url)
        assert len(proxy.requests) == 1
    assert f"it did not answer in time, through the proxy {proxy.url}; check NOM" in said or (
        f"the proxy {proxy.url} refuses, it did not answer in time; check HTTPS_PROXY" in said
    )


@pytest.mark.sample(1)
@pytest.mark.parametrize("command", ["doctor", "init", "drift"])
def test_a_certificate_that_is_not_trusted_is_looked_at_once(command: str, tmp_path: Path) -> None:
    server = speaking_tls(saying(VERSION))
    try:
        said = fail(command, server.url.replace("http:", "https:"), tmp_path)
    finally:
        server.stop()
    assert "its certificate is not trusted; set REQUESTS_CA_BUNDLE" in said


@pytest.mark.parametrize("command", ["doctor", "init --apply"])
def test_a_gitlab_that_is_down_behind_its_own_proxy_is_asked_once(
    command: str, tmp_path: Path
) -> None:
    with raw_server(saying(answer("502 Bad Gateway", b"<html>"))) as server:
        said = fail(command, server.url, tmp_path)
        assert len(server.requests) == 6
    assert f"GitLab at {server.url} does not work: GitLab answered 502" in said


@pytest.mark.usefixtures("brief")
@pytest.mark.parametrize("how", [answer("500 Oh", b"{}"), None])
def test_a_gitlab_that_goes_away_meanwhile_ends_the_doctor(
    how: bytes | None,
) -> None:
    fine = answer("200 OK", b'{"username": "bot", "id": 1}', "Content-Type: application/json")
    left = [fine, fine]

    def speak(connection: socket.socket, stopped: threading.Event) -> None:
        if left:
            connection.sendall(left.pop())
        elif how:
            connection.sendall(how)
        else:
            stopped.wait()

    with raw_server(speak) as server:
        given = settings(server.url)
        done = run_here("doctor", **given)
        assert len(server.requests) <= 16
    assert done.stdout.startswith("ok           token: of @bot")
    (line,) = done.stderr.splitlines()
    assert f"GitLab at {server.url} " in line


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (TimeoutError("slow"), "it did not answer in time"),
        (ssl.SSLError("odd"), "does not speak TLS"),
        (OSError("odd"), "(OSError); check NOMINATION_BOT_GITLAB_URL"),
    ],
)
def test_errors_without_a_wrapper_are_known_too(error: Exception, said: str) -> None:
    assert said in explain_unreachable(error, "http://x")


def test_a_chain_that_bites_its_tail_ends() -> None:
    one, other = OSError("one"), OSError("other")
    one.__cause__, other.__cause__ = other, one
    assert "cannot be reached" in explain_unreachable(one, "http://x")


@pytest.mark.parametrize("behind", ["/api/v4", f"/{TEAM}", "/gitlab"])
def test_an_address_at_which_there_is_no_gitlab(behind: str) -> None:
    world = make_world().world
    world.strict = False
    with Server(world) as server:
        said = check(server.url + behind)
    assert "GitLab's API is not there; check NOMINATION_BOT_GITLAB_URL" in said
    assert "role" not in said


def test_a_proxy_that_wants_to_know_who_asks() -> None:
    with raw_server(saying(answer("407 Proxy Authentication Required", b"who are you?"))) as server:
        assert "name it with account and password, or set NO_PROXY" in check(server.url)


def test_a_page_in_place_of_an_answer() -> None:
    with raw_server(saying(answer("200 OK", b"<html>Sign in</html>"))) as server:
        assert "without JSON; a proxy or a login page may have answered" in check(server.url)


def test_a_gitlab_that_is_too_old() -> None:
    world = make_world().world
    world.lacking = ("MergeRequest.preparedAt",)
    with Server(world) as server:
        said = check(server.url)
    assert "preparedAt" in said
    assert said.endswith("`nomination-bot doctor` names what it lacks")
    ruby = b'{"errors": [{"message": "Field \'x\' doesn\'t exist on type \'Note\'"}]}'
    with raw_server(saying(answer("200 OK", ruby))) as server:
        assert "it may be too old" in check(server.url)
    busy = b'{"errors": [{"message": "Query has complexity of 255"}]}'
    with raw_server(saying(answer("200 OK", busy))) as server:
        assert "too old" not in check(server.url)
