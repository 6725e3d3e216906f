"""From chunks of bytes to lines of text, bounded in length, in any encoding."""

from typing import Final

MAX_LINE_LENGTH: Final = 65_536
"""Bytes."""

CUT_MARK: Final = " […cut at 64 KiB]"


class LineReader:
    """Splits a stream of bytes into lines, and holds at most one of them.

    A line is cut at 64 KiB, with a mark, and the rest of it is dropped. Invalid UTF-8 becomes
    U+FFFD.
    """

    def __init__(self) -> None:
        self._rest = bytearray()
        self._cutting = False

    def feed(self, chunk: bytes) -> list[str]:
        """Return the lines that this chunk completes."""
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
        """Return the last line if the stream ended without a line feed."""
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
