"""Word the merge requests that the bot opens for steps."""

from bot.assessment import Assessment, Step
from bot.errors import ConfigError
from bot.evidence import WITHDRAWN
from bot.inert import has_quick_action
from bot.merge_request import MergeRequest
from bot.report.words import Words
from bot.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferText:
    """What a merge request for a step says; the title is that of its commit, too."""

    title: str
    description: str


def describe_offer(
    assessment: Assessment, step: Step, merge_request: MergeRequest, words: Words
) -> OfferText:
    """Say what a merge request for a step does, and why."""
    values = {"assessment": assessment, "step": step, "merge_request": merge_request}
    description = words.render("offer.md.j2", **values).strip()
    if has_quick_action(description):
        raise ConfigError(
            "The description of a merge request for a step holds a line that GitLab would execute: "
            "begin no line of a template or a policy's text with a slash."
        )
    # Only names that an account can have come so far; but for `@` nothing in them means anything.
    name = assessment.nomination.username.removeprefix("@")
    title = f"Add {name} to {step.listed_in.key} in {step.listed_in.path}"
    return OfferText(title=title, description=description)


def describe_end(why: str) -> str:
    """Say in the description of a merge request that the bot closes why it does."""
    return f"{WITHDRAWN}\n**Closed by the nomination bot:** {why}."
