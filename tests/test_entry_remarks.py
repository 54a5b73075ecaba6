"""Claims about the sentences on an entry: each is whole, and what is foreign is quoted short."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from bot.nomination import remarks as say


@pytest.mark.parametrize(
    ("say_it", "about", "sentence"),
    [
        (
            say.not_known,
            ["a.yml", "before", "GitLab answered 500"],
            (
                "a.yml could not be read as it is before the change (GitLab answered 500), so "
                "nobody knows whether it nominates somebody: put that right and ask for a recheck."
            ),
        ),
        (
            say.not_an_entry,
            ["a.yml", "ai-gateway: maintainer"],
            (
                'a.yml is not read as a team entry, so "ai-gateway: maintainer" in it nominates '
                "nobody: write it into the file of the person, where the team database expects it."
            ),
        ),
        (
            say.not_a_role,
            ['"ai_gateway: maintainer"', "ai-gateway: maintainer"],
            (
                '"ai_gateway: maintainer" nominates nobody, because only "ai-gateway: maintainer" '
                'on a line of its own below "projects:" does: correct it if that was meant.'
            ),
        ),
        (
            say.not_a_stage,
            ['"ai-gateway: trainee"', "ai-gateway: trainee_maintainer"],
            (
                '"ai-gateway: trainee" does not count as the stage before the role, because only '
                '"ai-gateway: trainee_maintainer" does: correct it if that was meant.'
            ),
        ),
        (
            say.was_not_a_stage,
            ['"ai-gateway: trainee"', "ai-gateway: trainee_maintainer"],
            (
                '"ai-gateway: trainee", which the entry says so far, does not count as the stage '
                'before the role, because only "ai-gateway: trainee_maintainer" does: what is '
                "asked for since that stage can be waived."
            ),
        ),
        (
            say.NO_MERGE_BASE.format,
            [],
            (
                "GitLab finds no common ancestor of the source and the target branch, so nobody "
                "knows what a merge changes: make the branch anew from the target branch, or "
                "rebase it onto that."
            ),
        ),
        (
            say.written_otherwise,
            [".gitattributes"],
            (
                ".gitattributes gives files another encoding in a checkout "
                "(working-tree-encoding), so nobody knows what the team entries say there: "
                "leave that out."
            ),
        ),
        (
            say.among_entries,
            ["a.YML"],
            (
                "a.YML lies among the team entries, but its name, place or kind is not that of an "
                "entry, so nobody knows who reads it as one: give it the name of an entry, or "
                "remove it."
            ),
        ),
        (
            say.without_username,
            ["a.yml", "ai-gateway: maintainer"],
            (
                'a.yml gives "ai-gateway: maintainer" to nobody, because it has no username, and '
                "readers of the team database show the role all the same: write the GitLab "
                'username behind "gitlab:" at the left margin.'
            ),
        ),
        (
            say.granted_meanwhile,
            ["ada", "ai-gateway: maintainer"],
            (
                'The target branch meanwhile gives "ada" the role "ai-gateway: maintainer", so '
                "nobody is nominated for it here: rebase to see what remains of the merge request."
            ),
        ),
        (
            say.capitals,
            ["Maintainer", "maintainer"],
            (
                '"Maintainer" is read as "maintainer", but not every reader of the team database '
                'folds capitals: write "maintainer".'
            ),
        ),
        (
            say.claimed_often,
            ["ada", ["a.yml", "b.yml"]],
            (
                'The username "ada" is claimed by 2 files (a.yml, b.yml): let only one of them '
                "keep it."
            ),
        ),
        (
            say.other_account,
            ["ada", "eve"],
            (
                'The account of the entry changes from "ada" to "eve" in the same change: make '
                "sure that this is one person, because only the new account is examined."
            ),
        ),
        (
            say.UNREADABLE_BEFORE.format,
            [],
            (
                "The entry could not be read as it was before the change, so every role in it "
                "counts as new: compare the two states by hand."
            ),
        ),
        (
            say.NEW_ENTRY.format,
            [],
            (
                "The entry is new or had no username before: make sure that the username belongs "
                "to the person it describes."
            ),
        ),
        (
            say.UNREAD_DELETION.format,
            [],
            (
                "A deleted entry could not be read and may have been the same person's: compare "
                "the roles by hand."
            ),
        ),
        (
            say.not_merged,
            ["a.yml", "it was removed there"],
            (
                "a.yml was changed on the target branch as well since this merge request branched "
                "off (it was removed there), so what it will hold after a merge is not known: "
                "rebase the merge request."
            ),
        ),
        (
            say.not_plain,
            ["a.yml", ["line 3: an alias", "line 5: a tag"]],
            (
                "a.yml may be read otherwise by other readers of the team database (line 3: an "
                "alias; line 5: a tag), so nobody knows whom it gives which role: write "
                '"gitlab", "reports_to", "projects" and each project once, as plain keys with '
                "plain values, without tags, anchors, aliases and merge keys."
            ),
        ),
        (
            say.account_moved,
            ["ada", "eve"],
            (
                'The account of the entry changed from "ada" to "eve" on the target branch since '
                "this merge request branched off: rebase, and make sure whom it is meant for."
            ),
        ),
    ],
)
def test_every_sentence_says_what_and_what_to_do(
    say_it: Callable[..., str], about: Sequence[Any], sentence: str
) -> None:
    assert say_it(*about) == sentence


def test_what_is_foreign_is_cut() -> None:
    assert "p" * 150 in say.not_an_entry("p" * 150, "r")
    assert "p" * 201 not in say.not_an_entry("p" * 999, "r")
    assert "w" * 161 not in say.not_known("p", "after", "w" * 999)


def test_of_many_files_five_are_listed() -> None:
    said = say.claimed_often("ada", [f"{n}.yml" for n in range(9)])
    assert "9 files (0.yml, 1.yml, 2.yml, 3.yml, 4.yml):" in said
