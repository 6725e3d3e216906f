"""A screenplay becomes a text: one blank line between elements, marks only where they are needed.

A mark is needed where the text, read back without it, would be something else. This is the
canonical form; a text in it is the same after reading and rendering.
"""

from collections.abc import Sequence
from dataclasses import replace

from fountain.screenplay.cues import cue_line, said_lines
from fountain.screenplay.lines import BYTE_ORDER_MARK
from fountain.screenplay.model import (
    Action,
    Centered,
    Element,
    Heading,
    Lyrics,
    Note,
    PageBreak,
    Screenplay,
    Speech,
    Synopsis,
    Transition,
)
from fountain.screenplay.parser import read_body
from fountain.screenplay.title_page import read_title_page, title_page_lines

_MARKS: dict[type, tuple[str, str, bool]] = {
    Action: ("!", "", False),
    Transition: ("> ", "", False),
    Synopsis: ("= ", "", False),
    Note: ("[[", "]]", False),
    Centered: ("> ", " <", True),
    Lyrics: ("~", "", True),
}
"""What stands before and after an element, or before and after each of its lines."""


def render(screenplay: Screenplay) -> str:
    """Return the text of a screenplay."""
    paragraphs = [list(title_page_lines(screenplay.title_page))] if screenplay.title_page else []
    for block in _blocks(screenplay.elements):
        # At the very start, what looks like a title page would be one.
        paragraphs.append(_lines(block, first=not paragraphs))
    text = "\n\n".join("\n".join(lines) for lines in paragraphs) + ("\n" if paragraphs else "")
    if screenplay.crlf:
        text = text.replace("\n", "\r\n")
    return (BYTE_ORDER_MARK if screenplay.byte_order_mark else "") + text


def _blocks(elements: Sequence[Element]) -> list[list[Element]]:
    """Return the elements, those together that stand under one cue."""
    blocks: list[list[Element]] = []
    for element in elements:
        if blocks and _stands_under(element, blocks[-1][-1]):
            blocks[-1].append(element)
        else:
            blocks.append([element])
    return blocks


def _stands_under(element: Element, before: Element) -> bool:
    if not (isinstance(element, Speech) and isinstance(before, Speech) and element.continued):
        return False
    tells_apart = element.parenthetical is not None or (
        before.text is not None and before.sung != element.sung
    )
    return element.character == before.character and tells_apart


def _lines(block: list[Element], *, first: bool) -> list[str]:
    element = block[0]
    if isinstance(element, Speech):
        said = [line for one in block if isinstance(one, Speech) for line in said_lines(one)]
        cue = cue_line(element, forced=False)
        if (first and _begins_otherwise([cue, *said])) or not _is_cue(element, cue):
            cue = cue_line(element, forced=True)
        return [cue, *said]
    if isinstance(element, Action | Heading | Transition):
        plain = element.text.split("\n")
        if read_body(plain) == [element] and not (first and _begins_otherwise(plain)):
            return plain
    return _marked(element).split("\n")


def _is_cue(speech: Speech, line: str) -> bool:
    """Whether a line is the cue of a speech, without a mark."""
    cue = replace(speech, text="x", parenthetical=None, sung=False, continued=False)
    return read_body([line, "x"]) == [cue]


def _begins_otherwise(lines: list[str]) -> bool:
    """Whether a file that begins with these lines begins with something else than their element."""
    return bool(read_title_page(lines)[0]) or lines[0].startswith(BYTE_ORDER_MARK)


def _marked(element: Element) -> str:
    """Return an element with its mark."""
    if isinstance(element, PageBreak):
        return "==="
    if isinstance(element, Heading):
        return f"{'#' * element.level} {element.text}" if element.level else f".{element.text}"
    before, after, each_line = _MARKS[type(element)]
    texts = (element.text or "").split("\n") if each_line else [element.text]
    return "\n".join(f"{before}{text}{after}" for text in texts)
