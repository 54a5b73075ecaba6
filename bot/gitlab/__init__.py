"""The door to GitLab; the only importer of python-gitlab and tenacity.

Here is what asks a first question. The rest is imported when it is asked for.
"""

from importlib.util import find_spec
from typing import TYPE_CHECKING

from bot.gitlab.ahead import ask_ahead as ask_ahead
from bot.gitlab.transport import Transport as Transport

if TYPE_CHECKING:
    from bot.gitlab.whole import *  # noqa: F403 (all that `__all__` there names)
else:

    def __getattr__(name):
        """Return what the rest of the room offers by this name; its modules are found without."""
        if find_spec(f"{__name__}.{name}"):
            raise AttributeError(name)
        from bot.gitlab import whole  # noqa: PLC0415 (when it is asked for)

        return getattr(whole, name)
