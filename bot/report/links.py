"""Link pages of GitLab: the same lists, members of a group, the file to edit, a merge request."""

import re
from urllib.parse import urlencode

from markupsafe import Markup

from bot import inert, policy as rules
from bot.assessment import Finding, Step
from bot.evidence import Merged, Offer

ACCOUNT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,254}")


def list_urls(gitlab_url: str, finding: Finding, username: str) -> list[tuple[str, str]]:
    """Return GitLab's own pages with the same lists, to count again by hand.

    There are none for a username that no account can have, however long it is.
    """
    if not ACCOUNT.fullmatch(username):
        return []
    base = f"{gitlab_url}/{finding.repository}/-/merge_requests?"
    # doc/user/project/merge_requests: the list of a project can be filtered by target branch.
    branch = {"target_branch": finding.branch} if finding.branch else {}
    rule = finding.requirement.rule
    chosen: list[tuple[str, dict[str, str]]] = []
    if isinstance(rule, rules.Counting) and rule.authored:
        chosen.append(("authored", {"author_username": username}))
    if isinstance(rule, rules.Counting) and rule.reviewed:
        chosen.append(("assigned as reviewer", {"reviewer_username": username}))
        chosen.append(("approved", {"approved_by_usernames[]": username}))
    return [
        (label, base + urlencode({"scope": "all", "state": "merged", **branch, **query}))
        for label, query in chosen
    ]


def group_title(gitlab_url: str, step: Step) -> Markup:
    """Return the title of a step about a group with the group in it, linked to its members."""
    check, title = step.follow_up.check, " ".join(step.follow_up.title.split())
    assert isinstance(check, rules.GroupMember)  # noqa: S101  the template asks for no others
    query = "?with_inherited_permissions=exclude" if check.direct else ""
    link = policy_link(check.group, f"{gitlab_url}/groups/{check.group}/-/group_members{query}")
    before, group, after = title.partition(check.group)
    return Markup(f"{before}{link}{after}" if group else f"{title} ({link})")  # noqa: S704


def waiting_link(gitlab_url: str, repository: str) -> Markup:
    """Link the open merge requests of a repository that wait until somebody is asked to review."""
    query = urlencode({"scope": "all", "state": "opened", "reviewer_id": "None"})
    address = f"{gitlab_url}/{repository}/-/merge_requests?{query}"
    return Markup(inert.web_link("those that wait", address))  # noqa: S704  made inert


def edit_url(gitlab_url: str, step: Step) -> str | None:
    """Return the page on which the file of a step is edited."""
    check = step.follow_up.check
    if not isinstance(check, rules.ListedIn):
        return None
    return f"{gitlab_url}/{check.project}/-/edit/{check.ref}/{check.path}"


def policy_link(text: str, url: str) -> Markup:
    """Link an operator's text to the operator's address, both as they are."""
    label = " ".join(text.split()).replace("[", "(").replace("]", ")")
    return Markup(f"[{label}]({url})")  # noqa: S704  operator's


def numbered_link(found: Merged | Offer) -> Markup:
    """Link a merge request by its number, which is no reference inside a link."""
    link = inert.web_link(str(found.iid), found.web_url)
    return Markup(link.replace("[", "[!", 1))  # noqa: S704  made inert
