"""A script as the services hold it becomes a screenplay again.

What a screenplay has no place for is named in a remark, never passed over.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from fountain.screenplay.cast import cast_notes
from fountain.screenplay.fitting import fit, fits
from fountain.screenplay.marks import screenplay_of, told_level
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

Placed = Mapping[str, Any]
"""An element of a script, as the script service answers it."""
Data = Mapping[str, str]

_KNOWN = {"fountain", "parenthetical", "extension", "dual", "continued", "text", "level"}
_KNOWN |= {"untitled", "crlf", "byte order mark"}
_STAGED: Mapping[str, type[Action | Transition | Centered]] = {
    "transition": Transition,
    "centered": Centered,
}
_OTHER = "other"
"""The key of what a context holds that isn't a screenplay's."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A script with all that its elements refer to, by identifier.

    sections    identifiers and titles of the headings, in order
    characters  names and descriptions
    """

    script: Mapping[str, str]
    sections: Sequence[tuple[int, str]]
    elements: Sequence[Placed]
    characters: Mapping[int, tuple[str, str]] = field(default_factory=dict)
    actions: Mapping[int, str] = field(default_factory=dict)
    spoken_words: Mapping[int, str] = field(default_factory=dict)
    contexts: Mapping[int, str] = field(default_factory=dict)


def reconstruct(stored: Stored) -> tuple[Screenplay, list[str]]:
    """Return the screenplay, and what it has no place for, a sentence each."""
    reconstruction = _Reconstruction(stored)
    return reconstruction.screenplay(), reconstruction.remarks


class _Reconstruction:
    def __init__(self, stored: Stored) -> None:
        self.remarks: list[str] = []
        self._stored = stored
        self._data = [self._data_of(element) for element in stored.elements]
        self._levels: dict[int, int] = {}
        self._page: Data | None = None
        for element, data in zip(stored.elements, self._data, strict=True):
            if data.get("fountain") == "title page":
                self._page = data
            elif data.get("fountain") == "heading" and data.get("level", "").isdecimal():
                self._levels[element.get("headingId", 0)] = int(data["level"])

    def screenplay(self) -> Screenplay:
        """Return the screenplay."""
        page = screenplay_of(self._stored.script, self._page)
        return replace(page, elements=(*self._cast(), *self._body()))

    def _data_of(self, element: Placed) -> Data:
        """Return the context of an element as far as it is a screenplay's."""
        text = self._known(self._stored.contexts, element, "contextId")
        if text is None:
            return {}
        data = _strings(text)
        if not data.keys() <= _KNOWN:
            others = ", ".join(sorted(data.keys() - _KNOWN)) or _OTHER
            self._remark(element, f"its context ({others}) isn't part of a screenplay")
        return data

    def _cast(self) -> list[Note]:
        known = self._stored.characters
        # They were made in the order of their notes.
        notes, refused = cast_notes(known[identifier] for identifier in sorted(known))
        self.remarks += [f"{name}: the description can't be a note, left out." for name in refused]
        return notes

    def _body(self) -> Iterator[Element]:
        titles = dict(self._stored.sections)
        empty = self._empty_headings()
        current = None
        for element, data in zip(self._stored.elements, self._data, strict=True):
            heading = element.get("headingId")
            if heading in titles and heading != current:
                current = heading
                for before in (*empty.pop(heading, ()), heading):
                    yield from self._heading(before, titles[before])
            yield from self._fitting(element, self._elements(element, data))
        for last in empty.pop(None, ()):
            yield from self._heading(last, titles[last])

    def _empty_headings(self) -> dict[int | None, list[int]]:
        """Return the headings without elements by the next one with some; None: there is none."""
        used = {element.get("headingId") for element in self._stored.elements}
        found: dict[int | None, list[int]] = {}
        waiting: list[int] = []
        for heading, _ in self._stored.sections:
            if heading in used:
                found[heading], waiting = waiting, []
            else:
                waiting.append(heading)
        return {**found, None: waiting}

    def _heading(self, identifier: int, title: str) -> Iterator[Element]:
        level = self._levels.get(identifier, told_level(title))
        found = fit(Heading(title, level))
        if not found:
            self.remarks.append(f"Heading {identifier} has no text: it is left out.")
        yield from found

    def _fitting(self, element: Placed, made: Iterator[Element]) -> Iterator[Element]:
        for one in made:
            for fitting in fit(one):
                if not fits(fitting):
                    self._remark(element, "read back, its text will be something else")
                yield fitting

    def _elements(self, element: Placed, data: Data) -> Iterator[Element]:
        kind = data.get("fountain")
        action = self._known(self._stored.actions, element, "actionId")
        words = self._known(self._stored.spoken_words, element, "spokenWordId")
        character = self._known(self._stored.characters, element, "characterId")
        if action is not None:
            yield _STAGED.get(kind or "", Action)(action)
        if character is not None and (words is not None or "parenthetical" in data):
            yield _speech(character[0], words, data)
        elif character is not None and kind != "character":
            self._remark(element, f"it names {character[0]}, who says nothing there")
        elif words is not None:
            if kind != "lyrics":
                self._remark(element, "nobody says its words: they are written as a song")
            yield Lyrics(words)
        elif kind in {"note", "synopsis"}:
            yield (Note if kind == "note" else Synopsis)(data.get("text", ""))
        elif kind == "page break":
            yield PageBreak()

    def _known(self, objects: Mapping[int, Any], element: Placed, name: str) -> Any:
        identifier = element.get(name)
        if identifier is not None and identifier not in objects:
            self._remark(element, f"its {name} {identifier} is unknown")
        return None if identifier is None else objects.get(identifier)

    def _remark(self, element: Placed, what: str) -> None:
        self.remarks.append(f"Element {element.get('position')}: {what}.")


def _strings(text: str) -> Data:
    """Return the JSON object of strings that a context is, or the text as something else."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if isinstance(found, dict) and all(isinstance(value, str) for value in found.values()):
        return found
    return {_OTHER: text}


def _speech(name: str, words: str | None, data: Data) -> Speech:
    return Speech(
        name,
        words,
        parenthetical=data.get("parenthetical"),
        extension=data.get("extension"),
        dual="dual" in data,
        continued="continued" in data,
        sung=data.get("fountain") == "lyrics",
    )
