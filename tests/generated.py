"""Files of which all or a part is generated: held against what is generated now, or rewritten."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Settle:
    """Compares a file's part between two marks; rewrites it first when blessing.

    An empty mark is the beginning, or the end, of the file.
    """

    blessing: bool

    def __call__(self, file: Path, generated: str, after: str = "", before: str = "") -> None:
        """Fail where the file says something else."""
        text = file.read_text(encoding="utf-8")
        start = text.index(after) + len(after)
        end = text.index(before, start) if before else len(text)
        if self.blessing:
            text = text[:start] + generated + text[end:]
            file.write_text(text, encoding="utf-8")
            end = start + len(generated)
        assert text[start:end] == generated, "run `make bless` and read the difference"
