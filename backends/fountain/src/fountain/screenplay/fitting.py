"""Texts that come from elsewhere than a screenplay, made to stand in one."""

from dataclasses import replace

from fountain.screenplay.lines import is_blank, normal, trim
from fountain.screenplay.model import (
    SCENE,
    Action,
    Centered,
    Element,
    Heading,
    Screenplay,
    Speech,
    Transition,
)
from fountain.screenplay.parser import parse
from fountain.screenplay.renderer import render


def fits(element: Element) -> bool:
    """Whether an element, written and read back, is the same."""
    alone = replace(element, continued=False) if isinstance(element, Speech) else element
    return parse(render(Screenplay(elements=(alone,)))).elements == (alone,)


def fit(element: Element) -> list[Element]:
    """Return the element if it fits, else what comes nearest to it; nothing for an empty text."""
    if fits(element):
        return [element]
    match element:
        case Heading(text, level):
            return _headings(" ".join(text.split()), level)
        case Action(text) | Transition(text) | Centered(text):
            return [Action(paragraph) for paragraph in _paragraphs(text)]
        case Speech():
            said = None if element.text is None else _trimmed(element.text)
            name = " ".join(element.character.split()) or "?"
            return [replace(element, character=name, text=said)]
        case _:
            return [element]


def _headings(text: str, level: int) -> list[Element]:
    wanted = Heading(text, level)
    if fits(wanted):
        return [wanted]
    return [Heading(text.lstrip("# "), max(level, SCENE + 1))] if text.strip("# ") else []


def _paragraphs(text: str) -> list[str]:
    found: list[list[str]] = [[]]
    for line in normal(text).split("\n"):
        if not is_blank(line):
            found[-1].append(line)
        elif found[-1]:
            found.append([])
    return ["\n".join(lines) for lines in found if lines]


def _trimmed(text: str) -> str:
    return "\n".join(trim(line) for line in normal(text).split("\n"))
