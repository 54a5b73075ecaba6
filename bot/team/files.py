"""Tell team entries from other files by their path: the one matcher, used everywhere."""

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
    """Tell whether a file that is no entry lies where another reader may look for entries.

    That is anywhere below the folder of entries, however its name is spelt, and in place of the
    folder itself, as a symbolic link or a submodule may lie.
    """
    folder = glob.partition("*")[0].casefold()
    name = path.replace("\\", "/").casefold()
    found = name.startswith(folder) or folder.startswith(name + "/")
    return found and not is_team_file(path, glob)
