"""A policy that asks for everything that a policy can ask for."""

from itertools import cycle

from bot import policy as rules
from bot.assessment import kinds
from bot.assessment.kinds.attested import Topic
from tests.builders import GROUP, make_follow_up, make_policy, make_requirement

EVERY_RULE: tuple[rules.Rule, ...] = (
    kinds.AuthoredMergeRequests(at_least=2),
    kinds.AuthoredMergeRequests(at_least=2, since_role="trainee_maintainer"),
    kinds.ReviewedMergeRequests(at_least=2),
    kinds.ReviewedMergeRequests(at_least=2, since_role="trainee_maintainer"),
    kinds.AuthoredOrReviewed(at_least=2, since_role="trainee_maintainer"),
    kinds.Attested(
        topics=(
            Topic(id="a", text="A"),
            Topic(id="b", text="B", url="https://b.example"),
        )
    ),
    kinds.Assigned(manager=True, maintainers=2),
    kinds.ApprovedBy(at_least=2, by="maintainers"),
    kinds.ApprovedBy(at_least=1, by="manager"),
    kinds.ApprovedBy(at_least=1, by="maintainers", share=50),
    kinds.OpenFor(days=2),
    kinds.OpenFor(days=2, count="working-days"),
    kinds.RoleHeld(role="trainee_maintainer"),
    kinds.Labelled(label="ready"),
    kinds.NoOpenThreads(by="maintainers"),
    kinds.NoOpenThreads(by="anyone"),
    kinds.ReviewOutcomes(),
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
        for n, (check, actor) in enumerate(zip(EVERY_CHECK, cycle(ACTORS), strict=False))
    ),
    notices=(rules.Notice(text="Read on."), rules.Notice(text="More.", url="https://x.example")),
)
