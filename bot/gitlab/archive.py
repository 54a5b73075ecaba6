"""Read files out of a repository's archive while it comes; nothing is written to disk."""

import gzip
import io
import tarfile
import zlib
from collections.abc import Callable, Iterator, Mapping

from bot.errors import GitLabError
from bot.gitlab.transport import OddAnswerError

MOST_BYTES = 64 * 1024 * 1024  # of the archive once unpacked; 3,000 entries take about 6 MiB
MOST_FILES = 50_000
LARGEST = 1024 * 1024  # bytes of one file; larger ones are no entries

Wanted = Callable[[str, bytes], bool]


class _Pieces(io.RawIOBase):
    """What comes piece by piece, as a file."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = b""

    def readable(self) -> bool:
        """Return that it can be read."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Fill a buffer as far as the present piece reaches; return how far that is."""
        self._rest = self._rest or next(self._pieces, b"")
        part, self._rest = self._rest[: len(buffer)], self._rest[len(buffer) :]
        buffer[: len(part)] = part
        return len(part)


class _Bounded(gzip.GzipFile):
    """A file as it unpacks, up to a limit."""

    unpacked = 0

    def read(self, size: int | None = -1) -> bytes:
        """Return so many bytes, or fewer at the end; raise GitLabError beyond the limit."""
        found = super().read(size)
        self.unpacked += len(found)
        if self.unpacked > MOST_BYTES:
            raise GitLabError(f"The archive unpacks to more than the {MOST_BYTES} bytes read.")
        return found


def read_archive(pieces: Iterator[bytes], wanted: Wanted) -> Mapping[str, bytes]:
    """Return the files that are wanted, by path; links, and what is too large, never are.

    Raises GitLabError where the archive is larger than what is read, and OddAnswerError where it
    is broken.
    """
    unpacked = _Bounded(fileobj=io.BufferedReader(_Pieces(pieces)))
    try:
        with tarfile.open(fileobj=unpacked, mode="r|") as archive:
            found = dict(_read_files(archive, wanted))
        # A tar that is cut between two files looks like a whole one.
        while unpacked.read(LARGEST):
            pass
    except (tarfile.TarError, zlib.error, EOFError, gzip.BadGzipFile, ValueError) as error:
        name = type(error).__name__
        raise OddAnswerError(f"GitLab's answer is no whole archive ({name}).") from None
    return found


def _read_files(archive: tarfile.TarFile, wanted: Wanted) -> Iterator[tuple[str, bytes]]:
    for number, member in enumerate(archive):
        if number >= MOST_FILES:
            raise GitLabError(f"The archive holds more than the {MOST_FILES} files read.")
        # All lies in one folder, named after the project and the commit
        # (`archive_prefix` in lib/gitlab/git/repository.rb).
        path = member.name.partition("/")[2]
        if not member.isreg() or member.size > LARGEST:
            continue
        file = archive.extractfile(member)
        content = file.read() if file else b""
        if wanted(path, content):
            yield path, content
