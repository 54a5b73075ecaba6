"""The policy language with all its kinds, and the files that are written in it."""

from bot.rulebook.loading import check_policies, load_policies, load_sound

__all__ = ["check_policies", "load_policies", "load_sound"]
