"""Renders a screenplay: one blank line between elements, marks only where they are needed.

A mark is needed where the text, parsed without it, would be something else. This is the canonical
form; a text in it is the same after parsing and rendering.
"""

from collections.abc import Sequence
from dataclasses import replace

from fountain.screenplay import model
from fountain.screenplay.cues import cue_line, dialogue_lines
from fountain.screenplay.lines import BYTE_ORDER_MARK
from fountain.screenplay.model import Element, Screenplay, Speech
from fountain.screenplay.parser import read_body
from fountain.screenplay.title_page import read_title_page, title_page_lines

_MARKS: dict[type, tuple[str, str, bool]] = {
    model.Action: ("!", "", False),
    model.Transition: ("> ", "", False),
    model.Synopsis: ("= ", "", False),
    model.Note: ("[[", "]]", False),
    model.Centered: ("> ", " <", True),
    model.Lyrics: ("~", "", True),
}
"""The text before and after an element, or before and after each of its lines."""


def render(screenplay: Screenplay) -> str:
    """Return the text of a screenplay."""
    paragraphs = [list(title_page_lines(screenplay.title_page))] if screenplay.title_page else []
    for block in _blocks(screenplay.elements):
        # At the very start, what looks like a title page would be parsed as one.
        paragraphs.append(_lines(block, first=not paragraphs))
    text = "\n\n".join("\n".join(lines) for lines in paragraphs) + ("\n" if paragraphs else "")
    if screenplay.crlf:
        text = text.replace("\n", "\r\n")
    return (BYTE_ORDER_MARK if screenplay.byte_order_mark else "") + text


def _blocks(elements: Sequence[Element]) -> list[list[Element]]:
    """Return the elements, with speeches under the same cue in one list."""
    blocks: list[list[Element]] = []
    for element in elements:
        if blocks and _continues(element, blocks[-1][-1]):
            blocks[-1].append(element)
        else:
            blocks.append([element])
    return blocks


def _continues(element: Element, before: Element) -> bool:
    if not (isinstance(element, Speech) and isinstance(before, Speech) and element.continued):
        return False
    distinct = element.parenthetical is not None or (
        before.text is not None and before.sung != element.sung
    )
    return element.character == before.character and distinct


def _lines(block: list[Element], *, first: bool) -> list[str]:
    element = block[0]
    if isinstance(element, Speech):
        speeches = [speech for speech in block if isinstance(speech, Speech)]
        dialogue = [line for speech in speeches for line in dialogue_lines(speech)]
        cue = cue_line(element, forced=False)
        if (first and _begins_otherwise([cue, *dialogue])) or not _is_cue(element, cue):
            cue = cue_line(element, forced=True)
        return [cue, *dialogue]
    if isinstance(element, model.Action | model.Heading | model.Transition):
        plain = element.text.split("\n")
        if read_body(plain) == [element] and not (first and _begins_otherwise(plain)):
            return plain
    return _marked(element).split("\n")


def _is_cue(speech: Speech, line: str) -> bool:
    """Return whether a line is parsed as the cue of a speech, without a mark."""
    cue = replace(speech, text="x", parenthetical=None, sung=False, continued=False)
    return read_body([line, "x"]) == [cue]


def _begins_otherwise(lines: list[str]) -> bool:
    """Return whether a file with these lines at its start doesn't begin with their element."""
    return bool(read_title_page(lines)[0]) or lines[0].startswith(BYTE_ORDER_MARK)


def _marked(element: Element) -> str:
    """Return the text of an element with its mark."""
    if isinstance(element, model.PageBreak):
        return "==="
    if isinstance(element, model.Heading):
        return f"{'#' * element.level} {element.text}" if element.level else f".{element.text}"
    before, after, each_line = _MARKS[type(element)]
    texts = (element.text or "").split("\n") if each_line else [element.text]
    return "\n".join(f"{before}{text}{after}" for text in texts)
