"""Read files out of a repository's archive while it comes; nothing is written to disk."""

import tarfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from typing import IO, cast

from bot.errors import GitLabError
from bot.gitlab.transport import OddAnswerError

MOST_BYTES = 64 * 1024 * 1024  # of the archive once unpacked; 3,000 entries take about 6 MiB
MOST_FILES = 50_000
LARGEST = 1024 * 1024  # bytes of one file; larger ones are no entries
GZIP = 31  # zlib's number for "with the header of gzip"

Wanted = Callable[[str, bytes], bool]


class _Unpacked:
    """An archive as it unpacks, up to a limit, for a reader that wants a file."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._gzip = zlib.decompressobj(GZIP)
        self._kept = b""
        self._left = MOST_BYTES

    def read(self, size: int) -> bytes:
        """Return so many bytes, or fewer at the end; raise GitLabError beyond the limit."""
        parts = []
        while size > 0 and (self._kept or self._unpack()):
            part, self._kept = self._kept[:size], self._kept[size:]
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

    def finish(self) -> None:
        """Read on to the end; raise OddAnswerError where the archive was cut short."""
        while self.read(LARGEST):
            pass
        if not self._gzip.eof:
            raise OddAnswerError("GitLab's answer ended before the archive did.")

    def _unpack(self) -> bool:
        """Unpack some more; a small piece may unpack to very much, so it is done in steps."""
        while not self._kept:
            packed = (
                b"" if self._gzip.eof else self._gzip.unconsumed_tail or next(self._pieces, b"")
            )
            self._kept = self._gzip.decompress(packed, LARGEST) if not self._gzip.eof else b""
            if not (packed or self._kept):
                return False
        self._left -= len(self._kept)
        if self._left < 0:
            raise GitLabError(f"The archive unpacks to more than the {MOST_BYTES} bytes read.")
        return True


def read_archive(pieces: Iterator[bytes], wanted: Wanted) -> Mapping[str, bytes]:
    """Return the files that are wanted, by path; links, and what is too large, never are.

    Raises GitLabError where the archive is larger than what is read, and OddAnswerError where it
    is broken.
    """
    unpacked = _Unpacked(pieces)
    try:
        with tarfile.open(fileobj=cast(IO[bytes], unpacked), mode="r|") as archive:
            found = dict(_read_files(archive, wanted))
        # A tar that is cut between two files looks like a whole one.
        unpacked.finish()
    except (tarfile.TarError, zlib.error, EOFError, ValueError) as error:
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
