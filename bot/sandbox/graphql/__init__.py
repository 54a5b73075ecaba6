"""The GraphQL interface; each module registers the fields that it answers."""

from bot.sandbox.graphql import (
    groups as groups,
    merge_requests as merge_requests,
    mutations as mutations,
    notes as notes,
    people as people,
    projects as projects,
)
