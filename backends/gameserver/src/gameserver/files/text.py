"""Gives text from an editor the byte-order mark and line ends of the file that it replaces.

Browsers drop the mark when they decode, and editors have line ends of their own. Files that aren't
UTF-8 are never edited as text (pitfall 19).
"""

from typing import Final

from gameserver.files.exceptions import NotText

MARK: Final = b"\xef\xbb\xbf"


def is_text(content: bytes) -> bool:
    """Return whether bytes are text in UTF-8."""
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return b"\0" not in content


def keep_format(former: bytes | None, content: bytes) -> bytes:
    """Return text with the byte-order mark and line ends of the file that it replaces.

    If that file is new or has mixed line ends, the text stays as it is. Raises `NotText`.
    """
    if not is_text(content):
        raise NotText("Text must be UTF-8; send application/octet-stream to write bytes.")
    if former is None:
        return content
    if not is_text(former):
        raise NotText("The file isn't UTF-8: editing it as text would damage it.")
    mark = MARK if former.startswith(MARK) else b""
    return mark + _with_line_ends(former, content.removeprefix(MARK))


def _with_line_ends(former: bytes, content: bytes) -> bytes:
    windows = former.count(b"\r\n")
    if b"\n" not in former or windows not in {0, former.count(b"\n")}:
        return content
    plain = content.replace(b"\r\n", b"\n")
    return plain.replace(b"\n", b"\r\n") if windows else plain
