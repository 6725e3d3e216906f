"""Text edited as text keeps the form of its file."""

import pytest

from gameserver.files.exceptions import NotText
from gameserver.files.text import keep_format

MARK = b"\xef\xbb\xbf"


@pytest.mark.parametrize(
    ("former", "sent", "written"),
    [
        (None, b"a\r\nb", b"a\r\nb"),
        (b"a\nb\n", b"a\r\nc\r\n", b"a\nc\n"),
        (b"a\r\nb\r\n", b"a\nc\n", b"a\r\nc\r\n"),
        (b"a\r\nb\n", b"c\nd\r\n", b"c\nd\r\n"),
        (MARK + b"a", b"b", MARK + b"b"),
        (MARK + b"a", MARK + b"b", MARK + b"b"),
        (b"a", MARK + b"b", b"b"),
        (b"", b"b\r\n", b"b\r\n"),
    ],
)
def test_mark_and_line_ends_stay(former: bytes | None, sent: bytes, written: bytes) -> None:
    """The byte-order mark and line ends are those of the file, whatever an editor makes of them."""
    assert keep_format(former, sent) == written


@pytest.mark.parametrize(
    ("former", "sent"),
    [(b"\xcf\xf0\xe8", b"a"), (b"a", b"\xcf\xf0"), (b"a\0", b"b"), (b"a", b"\0")],
)
def test_other_encodings_are_never_edited_as_text(former: bytes, sent: bytes) -> None:
    """A CP1251 file would be damaged, so as text it is refused; as bytes it can be written."""
    with pytest.raises(NotText):
        keep_format(former, sent)
