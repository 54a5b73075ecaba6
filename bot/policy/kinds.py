"""The kinds of requirement and follow-up: a row each."""

from bot.policy import values as say
from bot.policy.records import tabulate

RULES = tabulate(
    say.AuthoredMergeRequests,
    say.ReviewedMergeRequests,
    say.AuthoredOrReviewed,
    say.Attested,
    say.Assigned,
    say.ApprovedBy,
    say.OpenFor,
    say.RoleHeld,
)
CHECKS = tabulate(say.GroupMember, say.ListedIn, say.Manual)
