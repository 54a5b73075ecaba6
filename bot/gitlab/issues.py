"""The issues of a project that the bot itself has written."""

from datetime import datetime

from bot.gitlab.answers import Json, known_shape
from bot.gitlab.rest import escape_path, read_pages
from bot.gitlab.transport import Transport
from bot.values import dataclass

PAGES = 5  # of 100 open issues of the bot's each; it keeps one


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """An open issue of the bot's."""

    iid: int
    title: str
    description: str
    created_at: datetime
    web_url: str


class Issues:
    """Reads and writes the bot's issues in one project.

    Guest is enough for that: a guest may open an issue, and make it confidential while doing so
    (app/policies/issue_policy.rb, `~persisted & can?(:create_issue)`); its author may change and
    close it (app/policies/issuable_policy.rb, `assignee_or_author`).
    """

    def __init__(self, transport: Transport, project: str) -> None:
        self._transport = transport
        self._path = f"/projects/{escape_path(project)}/issues"

    def fetch_open(self) -> list[Issue]:
        """List the open issues that the bot has opened, the oldest first."""
        with known_shape():
            me = int(self._transport.fetch_object("/user")["id"])
            rows = read_pages(
                self._transport, self._path, PAGES,
                author_id=str(me), state="opened", order_by="created_at", sort="asc",
            )  # fmt: skip
            return [_read(row) for row in rows if row["author"]["id"] == me]

    def create(self, title: str, description: str) -> str:
        """Open an issue for members alone; return its address.

        Raises DoubtfulWriteError if it may have been opened.
        """
        fields = {"title": title, "description": description, "confidential": True}
        return str(self._transport.create(self._path, fields).get("web_url") or "")

    def change(self, iid: int, description: str, *, close: bool = False) -> None:
        """Replace the text of an issue, and close it where that is asked for."""
        fields = {"description": description} | ({"state_event": "close"} if close else {})
        self._transport.change("put", f"{self._path}/{iid}", fields)


def _read(row: Json) -> Issue:
    return Issue(
        iid=int(row["iid"]),
        title=str(row["title"]),
        description=str(row.get("description") or ""),
        created_at=datetime.fromisoformat(row["created_at"]),
        web_url=str(row["web_url"]),
    )
