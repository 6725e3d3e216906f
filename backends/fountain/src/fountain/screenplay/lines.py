"""The lines of a screenplay's text, before they are parsed."""

from dataclasses import dataclass, field

BYTE_ORDER_MARK = "\ufeff"
KEPT_BLANK = "  "
"""A line of two spaces is blank but doesn't end the dialogue (fountain.io/syntax, Dialogue)."""
_WHITE = " \t"


@dataclass(slots=True)
class Lines:
    """Lines without their ends, the number of each in the file, and where text is struck out."""

    texts: list[str] = field(default_factory=lambda: [""])
    numbers: list[int] = field(default_factory=lambda: [1])
    struck_out: list[tuple[int, int]] = field(default_factory=list)
    """First and last line of each boneyard."""
    _number: int = 1

    def add(self, text: str) -> None:
        """Append this text."""
        first, *others = text.split("\n")
        self.texts[-1] += first
        for other in others:
            self._number += 1
            self.texts.append(other)
            self.numbers.append(self._number)

    def strike_out(self, text: str) -> None:
        """Leave this text out, but count its lines."""
        first = self._number
        self._number += text.count("\n")
        self.struck_out.append((first, self._number))


def trim(line: str) -> str:
    """Return a line without spaces and tabs at its ends; other white space is text."""
    return line.strip(_WHITE)


def is_blank(line: str) -> bool:
    """Return whether a line has only spaces and tabs."""
    return not trim(line)


def normal(text: str) -> str:
    """Return a text whose lines end with LF."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def ends_lines_with_crlf(text: str) -> bool:
    """Return whether every line ends with CRLF, and there is one."""
    crlf = text.count("\r\n")
    return 0 < crlf == text.count("\n") == text.count("\r")


def split(text: str) -> Lines:
    """Return the lines of a normal text without its boneyards, from /* to */."""
    lines = Lines()
    start = 0
    while (opened := text.find("/*", start)) >= 0:
        closed = text.find("*/", opened + 2)
        if closed < 0:
            break
        lines.add(text[start:opened])
        lines.strike_out(text[opened:closed])
        start = closed + 2
        if lines.texts[-1].endswith("/") and text.startswith("*", start):
            # The rest on both sides must not become the start of a boneyard.
            lines.add(" ")
    lines.add(text[start:])
    return lines
