"""From chunks of bytes to lines of text, and from lines to messages. Both are bounded."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import orjson

from bedplate.realtime import Numbered

MAX_LINE_LENGTH: Final = 65_536
"""Bytes of a line."""

CUT_MARK: Final = " […cut at 64 KiB]"

MAX_TEXT_LENGTH: Final = 65_536
"""Characters of a message. A longer one goes on in a further message that is `continued`."""

MAX_JOINED_LINES: Final = 500
"""Lines of one message."""

STANDARD_ERROR: Final = "Stderr"
"""Level of standard error: the .NET host's own output, never the game's log."""

MANAGER: Final = "Manager"
"""Level of the manager's own lines."""

_OVERHEAD: Final = 200
# The game writes times in its host's culture: some have dots in place of colons.
_STAMP = re.compile(
    r"\d{1,2}\.\d{1,2}\.\d{4} \d{1,2}[:.]\d{2}[:.]\d{2} \[Server ([A-Za-z]{1,20})\] ?", re.ASCII
)


@dataclass(frozen=True, slots=True)
class ConsoleLine:
    """One message of the console.

    at          when it was read, UTC: the game's own stamps have no zone, so they are dropped
    level       Chat, Event, Notification, Warning, Error, Fatal, …; None when the game named none
    text        untrusted but sanitized; the lines of one message are joined by line feeds
    continued   whether it continues the message before, which was shown already
    """

    at: datetime
    level: str | None
    text: str
    continued: bool = False

    @property
    def authentic(self) -> bool:
        """Whether the server itself logged it, not a player or a mod."""
        return not self.continued and self.level not in {None, "Chat", STANDARD_ERROR, MANAGER}


def fields_of(entry: Numbered[ConsoleLine]) -> dict[str, Any]:
    """Return a numbered line as clients see it."""
    line = entry.item
    return {
        "number": entry.number,
        "at": line.at,
        "level": line.level,
        "text": line.text,
        "continued": line.continued,
    }


def encode(entry: Numbered[ConsoleLine]) -> str:
    """Return a numbered line as JSON for clients."""
    return orjson.dumps(fields_of(entry)).decode()


def size_of(line: ConsoleLine) -> int:
    """Return roughly how many bytes a line takes in memory."""
    return len(line.text) + _OVERHEAD


class LineReader:
    """Splits a stream of bytes into lines, and holds at most one of them.

    A line is cut at 64 KiB, with a mark; the rest is dropped. Invalid UTF-8 becomes U+FFFD.
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


class MessageJoiner:
    """Joins the lines of a message: only the first has a time and a level."""

    def __init__(self) -> None:
        self._level: str | None = None
        self._lines: list[str] = []
        self._length = 0
        self._at: datetime | None = None
        self._continued = False

    @property
    def pending(self) -> bool:
        """Whether a message is held back, in case it goes on."""
        return bool(self._lines)

    def add(self, text: str, at: datetime) -> ConsoleLine | None:
        """Take a line, and return the message that it completes, if any."""
        stamp = _STAMP.match(text)
        if stamp is None:
            return self._append(text, at)
        complete = self.flush()
        self._level = stamp[1]
        self._begin(text[stamp.end() :], at, continued=False)
        return complete

    def flush(self) -> ConsoleLine | None:
        """Return the message that is held back, if any. What follows of it is `continued`."""
        if not self._lines or self._at is None:
            return None
        message = ConsoleLine(self._at, self._level, "\n".join(self._lines), self._continued)
        self._lines = []
        return message

    def _append(self, text: str, at: datetime) -> ConsoleLine | None:
        complete = None
        if len(self._lines) >= MAX_JOINED_LINES or self._length + len(text) >= MAX_TEXT_LENGTH:
            complete = self.flush()
        if self._lines:
            self._lines.append(text)
            self._length += len(text) + 1
        else:
            self._begin(text, at, continued=self._at is not None)
        return complete

    def _begin(self, text: str, at: datetime, *, continued: bool) -> None:
        self._lines = [text]
        self._length = len(text)
        self._at = at
        self._continued = continued
