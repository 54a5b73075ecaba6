"""Read the text of a file, and show a piece of it inertly."""

import codecs
import re

from bot.errors import TeamDatabaseError

# What YAML calls not printable (`NON_PRINTABLE` in yaml/reader.py), which takes ten times as long
# to compile when it is told by what is allowed.
NOT_PRINTABLE = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]"
)
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark is the first half of this one
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def shown(text: str, limit: int = 60) -> str:
    """Quote foreign text as one short line without control or invisible characters."""
    cut = text if len(text) <= limit else text[: limit - 1] + "…"
    kept = (c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in cut)
    return '"' + "".join(kept) + '"'


def decode_text(raw: bytes, where: str) -> str:
    """Decode a file by its byte order mark; raises TeamDatabaseError where it is no text."""
    encoding = next((name for mark, name in _BOMS if raw.startswith(mark)), "utf-8")
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise TeamDatabaseError(
            f"{where}, line {line}, is not {encoding.removesuffix('-sig').upper()} text "
            f"(byte 0x{raw[error.start]:02x}): save the file as UTF-8."
        ) from None
    bad = NOT_PRINTABLE.search(text)
    if bad:
        line = text.count("\n", 0, bad.start()) + 1
        hint = ", as UTF-16 without a byte order mark has" if bad.group() == "\0" else ""
        raise TeamDatabaseError(
            f"{where}, line {line}, holds the control character {shown(bad.group())}{hint}: "
            "remove it and save the file as UTF-8."
        )
    return text
