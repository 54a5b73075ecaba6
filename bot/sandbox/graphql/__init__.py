"""The GraphQL interface; each module registers the fields that it answers."""

from bot.sandbox.graphql import groups, merge_requests, notes, people, projects

__all__ = ["groups", "merge_requests", "notes", "people", "projects"]
