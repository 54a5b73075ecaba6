"""Say whether a username is in a list of another repository's file, and how to add it."""

from bot.listing.document import UnreadableListing as UnreadableListing
from bot.listing.editing import (
    add_name as add_name,
    propose_edit as propose_edit,
    propose_removal as propose_removal,
)
from bot.listing.reading import (
    Listing as Listing,
    is_listed as is_listed,
    read_listing as read_listing,
)
from bot.listing.selection import EntrySelector as EntrySelector, ListingSpec as ListingSpec
