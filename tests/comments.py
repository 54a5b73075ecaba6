"""Read a single comment as the bot reads many."""

from bot.commands.text import NOTHING, Request, read_comments


def parse_commands(body: str, word: str) -> tuple[Request, ...]:
    """Find the commands of a comment."""
    return read_comments((body,), word).get(body, NOTHING).requests
