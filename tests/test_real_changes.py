"""Whole entries as people and the HR sync write them: who is nominated, and when all is silent."""

import pytest

from tests.team_files import ADA, find, gains, make_change, messages

OLD = """---
name: Ada Lovelace
locality: London
role: <a href="/job-families/engineering/backend-engineer/">Senior Backend Engineer</a>
reports_to: boss-person
gitlab: {who}
departments:
  - Engineering Function
  - AI Framework Group
projects:
{projects}
story: >
  Wrote about ai-gateway: maintainer once,
  in prose only.
"""
SYNCED = """departments:
- Engineering Function
- AI Framework Group
gitlab: '{who}'
locality: London
name: Ada Lovelace
projects:
{projects}
reports_to: boss-person
role: <a href="/job-families/engineering/backend-engineer/">Senior
  Backend Engineer</a>
story: 'Wrote about ai-gateway: maintainer once, in prose
  only.

  '
"""
NONE = "gitlab: reviewer backend"


def old(*projects: str, who: str = "ada") -> str:
    """Write an entry by hand, its projects indented by two."""
    return OLD.format(who=who, projects="\n".join(f"  {line}" for line in projects))


def synced(*projects: str, who: str = "ada") -> str:
    """Write the same entry as the HR sync does: sorted, wrapped, otherwise indented."""
    return SYNCED.format(who=who, projects="\n".join(f"  {line}" for line in projects))


SILENT = {
    "the sync keeps a maintainer": (
        old(NONE, "ai-gateway: maintainer"),
        synced("ai-gateway: maintainer", NONE),
    ),
    "the sync sorts a list": (
        old("ai-gateway:", "  - maintainer ai_gateway", "  - reviewer duo_workflow_service"),
        synced("ai-gateway:", "- reviewer duo_workflow_service", "- maintainer ai_gateway"),
    ),
    "the sync drops a role": (old(NONE, "ai-gateway: maintainer"), synced(NONE)),
    "a rewrite with CRLF": (
        old("ai-gateway: maintainer"),
        old("ai-gateway: maintainer").replace("\n", "\r\n"),
    ),
    "quotes around everything": (
        old("ai-gateway: maintainer"),
        old("'ai-gateway': \"maintainer\"", who='"ada"'),
    ),
    "the first line goes": (old(NONE), old(NONE).removeprefix("---\n")),
    "a bio in prose": (old(NONE), old(NONE).replace("once", "and am a maintainer of AI Gateway")),
    "a tidy-up of many projects": (
        old(*(f"p{n}: maintainer backend" for n in range(22)), "ai-gateway: maintainer backend"),
        old(*(f"p{n}: maintainer" for n in range(22)), "ai-gateway: maintainer"),
    ),
    "a role moves to another project": (
        old("ai-gateway: maintainer", "gitlab: reviewer"),
        old("ai-gateway: reviewer", "gitlab: maintainer backend"),
    ),
    "a second specialty": (
        old("ai-gateway:", "- maintainer ai-gateway"),
        old("ai-gateway:", "- maintainer ai-gateway", "- maintainer duo_workflow_service"),
    ),
    "the key loses its capitals": (old("AI-Gateway: maintainer"), old("ai-gateway: maintainer")),
    "the account loses its capitals": (
        old("ai-gateway: maintainer", who="AdaL"),
        old("ai-gateway: maintainer", who="adal"),
    ),
    "another account without the role": (old(NONE, who="ada"), old(NONE, who="adal")),
    "a near miss from before": (
        old("ai_gateway: maintainer"),
        synced("ai_gateway: maintainer"),
    ),
    **{
        f"new: {role}": (old(NONE), old(NONE, f"ai-gateway: {role}"))
        for role in (
            "trainee_maintainer",
            "trainee-maintainer",
            "Trainee Maintainer",
            "reviewer trainee_maintainer",
            "Owner Handbook",
            "owner",
            "review qa",
            "reviewer database local",
        )
    },
    **{
        f"new: {key}": (old(NONE), old(NONE, f"{key}: maintainer UX"))
        for key in (
            "design.gitlab.com",
            "tanuki_emoji",
            "secure-DS-gemnasium-db",
            "ai-gateway-custom",
            "duo-workflow-service",
        )
    },
}


@pytest.mark.parametrize(("before", "after"), SILENT.values(), ids=SILENT.keys())
def test_what_gives_nobody_a_role_is_silent(before: str, after: str) -> None:
    found = find(make_change(before, after))
    assert (gains(found), messages(found)) == ([], "")


@pytest.mark.parametrize(
    ("before", "after", "roles"),
    [
        (("ai-gateway: reviewer",), ("ai-gateway: maintainer", NONE), (["reviewer"], "maintainer")),
        (
            ("ai-gateway: trainee-maintainer", "gitlab: maintainer"),
            ("ai-gateway: maintainer",),
            (["trainee-maintainer"], "maintainer"),
        ),
        ((NONE,), ("ai-gateway:", "- maintainer ai_gateway"), ([], "maintainer ai_gateway")),
        (("ai_gateway: maintainer",), ("ai-gateway:  maintainer",), ([], "maintainer")),
        (("# ai-gateway: maintainer", NONE), ("ai-gateway: maintainer",), ([], "maintainer")),
    ],
)
def test_a_rewrite_of_the_whole_file_hides_no_nomination(
    before: tuple[str, ...], after: tuple[str, ...], roles: tuple[list[str], str]
) -> None:
    had, gained = roles
    found = find(make_change(old(*before), synced(*after)))
    assert gains(found) == [("ada", "ai-gateway", "maintainer", tuple(had), (gained,))]
    assert messages(found) == ""


@pytest.mark.parametrize("who", ["x-", ".ada", "_ada_", "3ada", "AdaL", "a.b-c"])
def test_odd_usernames_of_real_people_are_shown_as_written(who: str) -> None:
    found = find(make_change(old(NONE, who=f"'{who}'"), synced("ai-gateway: maintainer", who=who)))
    (nomination,) = found.nominations
    assert (nomination.username, nomination.path, messages(found)) == (who, ADA, "")


def test_a_renamed_and_rewritten_entry_follows_the_person() -> None:
    moved = "data/team_members/person/l/lovelace.yml"
    changes = (
        make_change(old("ai-gateway: reviewer"), None),
        make_change(None, synced("ai-gateway: maintainer"), moved),
    )
    (nomination,) = find(*changes).nominations
    assert (nomination.before, nomination.path, nomination.base_path) == (("reviewer",), moved, ADA)
    kept = make_change(None, synced("ai-gateway: maintainer"), moved)
    assert not find(make_change(old("ai-gateway: maintainer"), None), kept).nominations
