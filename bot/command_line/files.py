"""Files for other programs: each is written whole, or stays as it was."""

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryFile


def try_place(directory: Path) -> None:
    """Raise OSError where nothing could be written to a directory, which need not be there yet."""
    nearest = next((each for each in (directory, *directory.parents) if each.exists()), directory)
    with TemporaryFile(dir=nearest) as file:
        file.write(b".")
        file.flush()


def write_files(directory: Path, files: Mapping[str, str]) -> None:
    """Write files, all or none; raise OSError where one cannot be written.

    Whoever is stopped on the way leaves no half of a file behind.
    """
    directory.mkdir(parents=True, exist_ok=True)
    parts = {name: directory / f".{name}.{os.getpid()}.part" for name in files}
    try:
        for name, text in files.items():
            parts[name].write_text(text, encoding="utf-8")
        for name, part in parts.items():
            part.replace(directory / name)
    finally:
        for part in parts.values():
            with suppress(OSError):
                part.unlink(missing_ok=True)
