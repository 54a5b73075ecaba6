"""Unpack the locked packages in a moment, from one archive that this project's pipeline keeps.

Usage: wheelhouse.py send WHEELS   or   wheelhouse.py fetch FOLDER

Needs nothing but a bare Python. Where the archive comes from need not be trusted: every wheel is
held against the hashes in requirements.txt, which is of the checkout, before anything of it is
written. A wheel of pure files is installed by unpacking it (packaging.python.org, "Binary
distribution format"); one that needs more is refused, and then pip does the work.
"""

import hashlib
import io
import os
import re
import sys
import urllib.request
import zipfile
from collections.abc import Mapping
from pathlib import Path

LOCK = Path(__file__).parents[1] / "requirements.txt"
MAX_BYTES = 64 * 1024 * 1024
ENTRY = re.compile(
    r"^(?P<name>[\w.-]+)==(?P<version>[^\s;\\]+)(?P<hashes>(?:.*\\\n)*.*)", re.MULTILINE
)
HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


class UnfitError(Exception):
    """The archive does not hold what is locked; the message says what is wrong."""


def main(arguments: list[str], environment: Mapping[str, str]) -> int:
    """Send or fetch; return 1 where that cannot be done, as pip can do it, too."""
    command, folder = arguments
    try:
        if command == "send":
            send(Path(folder), environment)
        else:
            unpack(ask("GET", environment), LOCK.read_text("utf-8"), Path(folder))
    except Exception as error:
        print(f"No wheelhouse: {type(error).__name__}: {error}", file=sys.stderr)
        return 1
    return 0


def send(wheels: Path, environment: Mapping[str, str]) -> None:
    """Keep wheels as a generic package of the project, named after the lock."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:  # wheels are packed already
        for wheel in sorted(wheels.glob("*.whl")):
            archive.write(wheel, wheel.name)
    ask("PUT", environment, held.getvalue())


def ask(method: str, environment: Mapping[str, str], content: bytes | None = None) -> bytes:
    """Send the archive to GitLab, or have it (doc/user/packages/generic_packages)."""
    lock = hashlib.sha256(LOCK.read_bytes()).hexdigest()
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    address = (
        f"{environment['CI_API_V4_URL']}/projects/{environment['CI_PROJECT_ID']}"
        f"/packages/generic/wheelhouse/{lock}/wheels-{python}.zip"
    )
    request = urllib.request.Request(  # noqa: S310 - the address is of the runner's own GitLab
        address, data=content, method=method
    )
    # GitLab may send the reader on to where its files lie, and the token is not for there.
    request.add_unredirected_header("JOB-TOKEN", environment["CI_JOB_TOKEN"])
    with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310
        body: bytes = answer.read(MAX_BYTES + 1)
    return body


def unpack(content: bytes, lock: str, folder: Path) -> None:
    """Write the files of all locked wheels, or none: raise UnfitError where one is wrong."""
    if len(content) > MAX_BYTES:
        raise UnfitError(f"it has more than {MAX_BYTES} bytes")
    locked = {entry["name"]: set(HASH.findall(entry["hashes"])) for entry in ENTRY.finditer(lock)}
    wheels = {}
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for name in archive.namelist():
            package = re.sub(r"[-_.]+", "-", name.partition("-")[0]).casefold()
            wheel = archive.read(name)
            if hashlib.sha256(wheel).hexdigest() not in locked.get(package, ()):
                raise UnfitError(f"{name} is not what is locked")
            wheels[package] = _open(wheel)
    missing = sorted(locked.keys() - wheels.keys())
    if missing or not wheels:
        raise UnfitError(f"it lacks {', '.join(missing) or 'everything'}")
    for wheel in wheels.values():
        wheel.extractall(folder)


def _open(wheel: bytes) -> zipfile.ZipFile:
    files = zipfile.ZipFile(io.BytesIO(wheel))
    if any(".data/" in name for name in files.namelist()):
        raise UnfitError("a wheel holds more than packages")
    return files


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
