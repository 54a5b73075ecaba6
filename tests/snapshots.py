"""Write what GitLab shows after a step as files, to compare with those that were blessed."""

import json
import re
from collections.abc import Mapping

from bot.sandbox.story.steps import Outcome

PUBLIC_URL = "https://gitlab.example.com"
_CLOCK = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d(?::\d\d)?(?:Z| UTC)?")


def snapshot(outcome: Outcome, url: str) -> Mapping[str, str]:
    """Write an outcome as files to compare: the comments as Markdown, the rest as JSON.

    What differs from run to run is made equal: the sandbox's address `url` and the clock.
    """
    name = f"{outcome.step.number:02}-{_slug(outcome.step.title)}"
    facts = {
        "title": outcome.step.title,
        "state": outcome.state,
        "gate": [
            {"name": each.name, "state": each.state, "description": each.description}
            for each in outcome.gate
        ],
        "emoji": [{"note": note, "emoji": emoji} for note, emoji in outcome.emoji],
        "to_dos": [{"for": name, "state": state} for name, state in outcome.told],
        "jobs": [
            {
                "name": each.job.name,
                "exit_code": each.exit_code,
                "api_calls": each.api_calls,
                "log": [line for line in each.shown_log.splitlines() if not _is_runners(line)],
            }
            for each in outcome.jobs
        ],
        "refusal": outcome.refusal,
    }
    comments = "\n\n<!-- next comment -->\n\n".join(outcome.comments)
    files = {
        f"{name}.md": comments + "\n" if comments else "",
        f"{name}.json": json.dumps(facts, indent=2, ensure_ascii=False) + "\n",
    }
    return {path: _settled(text, url) for path, text in files.items() if text}


def _slug(title: str) -> str:
    return "-".join(re.findall(r"[a-z0-9]+", title.casefold()))[:60].rstrip("-")


def _is_runners(line: str) -> bool:
    """Return whether a line of a log was written by the runner, not by the job."""
    return line.startswith(("$ ", "ERROR: Job failed", "Job succeeded"))


def _settled(text: str, url: str) -> str:
    return _CLOCK.sub("(time)", text.replace(url, PUBLIC_URL))
