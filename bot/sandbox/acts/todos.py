"""GitLab's to-dos for mentions and assignments (app/services/todo_service.rb)."""

from collections.abc import Iterable

from bot.sandbox.world.access import can_read_merge_requests, effective_members
from bot.sandbox.world.entities import MergeRequest, Note, Todo, User
from bot.sandbox.world.state import World

EVERYBODY = "all"


def find_mentioned(world: World, mr: MergeRequest, text: str) -> list[User]:
    """Return whom a text mentions: people, the members of groups, and with `@all` all members."""
    if world.find_mentions is None:
        return []
    today = world.now.date()
    people: dict[User, None] = {}
    for name in world.find_mentions(world, mr.project, text):
        place = mr.project if name.casefold() == EVERYBODY else world.find_owner(name)
        if isinstance(place, User):
            people[place] = None
        elif place is not None:
            people.update((each.user, None) for each in effective_members(place, today).values())
    return list(people)


def tell_mentioned(
    world: World, author: User, mr: MergeRequest, note: Note, before: Iterable[User] = ()
) -> None:
    """Make a to-do for whoever a note mentions and did not `before` (`handle_note`).

    Whoever writes has done what there was to do for them.
    """
    resolve(world, author, mr)
    told = set(before)
    new = [user for user in find_mentioned(world, mr, note.body) if user not in told]
    _create(world, author, mr, new, note)


def tell_assigned(world: World, author: User, mr: MergeRequest, new: Iterable[User]) -> None:
    """Make a to-do for who was assigned (`create_assignment_todo`)."""
    _create(world, author, mr, new, None)


def resolve(world: World, user: User, mr: MergeRequest) -> None:
    """Mark what somebody had to do about a merge request as done."""
    for todo in world.todos:
        if todo.user is user and todo.merge_request is mr:
            todo.done = True


def _create(
    world: World, author: User, mr: MergeRequest, users: Iterable[User], note: Note | None
) -> None:
    """Make a to-do each, but not for who has one about it still (`excluded_user_ids`)."""
    today = world.now.date()
    waiting = {todo.user for todo in world.todos if todo.merge_request is mr and not todo.done}
    for user in users:
        if user not in waiting and can_read_merge_requests(user, mr.project, today):
            number = world.next_id("todo")
            todo = Todo(
                id=number,
                user=user,
                author=author,
                merge_request=mr,
                note=note,
                created_at=world.now,
            )
            world.todos.append(todo)
