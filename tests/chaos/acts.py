"""What can happen in a story: small acts of people, chosen and shaped by the seed."""

from collections.abc import Callable, Sequence

from bot.sandbox.acts import actions
from bot.sandbox.acts.actions import MergeRequestDraft, NoteDraft, StatusDraft
from bot.sandbox.world.entities import Level, MergeRequest, Note
from bot.sandbox.world.state import RefusedError
from tests.chaos.plot import MIA, MOE, NILS, NINA, STRANGERS, Order, Plot
from tests.nomination_world import (
    STATUS,
    NominationWorld,
    add_merged,
    entry,
    merge_elsewhere,
    push_elsewhere,
)

REQUIREMENTS = ("authored", "reviewed", "assigned", "knowledge")
NOT_READABLE = b"name: Nina\ngitlab: nina\nprojects: [ai-gateway: maintainer\n"
# Two halves of a nomination: each leaves one project between the AI Gateway and the role.
SPLIT_BASE, SPLIT_ONE, SPLIT_TWO = (
    entry("nina", "").rstrip()
    + b"\n    - reviewer\n  # one\n"
    + charts
    + b"  # two\n"
    + docs
    + b"  # three\n    - maintainer\n"
    for charts, docs in ((b"  charts:\n", b"  docs:\n"), (b"", b"  docs:\n"), (b"  charts:\n", b""))
)
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
    {NINA: SPLIT_ONE},
    {NINA: SPLIT_TWO},
    {NINA: entry("nina", "maintainer").replace(b"name: Nina", b"name: Nina Example")},
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
    {NINA: entry("sven", "trainee_maintainer")},
    {NINA: SPLIT_BASE},
    {NINA: SPLIT_ONE},
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


def _grant_and_revert(plot: Plot) -> str:
    """Give a role on main, and perhaps take it back while nobody looks."""
    name = plot.random.choice(("nina", "nils"))
    path = {"nina": NINA, "nils": NILS}[name]
    plot.push("main", {path: entry(name, "maintainer")}, "olga")
    if plot.random.random() < 0.5:
        return f"olga makes {name} a maintainer on main"
    plot.push("main", {path: entry(name, "trainee_maintainer")}, "olga")
    return f"olga makes {name} a maintainer on main and takes it back"


def _change_target_account(plot: Plot) -> str:
    """Give an entry on main to another account, away from the lines that a branch changes."""
    before, after = plot.random.sample(("nina", "sven", "moe"), 2)
    role = plot.random.choice(("trainee_maintainer", "reviewer"))
    content = entry(before, role).replace(
        b"gitlab: " + before.encode(), b"gitlab: " + after.encode()
    )
    plot.push("main", {NINA: content}, "olga")
    return f"olga gives the entry of nina to {after} on main"


def _open_pair(plot: Plot) -> str:
    """Open two merge requests that make a nomination only together; perhaps merge the first."""
    plot.push("main", {NINA: SPLIT_BASE}, "olga")
    opened = []
    for content in (SPLIT_ONE, SPLIT_TWO):
        plot.branches += 1
        branch = f"branch-{plot.branches}"
        plot.push(branch, {NINA: content}, "nina")
        draft = MergeRequestDraft(title="Half", source_branch=branch, target_branch="main")
        nina, team = plot.made.user("nina"), plot.made.team
        opened.append(actions.open_merge_request(plot.world, nina, team, draft))
    told = f"nina opens the halves !{opened[0].iid} and !{opened[1].iid}"
    if plot.random.random() < 0.6:
        actions.merge(plot.world, plot.made.user("olga"), opened[0])
        told += ", of which olga merges the first"
    return told


def _work(plot: Plot) -> str:
    who = plot.somebody("nina", "nils").username
    count = plot.random.randint(1, 3)
    reviewed = plot.random.random() < 0.7
    for _ in range(count):
        add_merged(plot.made, "dora" if reviewed else who, reviewer=who if reviewed else None)
    return f"{who} {'reviews' if reviewed else 'authors'} {count} elsewhere"


def _review_and_push(plot: Plot) -> str:
    """Let somebody approve, the author push, and it be merged, as on ordinary days."""
    who, resets = plot.somebody("nina", "nils"), plot.random.random() < 0.8

    def act(made: NominationWorld, mr: MergeRequest) -> None:
        made.gateway.settings.tier = "premium" if resets else "free"
        actions.approve(plot.world, who, mr)
        push_elsewhere(made, mr.source_branch)

    for _ in range(plot.random.randint(1, 3)):
        merge_elsewhere(plot.made, reviewer=who.username, before=act)
    return f"{who.username} approves elsewhere before a push that {'resets' * resets or 'keeps'}"


def _mark_later(plot: Plot) -> str:
    """Let somebody mark as reviewed what is merged already."""
    who = plot.somebody("nina", "nils")
    state = plot.random.choice(("reviewed", "requested_changes"))
    for _ in range(plot.random.randint(1, 5)):
        mr = merge_elsewhere(plot.made, reviewer=who.username)
        actions.submit_review(plot.world, who, mr, state)
    return f"{who.username} marks as {state} what is merged"


def _play(plot: Plot) -> str:
    """Let somebody merge and approve in a branch of their own."""
    who, is_own = plot.somebody("nina", "nils").username, plot.random.random() < 0.5

    def approve(made: NominationWorld, mr: MergeRequest) -> None:
        if not is_own:
            actions.approve(plot.world, made.user(who), mr)

    for _ in range(plot.random.randint(1, 5)):
        author = who if is_own else "dora"
        merge_elsewhere(plot.made, author=author, reviewer=who, target=f"{who}s", before=approve)
    return f"{who} {'merges' if is_own else 'approves'} in a branch of their own"


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


def _close_anew(plot: Plot) -> str:
    mr, max_ = plot.some_merge_request(), plot.made.user("max")
    actions.close(plot.world, max_, mr)
    draft = MergeRequestDraft(
        title="Anew", source_branch=mr.source_branch, target_branch=mr.target_branch
    )
    other = actions.open_merge_request(
        plot.world, plot.somebody("nina", "nils", "dora"), plot.made.team, draft
    )
    return f"max closes !{mr.iid}, and {other.author.username} opens !{other.iid} from its branch"


def _push_in(plot: Plot) -> str:
    mr, who = plot.some_merge_request(), plot.random.choice((NILS, MIA, MOE))
    files = {NINA: entry("nina", "maintainer"), who: entry(who[-8:-4].strip("/"), "maintainer")}
    plot.push(mr.source_branch, files, mr.author.username)
    return f"{mr.author.username} pushes {who} into !{mr.iid}"


def _rename_or_delete(plot: Plot) -> str:
    who = plot.somebody("mia", "moe", "max", "rita")
    if plot.random.random() < 0.5:
        actions.delete_account(plot.world, who)
        return f"the account {who.username} is deleted"
    before, plot.branches = who.username, plot.branches + 1
    actions.rename_account(plot.world, who, f"{before}-{plot.branches}")
    return f"{before} is called {who.username} now"


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
    (_grant_and_revert, 1),
    (_change_target_account, 1),
    (_open_pair, 1),
    (_work, 5),
    (_review_and_push, 2),
    (_mark_later, 1),
    (_play, 1),
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
    (_close_anew, 2),
    (_push_in, 2),
    (_rename_or_delete, 1),
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
