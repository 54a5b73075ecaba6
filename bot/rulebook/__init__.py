"""The policy language with all its kinds, and the files that are written in it."""

from bot.rulebook.loading import (
    check_policies as check_policies,
    load_policies as load_policies,
    load_sound as load_sound,
)
