"""What a job does about an event: look at the merge requests that it is about."""

from collections.abc import Mapping

from bot.cli.telling import tell, tell_looks
from bot.cli.wiring import LATELY, Command, connect, read_settings
from bot.errors import ConfigError
from bot.event import Broken, Event, Push, Stranger

# What an event tells of, by its kind.
EVENTS = {"merge_request": "a change", "note": "a comment"}


def run_event(event: Event, environment: Mapping[str, str]) -> int:
    """Evaluate the merge request of an event and publish."""
    about = f"{EVENTS.get(event.kind, event.kind)} of !{event.iid}"
    settings = read_settings(environment)
    with connect(settings, first=(event.project, event.iid)) as (client, choices):
        from bot.app import sweep

        path = client.fetch_project_path(event.project)
        evaluation, problems = sweep.run(path, event.iid, choices, client)
        tell(evaluation, problems, client, settings, about)
    return 1 if problems or choices.broken else 0


def run_broken(broken: Broken, environment: Mapping[str, str]) -> int:
    """Look at the merge requests that a broken payload seems to name, else at recent ones.

    A look that fails never stops the others; only GitLab's failures and ours end in 1.
    """
    from bot.app import sweep

    settings = read_settings(environment)
    with connect(settings, LATELY) as (client, choices):
        project = client.fetch_project_path(settings.team_project)
        guessed = sweep.look_at(project, broken.iids, choices, client)
        # That a number leads nowhere is the payload's fault, which fails no run.
        looks = [look for look in guessed if not look.missing]
        looks = looks or sweep.look_lately(project, choices, client)
    return tell_looks(looks, client.calls)


def run_push(push: Push, environment: Mapping[str, str]) -> int:
    """Look at the open merge requests that touch the entries which a push changed."""
    from bot.app import sweep

    settings = read_settings(environment)
    with connect(settings, LATELY) as (client, choices):
        project = client.fetch_project_path(settings.team_project)
        changed = client.fetch_changed(project, push.before, push.after)
        looks = sweep.look_at_touching(project, changed, choices, client)
    return tell_looks(looks, client.calls)


def run_stranger(stranger: Stranger, environment: Mapping[str, str]) -> int:
    """Raise GitLabError when the configured team database has moved, so that nobody waits."""
    settings = read_settings(environment)
    with connect(settings) as (client, _):
        client.fetch_default_branch(settings.team_project)
    print(f"Nothing to do: {stranger.reason}.")
    return 0


def _refuse_options(_: object, __: object) -> int:
    raise ConfigError(
        "`run` takes no option but `--dry-run`, and `decide` none; the event is in TRIGGER_PAYLOAD."
    )


COMMANDS: dict[str, Command] = {"run": _refuse_options, "decide": _refuse_options}
