"""Descriptions of characters before the play begins: `[[JULIET: Daughter of Capulet.]]`."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from fountain.screenplay.fitting import fits
from fountain.screenplay.model import Element, Note, Speech

UNDESCRIBED = "A character of this play."
"""The description of a character without one, which services require. It is never exported."""

_DESCRIPTION = re.compile(r"(?P<name>[^\s:]([^:\n]*[^\s:])?): (?P<text>\S.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Cast:
    """Descriptions by name in the order of their notes, and the names of those who speak."""

    described: dict[str, str]
    speaking: dict[str, None]

    def description(self, name: str) -> str:
        """Return the description of a character."""
        return self.described.get(name, UNDESCRIBED)


def split_cast(elements: Sequence[Element]) -> tuple[Cast, Sequence[Element]]:
    """Return the characters, and the elements after the notes that describe them.

    The notes are the first elements. A note describes a character if the text before its colon
    speaks in the play, or is in capitals. The first that doesn't, or repeats a name, ends them.
    """
    speaking = {item.character: None for item in elements if isinstance(item, Speech)}
    described: dict[str, str] = {}
    for element in elements:
        match = isinstance(element, Note) and _DESCRIPTION.fullmatch(element.text)
        if not match:
            break
        name, text = match["name"], match["text"]
        known = name in speaking or name.isupper()
        if not known or name in described or text == UNDESCRIBED:
            break
        described[name] = text
    return Cast(described, speaking), elements[len(described) :]


def cast_notes(characters: Iterable[tuple[str, str]]) -> tuple[list[Note], list[str]]:
    """Return the notes that describe these characters, and the names that no note can describe."""
    notes: list[Note] = []
    impossible: list[str] = []
    for name, description in characters:
        note = Note(f"{name}: {description}")
        if description != UNDESCRIBED and _DESCRIPTION.fullmatch(note.text) and fits(note):
            notes.append(note)
        elif description != UNDESCRIBED:
            impossible.append(name)
    return notes, impossible
