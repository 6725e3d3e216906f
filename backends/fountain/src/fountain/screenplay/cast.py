"""Who is described before the play begins: `[[JULIET: Daughter of the house of Capulet.]]`."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from fountain.screenplay.fitting import fits
from fountain.screenplay.model import Element, Note, Speech

UNDESCRIBED = "A character of this play."
"""The description of a character that has none: services ask for one. It is never written out."""

_DESCRIPTION = re.compile(r"(?P<name>[^\s:]([^:\n]*[^\s:])?): (?P<text>\S.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Cast:
    """Names to descriptions in the order of their notes; and who speaks, in that order."""

    described: dict[str, str]
    speaking: dict[str, None]

    def description(self, name: str) -> str:
        """Return the description of a character."""
        return self.described.get(name, UNDESCRIBED)


def split_cast(elements: Sequence[Element]) -> tuple[Cast, Sequence[Element]]:
    """Return who there is, and the elements after the notes that describe them.

    The notes are the first elements. One describes a character if what stands before its colon
    speaks in the play, or is in capitals; the first that doesn't, or describes again, ends them.
    """
    speaking = {one.character: None for one in elements if isinstance(one, Speech)}
    described: dict[str, str] = {}
    for element in elements:
        found = isinstance(element, Note) and _DESCRIPTION.fullmatch(element.text)
        if not found:
            break
        name, text = found["name"], found["text"]
        known = name in speaking or name.isupper()
        if not known or name in described or text == UNDESCRIBED:
            break
        described[name] = text
    return Cast(described, speaking), elements[len(described) :]


def cast_notes(characters: Iterable[tuple[str, str]]) -> tuple[list[Note], list[str]]:
    """Return the notes that describe these characters, and the names that can't be in one."""
    notes: list[Note] = []
    refused: list[str] = []
    for name, description in characters:
        if description == UNDESCRIBED:
            continue
        note = Note(f"{name}: {description}")
        if _DESCRIPTION.fullmatch(note.text) and fits(note):
            notes.append(note)
        else:
            refused.append(name)
    return notes, refused
