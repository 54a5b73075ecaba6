"""What must exist in GitLab, as data: `doctor` reads it, `init` makes it so."""

from bot.setup.doctor import as_json, examine, is_sound, write_line
from bot.setup.ground import Ground, Wanted
from bot.setup.making import apply_changes, plan_changes, rotate
from bot.setup.values import Answer, State
from bot.setup.versions import LEAST, write_version

__all__ = [
    "LEAST",
    "Answer",
    "Ground",
    "State",
    "Wanted",
    "apply_changes",
    "as_json",
    "examine",
    "is_sound",
    "plan_changes",
    "rotate",
    "write_line",
    "write_version",
]
