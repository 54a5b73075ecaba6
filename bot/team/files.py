"""Tell team entries from other files by their path: the one matcher, used everywhere."""

from collections.abc import Collection
from fnmatch import fnmatchcase

TEAM_FILES = "data/team_members/person/*/*.yml"


def is_team_file(path: str, glob: str = TEAM_FILES) -> bool:
    """Match a path with a glob segment by segment; absolute and climbing paths never match."""
    segments, patterns = path.split("/"), glob.split("/")
    if len(segments) != len(patterns) or "\0" in path or "\\" in path or "\n" in path:
        return False
    return all(
        segment not in {"", ".", ".."} and fnmatchcase(segment, pattern)
        for segment, pattern in zip(segments, patterns, strict=True)
    )


def lies_among_entries(path: str, glob: str = TEAM_FILES) -> bool:
    """Return whether a file that is no entry lies where another reader may look for entries.

    That is anywhere below the folder of entries, however its name is spelt, and in place of the
    folder itself, as a symbolic link or a submodule may lie.
    """
    folder = glob.partition("*")[0].casefold()
    name = path.replace("\\", "/").casefold()
    found = name.startswith(folder) or folder.startswith(name + "/")
    return found and not is_team_file(path, glob)


def rules_entries(path: str, glob: str = TEAM_FILES) -> bool:
    """Return whether a file tells git as which bytes it writes entries out (gitattributes)."""
    folder, _, name = f"/{path}".rpartition("/")
    place = "/" + glob.partition("*")[0].rstrip("/")
    return name == ".gitattributes" and (
        f"{place}/".startswith(f"{folder}/") or folder.startswith(f"{place}/")
    )


def is_entry(path: str, globs: Collection[str]) -> bool:
    """Return whether a file is an entry at one of several places."""
    return any(is_team_file(path, glob) for glob in globs)


def concerns_entries(path: str, globs: Collection[str]) -> bool:
    """Return whether a file is an entry, or one beside the entries that may be meant as one."""
    if is_entry(path, globs) or any(
        lies_among_entries(path, glob) or rules_entries(path, glob) for glob in globs
    ):
        return True
    # The list of people that the entries are made into; some edit it by mistake.
    return any(path == f"{glob.split('/')[0]}/team.yml" for glob in globs)


def may_concern_entries(paths: Collection[str] | None, globs: Collection[str]) -> bool:
    """Return whether any of these files, or of unknown ones, concerns the entries."""
    return paths is None or any(concerns_entries(path, globs) for path in paths)
