"""The commands that read files alone: compare two team databases, check policies."""

import gc
import json
from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path

from bot import inert
from bot.cli.wiring import POLICIES, Command
from bot.command_line import Manner, wants_json
from bot.errors import PolicyError
from bot.nomination import as_json, run_detect
from bot.policy import wanted_roles
from bot.rulebook import check_policies, load_policies


def _detect(options: Namespace, environment: Mapping[str, str]) -> int:
    directory = environment.get(POLICIES)
    policies = load_policies(Path(directory) if directory else None)
    wanted = wanted_roles(policies)
    gc.disable()  # thousands of short-lived trees without cycles: collecting costs a tenth
    manner: Manner = options.manner
    manner.show("comparing the two team databases …")
    found = run_detect(options.base, options.head, wanted)
    manner.end()
    if wants_json(options):
        print(json.dumps(as_json(found), indent=2, ensure_ascii=True))
        return 0
    for nomination in found.nominations:
        who = inert.log_line(nomination.username)
        print(f"{who} gains {nomination.role} of {nomination.project} in {nomination.path}")
    # An entry that cannot be read is among both.
    told = dict.fromkeys((each.path, each.message) for each in (*found.unread, *found.remarks))
    for path, message in told:
        print(f"{inert.log_line(path)}: {inert.log_line(message)}")
    if not (found.nominations or found.unread or found.remarks):
        print("Nobody is nominated.")
    return 0


def _policy(options: Namespace, _: Mapping[str, str]) -> int:
    paths = [Path(name) for name in options.files]
    if wants_json(options):
        try:
            told = {"ok": check_policies(paths), "mistakes": []}
        except PolicyError as error:
            told = {"ok": [], "mistakes": str(error).splitlines()}
        print(json.dumps(told, indent=2))
        return 1 if told["mistakes"] else 0
    lines = check_policies(paths)
    if not options.quiet:
        print("\n".join(lines))
    return 0


COMMANDS: dict[str, Command] = {"detect": _detect, "policy": _policy}
