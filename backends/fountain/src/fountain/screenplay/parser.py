"""Parses a text into a screenplay. No text is refused: what is nothing else is action.

Blank lines separate paragraphs. At the start of a paragraph, and after an element that is one line,
the readers in `_READERS` are tried in turn.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from fountain.screenplay import model
from fountain.screenplay.cues import read_cue
from fountain.screenplay.lines import (
    BYTE_ORDER_MARK,
    KEPT_BLANK,
    ends_lines_with_crlf,
    is_blank,
    is_capitals,
    normal,
    split,
    trim,
)
from fountain.screenplay.model import Element, Screenplay
from fountain.screenplay.title_page import read_title_page

Lines = Sequence[str]
Elements = tuple[Sequence[Element], int]
"""Elements, and the line after them."""

_SCENE = re.compile(r"(?:INT|EXT|EST|INT\.?/EXT|I\.?/E)[. ]", re.IGNORECASE)
_PAGE_BREAK = re.compile(r"={3,}")


@dataclass(frozen=True, slots=True)
class Reading:
    """A screenplay, and the first and last line of each boneyard, which it leaves out."""

    screenplay: Screenplay
    struck_out: tuple[tuple[int, int], ...]


def parse(text: str) -> Screenplay:
    """Return the screenplay in a text."""
    return read(text).screenplay


def read(text: str) -> Reading:
    """Return the screenplay in a text, and what is struck out there."""
    body = text.removeprefix(BYTE_ORDER_MARK)
    lines, struck_out = split(normal(body))
    entries, start = read_title_page(lines)
    elements = read_body(lines, start)
    screenplay = Screenplay(
        entries,
        tuple(elements),
        crlf=ends_lines_with_crlf(body) and bool(entries or elements),
        byte_order_mark=body != text,
    )
    return Reading(screenplay, struck_out)


def read_body(lines: Lines, start: int = 0) -> list[Element]:
    """Return the elements in the lines from `start` on, which have no title page."""
    elements: list[Element] = []
    at = start
    while at < len(lines):
        if is_blank(lines[at]):
            at += 1
            continue
        results = (reader(lines, at) for reader in _READERS)
        some, at = next(result for result in results if result is not None)
        elements += some
    return elements


def _action_end(lines: Lines, at: int) -> int:
    """Return the first blank line from `at` on; an open note goes on over lines of two spaces."""
    in_note = False
    for end in range(at, len(lines)):
        line = lines[end]
        if is_blank(line) and not (in_note and line == KEPT_BLANK):
            return end
        opened, closed = line.rfind("[["), line.rfind("]]")
        if opened != closed:
            in_note = opened > closed
    return len(lines)


def _from(lines: Lines, at: int) -> Iterator[str]:
    return (lines[here] for here in range(at, len(lines)))


def _note(lines: Lines, at: int) -> Elements | None:
    if not trim(lines[at]).startswith("[["):
        return None
    texts: list[str] = []
    end = at
    while end < len(lines) and (lines[end] == KEPT_BLANK or not is_blank(lines[end])):
        line = lines[end] if end > at else lines[at].lstrip(" \t")[2:]
        text, closed, rest = line.partition("]]")
        texts.append(text)
        if closed and is_blank(rest):
            return [model.Note("\n".join(texts))], end + 1
        if closed:
            break
        end += 1
    # Not a note alone. The lines that were searched are taken, or they would be searched again.
    return _action(lines, at)


def _page_break(lines: Lines, at: int) -> Elements | None:
    return ([model.PageBreak()], at + 1) if _PAGE_BREAK.fullmatch(trim(lines[at])) else None


def _synopsis(lines: Lines, at: int) -> Elements | None:
    line = trim(lines[at])
    text = trim(line[1:])
    return ([model.Synopsis(text)], at + 1) if line.startswith("=") and text else None


def _section(lines: Lines, at: int) -> Elements | None:
    line = trim(lines[at])
    text = line.lstrip("#")
    level = len(line) - len(text)
    return ([model.Heading(trim(text), level)], at + 1) if level and trim(text) else None


def _centered(lines: Lines, at: int) -> Elements | None:
    texts: list[str] = []
    for line in map(trim, _from(lines, at)):
        text = trim(line[1:-1])
        if not (line.startswith(">") and line.endswith("<") and text):
            break
        texts.append(text)
    return ([model.Centered("\n".join(texts))], at + len(texts)) if texts else None


def _lyrics(lines: Lines, at: int) -> Elements | None:
    texts: list[str] = []
    for line in _from(lines, at):
        if not trim(line).startswith("~"):
            break
        texts.append(line.lstrip(" \t")[1:])
    return ([model.Lyrics("\n".join(texts))], at + len(texts)) if texts else None


def _forced_scene(lines: Lines, at: int) -> Elements | None:
    line = trim(lines[at])
    if not (line.startswith(".") and line[1:2].isalnum()):
        return None
    return [model.Heading(line[1:])], at + 1


def _scene(lines: Lines, at: int) -> Elements | None:
    line = trim(lines[at])
    # The format demands a blank line after it. Without one the line must be in capitals as well.
    alone = at + 1 == len(lines) or is_blank(lines[at + 1])
    is_heading = _SCENE.match(line) and (alone or is_capitals(line))
    return ([model.Heading(line)], at + 1) if is_heading else None


def _transition(lines: Lines, at: int) -> Elements | None:
    line = trim(lines[at])
    if line.startswith(">"):
        text = trim(line[1:])
        return ([model.Transition(text)], at + 1) if text else None
    return (
        ([model.Transition(line)], at + 1) if is_capitals(line) and line.endswith("TO:") else None
    )


def _forced_action(lines: Lines, at: int) -> Elements | None:
    return _action(lines, at) if lines[at].startswith("!") else None


def _action(lines: Lines, at: int) -> Elements:
    end = _action_end(lines, at)
    return [model.Action("\n".join(lines[at:end]).removeprefix("!"))], end


_READERS: tuple[Callable[[Lines, int], Elements | None], ...] = (
    _forced_action,
    _note,
    _page_break,
    _synopsis,
    _section,
    _centered,
    _lyrics,
    _forced_scene,
    _scene,
    _transition,
    read_cue,
    _action,
)
