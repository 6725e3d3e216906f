"""Text that comes back from an editor, in the form that its file has.

Browsers drop a byte-order mark when they decode, and their editors have line ends of their own: the
file keeps its mark and its line ends. What isn't UTF-8 is never edited as text (pitfall 19).
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


def in_form_of(former: bytes | None, sent: bytes) -> bytes:
    """Return sent text with the mark and the line ends of the file it replaces.

    A file whose line ends are mixed, or a new one, gets the text as it was sent. Raises `NotText`.
    """
    if not is_text(sent):
        raise NotText("Text must be UTF-8; send application/octet-stream to write bytes.")
    if former is None:
        return sent
    if not is_text(former):
        raise NotText("The file isn't UTF-8: as text it would be damaged.")
    mark = MARK if former.startswith(MARK) else b""
    return mark + _with_line_ends(former, sent.removeprefix(MARK))


def _with_line_ends(former: bytes, sent: bytes) -> bytes:
    windows = former.count(b"\r\n")
    if b"\n" not in former or windows not in {0, former.count(b"\n")}:
        return sent
    plain = sent.replace(b"\r\n", b"\n")
    return plain.replace(b"\n", b"\r\n") if windows else plain
