"""How people and members look in the REST interface."""

import hashlib
from datetime import datetime
from typing import Any

from bot.sandbox.world.entities import Group, Issue, Member, MergeRequest, Project, User
from bot.sandbox.world.exposing import expose_fields
from bot.sandbox.world.state import World

OWN_NAMESPACES = 1_000_000  # above it are those of people


def stamp(at: datetime | None) -> str | None:
    """Write a time as GitLab's REST interface does."""
    return None if at is None else f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"


def expose(source: object, names: str) -> dict[str, Any]:
    """Tell fields that are called here as GitLab's REST interface calls them."""
    return expose_fields(source, names, stamp)


def web_url(world: World, path: str) -> str:
    """Build the address of a page."""
    return f"{world.external_url}/{path}"


def avatar_url(user: User) -> str:
    """Build an avatar address that depends on nothing but the account."""
    digest = hashlib.sha256(f"{user.username}@example.com".encode()).hexdigest()
    return f"https://www.gravatar.com/avatar/{digest}?s=80&d=identicon"


def render_user(world: World, user: User) -> dict[str, object]:
    """Render the short form of an account."""
    return {
        **expose(user, "id username name state"),
        "public_email": None,
        "locked": False,
        "avatar_url": avatar_url(user),
        "web_url": web_url(world, user.username),
    }


def render_user_or_none(world: World, user: User | None) -> dict[str, object] | None:
    """Render an account that may be absent."""
    return None if user is None else render_user(world, user)


def render_profile(world: World, user: User) -> dict[str, object]:
    """Render what anybody may know of an account."""
    absent = ("bio", "location", "linkedin", "twitter", "discord", "website_url", "github")
    return {
        **render_user(world, user),
        "created_at": stamp(user.created_at),
        **dict.fromkeys(absent, ""),
        "job_title": "",
        "pronouns": None,
        "organization": "",
        "bot": user.bot,
        "work_information": None,
        "followers": 0,
        "following": 0,
        "is_followed": False,
        "local_time": None,
    }


def render_own_profile(world: World, user: User) -> dict[str, object]:
    """Render one's own account."""
    address = f"{user.username}@example.com"
    return {
        **render_profile(world, user),
        "email": address,
        "commit_email": address,
        "confirmed_at": stamp(user.created_at),
        "identities": [],
        "can_create_group": not user.bot,
        "can_create_project": not user.bot,
        "two_factor_enabled": False,
        "external": False,
        "private_profile": False,
        "preferred_language": "en",
        "scim_identities": [],
        # lib/api/entities/user_public.rb and ee/lib/ee/api/entities/user_with_admin.rb
        "last_sign_in_at": stamp(user.created_at),
        "current_sign_in_at": stamp(user.created_at),
        "last_activity_on": world.now.date().isoformat(),
        "theme_id": 3,
        "color_scheme_id": 1,
        "projects_limit": 100_000,
        "shared_runners_minutes_limit": None,
        "extra_shared_runners_minutes_limit": None,
        "avatar_path": None,
        "custom_attributes": [],
    }


def render_member(world: World, member: Member) -> dict[str, object]:
    """Render a membership."""
    return {
        **render_user(world, member.user),
        "access_level": member.level,
        "created_at": stamp(member.created_at),
        "created_by": render_user_or_none(world, member.created_by),
        "expires_at": member.expires_at.isoformat() if member.expires_at else None,
        "membership_state": "active",
    }


def render_issuable(item: MergeRequest | Issue, project: Project) -> dict[str, object]:
    """Render what lib/api/entities/issuable_entity.rb has of merge requests and issues alike."""
    return {
        **expose(item, "id iid title description state created_at updated_at"),
        "project_id": project.id,
    }


def render_namespace(world: World, owner: Group | User | None, path: str) -> dict[str, object]:
    """Render the namespace that a group or a person has at a path."""
    group = owner if isinstance(owner, Group) else None
    return {
        "id": group.id if group else OWN_NAMESPACES + (owner.id if owner else 0),
        "name": owner.name if owner else path,
        "path": path.rpartition("/")[2],
        "kind": "group" if group else "user",
        "full_path": path,
        "parent_id": group.parent.id if group and group.parent else None,
        "avatar_url": None,
        "web_url": web_url(world, f"groups/{path}" if group else path),
    }
