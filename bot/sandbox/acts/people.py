"""What happens to people: membership and account state."""

from datetime import date

from bot.sandbox.world.access import demand, find_level
from bot.sandbox.world.entities import Group, Level, Member, MergeRequest, Project, User
from bot.sandbox.world.state import World


def add_member(
    world: World, user: User, place: Group | Project, person: User, level: int
) -> Member:
    """Add a person, or change their level; needs Maintainer on a project, Owner on a group."""
    with world.writing() as now:
        _demand_admin(world, user, place)
        old = place.members.get(person.id)
        member = Member(user=person, level=level, created_at=now, created_by=user)
        place.members[person.id] = member
        changes = {person.username: (old.level if old else None, level)}
        world.record("member_changed", user, subject=place, changes=changes)
        return member


def set_expiry(
    world: World, user: User, place: Group | Project, person: User, ends: date | None
) -> Member:
    """Let a membership end on a day, or never."""
    with world.writing():
        _demand_admin(world, user, place)
        demand(person.id in place.members, 404)
        member = place.members[person.id]
        before, member.expires_at = member.expires_at, ends
        changes = {person.username: (before, ends)}
        world.record("member_changed", user, subject=place, changes=changes)
        return member


def remove_member(world: World, user: User, place: Group | Project, person: User) -> None:
    """End a direct membership; one may always leave."""
    with world.writing():
        demand(person.id in place.members, 404)
        if person is not user:
            _demand_admin(world, user, place)
        member = place.members.pop(person.id)
        changes = {person.username: (member.level, None)}
        world.record("member_changed", user, subject=place, changes=changes)


def set_account_state(world: World, person: User, state: str) -> None:
    """Block, deactivate or activate an account, as an administrator would."""
    with world.writing():
        before, person.state = person.state, state
        world.record("account_changed", subject=person, changes={"state": (before, state)})


def rename_account(world: World, person: User, username: str) -> None:
    """Give an account another name, as its owner may; anybody may take the one it had."""
    with world.writing():
        before = person.username
        world.rename_user(person, username)
        world.record("account_changed", subject=person, changes={"username": (before, username)})


def delete_account(world: World, person: User) -> None:
    """Delete an account; what it wrote becomes the ghost's, as GitLab does it.

    See `Users::MigrateRecordsToGhostUserService`, and `Users::Internal.ghost` for the name.
    """
    with world.writing() as now:
        ghost = world.find_user("ghost") or world.add_user(
            User(id=world.next_id("user"), username="ghost", name="Ghost User", created_at=now)
        )
        for group in world.groups.values():
            group.members.pop(person.id, None)
        for project in world.projects.values():
            project.members.pop(person.id, None)
            for mr in project.merge_requests.values():
                _leave_to(ghost, person, mr)
        world.remove_user(person)
        world.record("account_changed", subject=person, changes={"username": (person.username, "")})


def _leave_to(ghost: User, person: User, mr: MergeRequest) -> None:
    mr.author = ghost if mr.author is person else mr.author
    mr.assignees = [each for each in mr.assignees if each is not person]
    mr.reviewers = [each for each in mr.reviewers if each.user is not person]
    mr.approvals.pop(person, None)
    for note in mr.notes:
        note.author = ghost if note.author is person else note.author
        note.last_edited_by = ghost if note.last_edited_by is person else note.last_edited_by


def _demand_admin(world: World, user: User, place: Group | Project) -> None:
    needed = Level.MAINTAINER if isinstance(place, Project) else Level.OWNER
    demand(find_level(user, place, world.now.date()) >= needed)
