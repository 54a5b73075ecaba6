"""A policy that asks for everything that a policy can ask for."""

from bot.policy import values as rules
from tests.builders import GROUP, make_follow_up, make_policy, make_requirement

EVERY_RULE: tuple[rules.Rule, ...] = (
    rules.AuthoredMergeRequests(at_least=2),
    rules.AuthoredMergeRequests(at_least=2, since_role="trainee_maintainer"),
    rules.ReviewedMergeRequests(at_least=2),
    rules.ReviewedMergeRequests(at_least=2, since_role="trainee_maintainer"),
    rules.AuthoredOrReviewed(at_least=2, since_role="trainee_maintainer"),
    rules.Attested(
        topics=(
            rules.Topic(id="a", text="A"),
            rules.Topic(id="b", text="B", url="https://b.example"),
        )
    ),
    rules.Assigned(manager=True, maintainers=2),
    rules.ApprovedBy(at_least=2, by="maintainers"),
    rules.ApprovedBy(at_least=1, by="manager"),
    rules.OpenFor(days=2),
    rules.RoleHeld(role="trainee_maintainer"),
)
EVERY_CHECK: tuple[rules.Check, ...] = (
    rules.GroupMember(group=GROUP, level=30),
    rules.GroupMember(group=GROUP, level=30, direct=False),
    rules.GroupMember(group="group/other", level=30),
    rules.ListedIn(project="g/p", ref="main", path="a", format="yaml", entry=None, key="members"),
    rules.Manual(),
)
ACTORS = ("nominee", "manager", "maintainer", "owner", "anyone")
EVERYTHING = make_policy(
    *(make_requirement(rule, id=f"r{n}") for n, rule in enumerate(EVERY_RULE)),
    follow_ups=tuple(
        make_follow_up(check, id=f"f{n}", actor=actor, url="https://x.example")
        for n, (check, actor) in enumerate(zip(EVERY_CHECK, ACTORS, strict=True))
    ),
    notices=(rules.Notice(text="Read on."), rules.Notice(text="More.", url="https://x.example")),
)
