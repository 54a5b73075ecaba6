"""Write the board's pages: the words are in templates, everything in them is escaped."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from markupsafe import Markup, escape

from bot.errors import ConfigError
from bot.inert import diff_line, log_line
from bot.report.turns import count_days

# The names are fixed: nothing that is read from GitLab becomes the name of a file.
PAGES = {
    "index.html": "board/index.html.j2",
    "feed.xml": "board/feed.xml.j2",
    "style.css": "board/style.css",
}
DATA = "board.json"
LIMIT = 500  # characters of one text


def write_site(told: Mapping[str, Any], directory: str | None) -> Mapping[str, str]:
    """Return the files of a board, by name.

    Raises ConfigError where a template of the operator's cannot be used.
    """
    from bot.report import templating  # noqa: PLC0415  only the board needs it here

    places = [directory] if directory else []
    environment = templating.make_environment(places, _make_printable, keep_newline=True)
    environment.filters |= {
        "day": lambda time: str(time)[:10],
        "days_until": _count_days,
        "address": _address,
        "diff": _show_diff,
    }
    files = {DATA: json.dumps(told, indent=2) + "\n"}
    for name, template in PAGES.items():
        try:
            files[name] = environment.get_template(template).render(board=told)
        except (templating.TemplateError, OSError, ValueError, TypeError) as error:
            raise ConfigError(f"The template {template} cannot be used: {error}.") from None
    return files


def _make_printable(value: object) -> object:
    """Show what does not print as an escape: it could hide or turn round what stands beside."""
    if isinstance(value, Markup) or not isinstance(value, str):
        return value
    return log_line(value, LIMIT) if value else value


def _count_days(since: str, until: str) -> str:
    return count_days(datetime.fromisoformat(since), datetime.fromisoformat(until))


def _address(url: str) -> str:
    """Return an address of the web; anything else leads nowhere."""
    return url if url.startswith(("https://", "http://")) else "#"


def _show_diff(text: str) -> Markup:
    """Return a diff as text of a page, with the blanks at the beginning of its lines."""
    return escape("\n".join(map(diff_line, text.splitlines())))
