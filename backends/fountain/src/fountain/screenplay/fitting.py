"""Adapts texts from outside a screenplay so that they can stand in one."""

from dataclasses import replace

from fountain.screenplay import model
from fountain.screenplay.lines import is_blank, normal, trim
from fountain.screenplay.model import Element, Screenplay, Speech
from fountain.screenplay.parser import parse
from fountain.screenplay.renderer import render


def fits(element: Element) -> bool:
    """Return whether an element is the same after it was rendered and parsed."""
    alone = replace(element, continued=False) if isinstance(element, Speech) else element
    return parse(render(Screenplay(elements=(alone,)))).elements == (alone,)


def fit(element: Element) -> list[Element]:
    """Return the element if it fits, else what is nearest to it; nothing for an empty text."""
    if fits(element):
        return [element]
    match element:
        case model.Heading(text, level):
            return _headings(" ".join(text.split()), level)
        case model.Action(text) | model.Transition(text) | model.Centered(text):
            return _actions(text)
        case Speech():
            name = " ".join(element.character.split()) or "?"
            lines = [] if element.text is None else normal(element.text).split("\n")
            words = "\n".join(map(trim, lines)) if lines else None
            return [replace(element, character=name, text=words)]
        case _:
            return [element]


def _headings(text: str, level: int) -> list[Element]:
    heading = model.Heading(text, level)
    if fits(heading):
        return [heading]
    words = text.lstrip("# ")
    return [model.Heading(words, max(level, model.SCENE + 1))] if words else []


def _actions(text: str) -> list[Element]:
    paragraphs: list[list[str]] = [[]]
    for line in normal(text).split("\n"):
        if not is_blank(line):
            paragraphs[-1].append(line)
        elif paragraphs[-1]:
            paragraphs.append([])
    return [model.Action("\n".join(lines)) for lines in paragraphs if lines]
