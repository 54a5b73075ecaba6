"""Give every documented webhook body to the real job and hold its reaction against a table.

Usage: payloads.py DIRECTORY

Relevant events must reach for GitLab (which does not listen here: exit 1), the others must
end at once with exit 0, for either command word.
"""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

LOOKS, IDLE = 1, 0
# With the word `maintainership`, which the bodies use; with the default word notes are idle.
EXPECTED = {
    "external_status_check": LOOKS,
    "merge_request_merge": LOOKS,
    "merge_request_open": LOOKS,
    "merge_request_open_fork": LOOKS,
    "merge_request_open_older_layout": LOOKS,
    "merge_request_unapproved_system": LOOKS,
    "merge_request_update_empty_changes": LOOKS,
    "merge_request_update_push": LOOKS,
    "merge_request_update_reviewer_state": LOOKS,
    "merge_request_update_title_draft": LOOKS,
    "note_on_merge_request_create": LOOKS,
    "note_on_merge_request_create_by_bot": IDLE,
    "note_on_merge_request_update": LOOKS,
    "trigger_payload_merge_request_open": LOOKS,
    "trigger_payload_note_on_merge_request_create": LOOKS,
}


def main(directory: str) -> int:
    """Run the job on each body; return 1 if any reaction differs."""
    files = sorted(Path(directory).glob("*.json"))
    cases = [(file, "maintainership") for file in files]
    cases += [(file, "nomination") for file in files if "note" in file.stem]
    # All at once: most of the time each waits for a GitLab that never answers.
    with ThreadPoolExecutor(len(cases)) as pool:
        right = list(pool.map(_is_right, cases))
    print(f"{len(files)} bodies, {len(cases)} runs, {right.count(False)} wrong reactions")
    return 0 if all(right) and len(files) == len(EXPECTED) else 1


def _is_right(case: tuple[Path, str]) -> bool:
    file, word = case
    expected = IDLE if word == "nomination" else EXPECTED[file.stem]
    settings = {
        "TRIGGER_PAYLOAD": str(file),
        "NOMINATION_BOT_TEAM_PROJECT": "example-org/team-database",
        "NOMINATION_BOT_COMMAND": word,
        "NOMINATION_BOT_TOKEN": "none",
        "NOMINATION_BOT_GITLAB_URL": "http://127.0.0.1:9",
        "NOMINATION_BOT_DEADLINE": "5",
    }
    done = subprocess.run(
        [sys.executable, "-m", "bot", "run"],
        env=os.environ | settings,
        capture_output=True,
        text=True,
        check=False,
    )
    said = (done.stdout + done.stderr).strip()
    right = done.returncode == expected and len(said.splitlines()) == 1
    print(f"{'ok   ' if right else 'WRONG'} {file.stem} ({word}): {said[:110]}")
    return right


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
