"""Git over smart HTTP: `git http-backend` over the repositories of the world.

lib/gitlab/git_access.rb and app/controllers/repositories: who may read and write, and how it is
said; gitprotocol-http for the rest.
"""

# One module: one request of git is read, judged, run and followed up, in this order.

import gzip
import re
from collections.abc import Mapping
from contextlib import suppress
from urllib.parse import urlencode

from werkzeug.datastructures import Headers
from werkzeug.wrappers import Request

from bot.sandbox.acts import actions
from bot.sandbox.acts.actions import MergeRequestDraft, MergeRequestUpdate
from bot.sandbox.rest.app import authenticate, raw_path
from bot.sandbox.rest.core import Answer
from bot.sandbox.rest.people_entities import web_url
from bot.sandbox.rest.releases import NO_TAG, may_make_tag
from bot.sandbox.world.access import can_push, can_read, can_read_code
from bot.sandbox.world.entities import Project, User
from bot.sandbox.world.git_mirror import Mirror
from bot.sandbox.world.git_objects import NOTHING
from bot.sandbox.world.state import RefusedError, World

PATH = re.compile(r"/(?P<project>.+?)(?:\.git)?/(?P<rest>info/refs|git-(?:upload|receive)-pack)")
READERS = frozenset({"api", "read_repository", "write_repository"})
WRITERS = frozenset({"api", "write_repository"})
Options = Mapping[str, list[str]]  # about merge requests: a name may come again
HEADS, TAGS, OPTION = "refs/heads/", "refs/tags/", "merge_request."
GZIP = b"\x1f\x8b"
REALM = {"WWW-Authenticate": 'Basic realm="GitLab"'}
HIDDEN = (
    "The project you were looking for could not be found or you don't have permission to view it."
)
NO_PUSH = "You are not allowed to push code to this project."
# lib/gitlab/git/repository.rb and config of Gitaly: refs that are GitLab's own.
OWN = tuple(
    f"refs/{name}/"
    for name in ("merge-requests", "keep-around", "pipelines", "environments", "tmp", "remotes")
)
PROTECTED = "You are not allowed to push code to protected branches on this project."


class Git:
    """Answer git for a world; nothing else moves it meanwhile, so that no push undoes another."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._mirror: Mirror | None = None

    def close(self) -> None:
        """Remove what lies on disk."""
        if self._mirror is not None:
            self._mirror.close()
            self._mirror = None

    def answer(self, request: Request) -> Answer | None:
        """Answer a request of git; None for any other."""
        found = PATH.fullmatch(raw_path(request.environ))
        if found is None:
            return None
        # Before the lock is taken, so that a slow client holds up nobody.
        given = request.get_data()
        try:
            with self._world.lock:
                return self._serve(request, given, found["project"], found["rest"])
        except RefusedError as refused:
            text = f"{refused}\n".encode()
            headers = REALM if refused.status == 401 else {}  # noqa: PLR2004
            return Answer(
                status=refused.status, headers=headers, raw=text, content_type="text/plain"
            )

    def _serve(self, request: Request, given: bytes, name: str, rest: str) -> Answer:
        world, pushes = self._world, rest == "git-receive-pack"
        writes = request.args.get("service", rest) == "git-receive-pack"
        user = _authenticate(world, request, writes=writes)
        project = _find(world, user, name, writes=writes)
        mirror = self._mirror = self._mirror or Mirror()
        place = mirror.prepare(project)
        moves, options = _read_push(given) if pushes else ([], {})
        refusal = _refuse(world, user, project, moves)
        said = _say(user, project, refusal)
        said["SANDBOX_HINT"] = "\n".join(_hint(world, project, each, options) for each in moves)
        answer = _run(mirror, request, f"/{place.name}/{rest}", said)
        if user and pushes and not refusal:
            for ref, moved in mirror.find_updates(project, place).items():
                sha = mirror.read_commit(project, place, moved) if moved else None
                object_ = None if moved == sha else moved
                actions.receive(world, user, project, ref, (sha, object_))
                if options and sha and ref.startswith(HEADS):
                    _follow(world, user, project, ref.removeprefix(HEADS), options)
        return answer


def _hint(world: World, project: Project, move: list[str], options: Options) -> str:
    """Say what GitLab says of a pushed branch (lib/gitlab/internal/post_receive_response.rb)."""
    _, new, ref = move
    branch = ref.removeprefix(HEADS)
    if not ref.startswith(HEADS) or new == NOTHING or branch == project.default_branch:
        return ""
    known, asked = world.find_open_from(project, branch), "create" in options
    place = known.project if known else project.upstream if asked else project
    page = web_url(world, f"{place.path_with_namespace}/-/merge_requests")
    if known or asked:
        number = known.iid if known else place.next_iid("merge_requests")
        return f"\nView merge request for {branch}:\n  {page}/{number}\n"
    query = urlencode({"merge_request[source_branch]": branch})
    return f"\nTo create a merge request for {branch}, visit:\n  {page}/new?{query}\n"


def _follow(world: World, user: User, project: Project, branch: str, options: Options) -> None:
    """Open or change a merge request as the options of a push say; what is refused is left.

    doc/topics/git/commit.md, "Push options for merge requests";
    app/services/merge_requests/push_options_handler_service.rb
    """
    # One function: a table of push options in two shapes, for a new merge request and an old one.
    mr, commit = world.find_open_from(project, branch), project.repository.find_commit(branch)
    last = {name: values[-1] for name, values in options.items()}
    title = mr.title if mr else commit.title if commit else branch
    title = last.get("title", title)
    if "draft" in options and not title.startswith("Draft: "):
        title = f"Draft: {title}"
    own = [each.name for each in mr.labels] if mr else []
    labels = [*own, *options.get("label", ())]
    labels = [each for each in labels if each not in options.get("unlabel", ())]
    with suppress(RefusedError):
        if mr is None and "create" in options:
            opening = MergeRequestDraft(
                title=title,
                description=last.get("description", ""),
                source_branch=branch,
                target_branch=last.get("target", project.upstream.default_branch),
                source_project=project,
                labels=tuple(labels),
                force_remove_source_branch="remove_source_branch" in options,
            )
            actions.open_merge_request(world, user, project.upstream, opening)
        elif mr is not None:
            update = MergeRequestUpdate(
                title=title,
                description=last.get("description"),
                target_branch=last.get("target"),
                labels=tuple(labels),
                force_remove_source_branch=True if "remove_source_branch" in options else None,
            )
            actions.update_merge_request(world, user, mr, update)


def _run(mirror: Mirror, request: Request, path: str, said: dict[str, str]) -> Answer:
    """Run the CGI program; its head becomes ours."""
    names, body = request.environ, request.get_data()
    environment = said | {
        "GIT_PROJECT_ROOT": str(mirror.root),
        "GIT_HTTP_EXPORT_ALL": "1",
        "PATH_INFO": path,
        "REQUEST_METHOD": request.method,
        "QUERY_STRING": request.query_string.decode(),
        "CONTENT_TYPE": names.get("CONTENT_TYPE", ""),
        "CONTENT_LENGTH": str(len(body)),
        "HTTP_CONTENT_ENCODING": names.get("HTTP_CONTENT_ENCODING", ""),
        "GIT_PROTOCOL": names.get("HTTP_GIT_PROTOCOL", ""),
    }
    head, _, content = mirror.run("http-backend", given=body, further=environment).partition(
        b"\r\n\r\n"
    )
    headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n") if ": " in line)
    status = int(headers.pop("Status", "200").split()[0])
    kind = headers.pop("Content-Type", "text/plain")
    return Answer(status=status, headers=headers, raw=content, content_type=kind)


def _say(user: User | None, project: Project, refusal: str) -> dict[str, str]:
    """Tell git's program who pushes, and its hook what was decided."""
    branches = project.repository.branches
    protected = " ".join(HEADS + b for b in branches if project.guards(b))
    person = {"REMOTE_USER": user.username, "REMOTE_ADDR": "127.0.0.1"} if user else {}
    return {"SANDBOX_REFUSAL": refusal, "SANDBOX_PROTECTED": protected, **person}


def _authenticate(world: World, request: Request, *, writes: bool) -> User | None:
    """Find who calls: a token is the password of whatever name."""
    headers, given = Headers(request.headers), request.authorization
    if given is not None and given.type == "basic":
        password = given.password or ""
        job = any(each.value == password and each.kind == "job" for each in world.tokens)
        headers = Headers([("JOB-TOKEN" if job else "PRIVATE-TOKEN", password)])
    elif writes or headers.get("Authorization", "").casefold().startswith("basic "):
        # Either nothing was given to write with, or what was given cannot be read.
        raise RefusedError(401, "HTTP Basic: Access denied.")
    try:
        token = authenticate(world, headers)
    except RefusedError as refused:
        raise RefusedError(401, "HTTP Basic: Access denied.") from refused
    if token and not set(token.scopes) & (WRITERS if writes else READERS):
        raise RefusedError(403, "HTTP Basic: Access denied.")
    return token.user if token else None


def _find(world: World, user: User | None, name: str, *, writes: bool) -> Project:
    project, today = world.find_project(name), world.now.date()
    if project is None or not can_read(user, project, today):
        raise RefusedError(404 if user else 401, HIDDEN)
    if not can_read_code(user, project, today):
        raise RefusedError(403 if user else 401, "You are not allowed to download code.")
    places = ("", *(each.name for each in project.protected_branches))
    if writes and not any(can_push(user, project, each, today) for each in places):
        raise RefusedError(403, NO_PUSH)
    return project


def _sections(body: bytes) -> list[list[bytes]]:
    """Read a push before its pack: commands, and options, in pkt-lines (gitprotocol-pack)."""
    body, at = gzip.decompress(body) if body[:2] == GZIP else body, 0
    found: list[list[bytes]] = [[]]
    while at + 4 <= len(body) and body[at : at + 4] != b"PACK":
        size = int(body[at : at + 4], 16)
        if size == 0:
            found.append([])
        else:
            found[-1].append(body[at + 4 : at + size])
        at += max(4, size)
    return found


def _read_push(body: bytes) -> tuple[list[list[str]], Options]:
    """Read old, new and ref of what is moved, and the options about merge requests."""
    try:
        commands, *rest = _sections(body)
        told = [line.split(b"\0")[0].decode("utf-8", "replace").strip() for line in commands]
        moves = [line.split(" ", 2) for line in told]
        if any(len(each) != 3 for each in moves):  # noqa: PLR2004  old, new, ref
            raise ValueError(told)
    except (ValueError, OSError, EOFError):
        raise RefusedError(400, "This is no push.") from None
    wanted = b"push-options" in b"".join(commands) and rest
    lines = [line.decode("utf-8", "replace").strip() for line in rest[0]] if wanted else []
    options: dict[str, list[str]] = {}
    for line in lines:
        if line.startswith(OPTION):
            name, _, value = line.removeprefix(OPTION).partition("=")
            options.setdefault(name, []).append(value)
    return moves, options


def _makes_tag(project: Project, new: str, ref: str) -> bool:
    known = {f"{TAGS}{name}" for name in project.repository.tags}
    return ref.startswith(TAGS) and new != NOTHING and ref not in known


def _refuse(world: World, user: User | None, project: Project, moves: list[list[str]]) -> str:
    """Say why a push is refused: "" where it is not (lib/gitlab/checks/branch_check.rb)."""
    today = world.now.date()
    for _, new, ref in moves:
        branch = ref.removeprefix(HEADS)
        if user and _makes_tag(project, new, ref):
            if not may_make_tag(world, user, project, ref.removeprefix(TAGS)):
                return NO_TAG
            continue
        if ref.startswith(OWN):
            return "The given reference cannot be updated."
        if project.protections_of(branch) and new == NOTHING:
            return "You are not allowed to delete protected branches from this project."
        if not can_push(user, project, branch, today):
            return PROTECTED if project.protections_of(branch) else NO_PUSH
    return ""
