"""Bytes of any kind become lines of text: in chunks, bounded, whatever the encoding."""

from typing import Final

MAX_LINE_LENGTH: Final = 65_536
"""Bytes of a line that are kept."""

CUT_MARK: Final = " […cut at 64 KiB]"


class LineReader:
    """Splits a stream of bytes into lines.

    A line is shown at 64 KiB, with a mark; the rest up to the line feed is left out. Bytes that
    are no UTF-8 become U+FFFD. Never holds more than one line.
    """

    def __init__(self) -> None:
        self._rest = bytearray()
        self._cutting = False

    def feed(self, chunk: bytes) -> list[str]:
        """Return the lines that are complete with this chunk."""
        *complete, rest = chunk.split(b"\n")
        lines: list[str] = []
        for part in complete:
            if self._cutting or self._rest or len(part) > MAX_LINE_LENGTH:
                self._take(part, lines)
                lines += self.end()
            else:
                lines.append(_decode(part))
        self._take(rest, lines)
        return lines

    def end(self) -> list[str]:
        """Return the last line, when the stream ended without a line feed."""
        lines = [_decode(bytes(self._rest))] if self._rest else []
        self._rest.clear()
        self._cutting = False
        return lines

    def _take(self, part: bytes, lines: list[str]) -> None:
        if self._cutting:
            return
        self._rest += part[: MAX_LINE_LENGTH + 1 - len(self._rest)]
        if len(self._rest) > MAX_LINE_LENGTH:
            lines.append(_decode(bytes(self._rest[:MAX_LINE_LENGTH])) + CUT_MARK)
            self._rest.clear()
            self._cutting = True


def _decode(line: bytes) -> str:
    return line.removesuffix(b"\r").decode("utf-8", "replace")
