"""Nomination bot: one trustworthy comment on who is ready to be a maintainer."""
