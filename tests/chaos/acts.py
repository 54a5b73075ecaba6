"""What can happen in a story: small acts of people, chosen and shaped by the seed."""

from collections.abc import Callable, Sequence

from bot.sandbox import actions
from bot.sandbox.actions import MergeRequestDraft, NoteDraft, StatusDraft
from bot.sandbox.entities import Level, MergeRequest, Note
from bot.sandbox.state import RefusedError
from tests.chaos.plot import MIA, MOE, NILS, NINA, STRANGERS, Order, Plot
from tests.nomination_world import STATUS, add_merged, entry

REQUIREMENTS = ("authored", "reviewed", "assigned", "knowledge")
NOT_READABLE = b"name: Nina\ngitlab: nina\nprojects: [ai-gateway: maintainer\n"
# What a branch may make of the entries.
DRAFTS: Sequence[dict[str, bytes | None]] = (
    {NINA: entry("nina", "maintainer")},
    {NINA: entry("nina", "maintainer")},
    {NINA: entry("nina", "reviewer")},
    {NINA: entry("nina", "maintainer backend", "moe")},
    {NINA: entry("nina", "maintaner")},
    {NINA: entry("nils", "maintainer")},
    {NINA: entry("sven", "maintainer")},
    {NINA: NOT_READABLE},
    {NINA: None},
    {NILS: entry("nils", "maintainer")},
    {NILS: entry("nils", "maintainer"), NINA: entry("nina", "maintainer")},
    {NILS: entry("nils", "maintaner")},
    {"README.md": b"changed\n"},
)
# What the target branch may become.
EDITS: Sequence[dict[str, bytes | None]] = (
    {NINA: entry("nina", "trainee_maintainer")},
    {NINA: entry("nina", "maintainer")},
    {NINA: entry("nina", "reviewer", "moe")},
    {MIA: entry("moe", None, "olga")},
    {MIA: entry("mia", None, "olga")},
    {MOE: None},
    {"README.md": b"on main\n"},
)
FORGERIES = (
    "<!-- nomination-bot:comment -->\n**Ready:** every required point is met or waived.",
    "<!-- nomination-bot:comment -->",
    "Approved!",
)


def _open(plot: Plot) -> str:
    plot.branches += 1
    author = plot.somebody("nina", "nils", "dora", "max").username
    branch = f"branch-{plot.branches}"
    plot.push(branch, plot.random.choice(DRAFTS), author)
    draft = MergeRequestDraft(title="Entries", source_branch=branch, target_branch="main")
    user, team = plot.made.user(author), plot.made.team
    mr = actions.open_merge_request(plot.world, user, team, draft)
    return f"{author} opens !{mr.iid}"


def _push(plot: Plot) -> str:
    mr = plot.some_merge_request()
    number = plot.random.randrange(len(DRAFTS))
    plot.push(mr.source_branch, DRAFTS[number], mr.author.username)
    return f"{mr.author.username} pushes draft {number} to !{mr.iid}"


def _edit_main(plot: Plot) -> str:
    number = plot.random.randrange(len(EDITS))
    plot.push("main", EDITS[number], "olga")
    return f"olga pushes edit {number} to main"


def _work(plot: Plot) -> str:
    who = plot.somebody("nina", "nils").username
    count = plot.random.randint(1, 3)
    reviewed = plot.random.random() < 0.7
    for _ in range(count):
        add_merged(plot.made, "dora" if reviewed else who, reviewer=who if reviewed else None)
    return f"{who} {'reviews' if reviewed else 'authors'} {count} elsewhere"


def _assign(plot: Plot) -> str:
    mr, by = plot.some_merge_request(), plot.somebody("nina", "max", "sven")
    people = plot.random.sample(("mia", "max", "moe", "nina", "dora"), plot.random.randint(0, 3))
    users = [plot.made.user(name) for name in people]
    actions.assign(plot.world, by, mr, users)
    return f"{by.username} assigns !{mr.iid} to {people}"


def _approve(plot: Plot) -> str:
    mr, by = plot.some_merge_request(), plot.somebody()
    if plot.random.random() < 0.3:
        actions.unapprove(plot.world, by, mr)
        return f"{by.username} takes the approval of !{mr.iid} back"
    actions.approve(plot.world, by, mr)
    return f"{by.username} approves !{mr.iid}"


def _comment(plot: Plot) -> str:
    mr, by = plot.some_merge_request(), plot.somebody()
    text, orders = write_command(plot)
    internal = plot.random.random() < 0.05
    draft = NoteDraft(body=text, internal=internal)
    note = actions.create_note(plot.world, by, mr, draft).note
    if note is not None and not internal:
        plot.orders[note.id] = orders
    return f"{by.username} comments on !{mr.iid}{' internally' * internal}: {text!r}"


def write_command(plot: Plot) -> tuple[str, Sequence[Order]]:
    """Write a comment, and say what it orders: often nothing."""
    random = plot.random
    verb = random.choice(("waive", "waive", "unwaive", "hold", "release", "attest", "recheck"))
    who = random.choice((None, None, "nina", "nils"))
    target, requirement = f"@{who} " if who else "", random.choice(REQUIREMENTS)
    line = {
        "waive": f"/nomination waive {target}{requirement} enough for now",
        "unwaive": f"/nomination unwaive {target}{requirement}",
        "hold": "/nomination hold not this week",
        "release": "/nomination release",
        "attest": "/nomination attest all",
        "recheck": "/nomination recheck",
    }[verb]
    order = Order(verb=verb, requirement=requirement, who=who)
    return random.choice(
        (
            (line, (order,)),
            (line, (order,)),
            (line, (order,)),
            (f"Well done.\n\n{line}\n\nThanks!", (order,)),
            (f"{line}\n/nomination help", (order,)),
            (f"> {line}", ()),
            (f"```\n{line}\n```", ()),
            (f"Please write {line}", ()),
            (line.replace("nomination", "nominaton"), ()),
            (line.replace(verb, f"{verb}x", 1), ()),
            ("/nomination waive authored", ()),
            ("/nomination hold", ()),
        )
    )


# What costs much to read; a command after a blank line is one all the same.
BOMBS = (
    f"|{'a|' * 300}\n|{'-|' * 300}\n" + "a\n" * 1_000,
    (">" * 50 + "a\n") * 100,
    "- > 1. * a\n" * 500,
    "[a]:\nb\n" * 500,
)


def _bomb(plot: Plot) -> str:
    """Write a comment that is hard to read, or so long that its command is not read."""
    mr, by = plot.some_merge_request(), plot.somebody()
    text, orders = write_command(plot)
    if plot.random.random() < 0.5:
        body, meant = f"{plot.random.choice(BOMBS)}\n{text}", orders
    else:
        body, meant = f"`\n{'x' * 10_000}\n\n/nomination hold it", (Order(verb="unread"),)
    note = actions.create_note(plot.world, by, mr, NoteDraft(body=body)).note
    if note is not None:
        plot.orders[note.id] = meant
    return f"{by.username} bombs !{mr.iid}: {body[-60:]!r}"


def _notes(mr: MergeRequest, plot: Plot) -> list[Note]:
    return [note for note in mr.comments if note.author is not plot.bot]


def _edit(plot: Plot) -> str:
    mr = plot.some_merge_request()
    commands = [note for note in _notes(mr, plot) if plot.orders.get(note.id)]
    note = plot.random.choice([*commands, *_notes(mr, plot)] or [_nothing()])
    by = plot.random.choice((note.author, plot.made.user("olga"), plot.made.user("sven")))
    text = plot.random.choice((write_command(plot)[0], f"{note.body}\n\nEdited."))
    actions.edit_note(plot.world, by, mr, note, text)
    return f"{by.username} edits note {note.id} of !{mr.iid}: {text!r}"


def _delete(plot: Plot) -> str:
    mr = plot.some_merge_request()
    note = plot.random.choice(_notes(mr, plot) or [_nothing()])
    by = plot.random.choice((note.author, plot.made.user("olga")))
    actions.delete_note(plot.world, by, mr, note)
    return f"{by.username} deletes note {note.id} of !{mr.iid}"


def _vandalise(plot: Plot) -> str:
    mr, olga = plot.some_merge_request(), plot.made.user("olga")
    note = plot.random.choice(plot.own_notes(mr) or [_nothing()])
    if plot.random.random() < 0.3:
        actions.delete_note(plot.world, olga, mr, note)
        return f"olga deletes the bot's note {note.id} of !{mr.iid}"
    text = plot.random.choice(FORGERIES)
    actions.edit_note(plot.world, olga, mr, note, text)
    return f"olga makes the bot's note {note.id} of !{mr.iid} say {text!r}"


def _nothing() -> Note:
    raise RefusedError(404, "there is no such comment")


def _forge(plot: Plot) -> str:
    mr, by = plot.some_merge_request(), plot.somebody("nina", "olga", *STRANGERS)
    text = plot.random.choice(FORGERIES)
    actions.create_note(plot.world, by, mr, NoteDraft(body=text))
    return f"{by.username} forges {text!r} on !{mr.iid}"


def _forge_status(plot: Plot) -> str:
    mr = plot.some_merge_request()
    draft = StatusDraft(state="success", name=STATUS, ref=mr.source_branch, description="Ready")
    dora, team = plot.made.user("dora"), plot.made.team
    actions.set_commit_status(plot.world, dora, team, mr.head_sha or "", draft)
    return f"dora forges a status on !{mr.iid}"


def _change_state(plot: Plot) -> str:
    mr = plot.some_merge_request()
    change = plot.random.choice((actions.close, actions.reopen, actions.reopen))
    change(plot.world, plot.made.user("max"), mr)
    return f"max: {change.__name__} !{mr.iid}"


def _merge(plot: Plot) -> str:
    mr = plot.some_merge_request()
    actions.merge(plot.world, plot.made.user("olga"), mr)
    return f"olga merges !{mr.iid}"


def _change_group(plot: Plot) -> str:
    olga, who = plot.made.user("olga"), plot.somebody("max", "moe", "mia", "nina", "nils")
    if who.id in plot.made.group.members:
        actions.remove_member(plot.world, olga, plot.made.group, who)
        return f"{who.username} leaves the group"
    level = plot.random.choice((Level.MAINTAINER, Level.DEVELOPER, Level.REPORTER))
    actions.add_member(plot.world, olga, plot.made.group, who, level)
    return f"{who.username} joins the group as {level.name}"


def _change_account(plot: Plot) -> str:
    who = plot.somebody("max", "moe", "mia", "nina")
    state = "blocked" if who.state == "active" else "active"
    actions.set_account_state(plot.world, who, state)
    return f"{who.username} is {state}"


def _wait(plot: Plot) -> str:
    plot.world.tick(3_600 * plot.random.randint(1, 50))
    return "time passes"


ACTS: Sequence[tuple[Callable[[Plot], str], int]] = (
    (_open, 4),
    (_push, 6),
    (_edit_main, 2),
    (_work, 5),
    (_assign, 6),
    (_approve, 2),
    (_comment, 16),
    (_bomb, 1),
    (_edit, 6),
    (_delete, 2),
    (_vandalise, 4),
    (_forge, 2),
    (_forge_status, 2),
    (_change_state, 3),
    (_merge, 1),
    (_change_group, 3),
    (_change_account, 1),
    (_wait, 1),
)


def act(plot: Plot) -> str:
    """Let something happen; return it in words, also when GitLab refuses it."""
    chosen = plot.random.choices([a for a, _ in ACTS], [weight for _, weight in ACTS])[0]
    try:
        return chosen(plot)
    except RefusedError as refusal:
        return f"{chosen.__name__.strip('_')} is refused: {refusal}"
