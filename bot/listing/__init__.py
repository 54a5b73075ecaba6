"""Say whether a username is in a list of another repository's file, and how to add it."""

from bot.listing.document import UnreadableListing
from bot.listing.editing import add_name, propose_edit, propose_removal
from bot.listing.reading import Listing, is_listed, read_listing
from bot.listing.selection import EntrySelector, ListingSpec

__all__ = [
    "EntrySelector",
    "Listing",
    "ListingSpec",
    "UnreadableListing",
    "add_name",
    "is_listed",
    "propose_edit",
    "propose_removal",
    "read_listing",
]
