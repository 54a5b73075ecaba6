"""Scenarios: how a world begins, and what happens in it."""
