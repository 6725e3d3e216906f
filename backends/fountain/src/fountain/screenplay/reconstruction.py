"""Turns a script that the services hold back into a screenplay.

Whatever a screenplay has no place for is named in a remark, never left out silently.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from fountain.screenplay import model
from fountain.screenplay.cast import cast_notes
from fountain.screenplay.fitting import fit, fits
from fountain.screenplay.marks import implied_level, screenplay_of
from fountain.screenplay.model import Action, Centered, Element, Screenplay, Transition

Placed = Mapping[str, Any]
"""An element of a script, as the script service answers it."""
Data = Mapping[str, str]

_KNOWN = {"fountain", "parenthetical", "extension", "dual", "continued", "text", "level"}
_KNOWN |= {"untitled", "crlf", "byte order mark"}
_STAGED: Mapping[str | None, type[Action | Transition | Centered]] = {
    "transition": Transition,
    "centered": Centered,
}
_OTHER = "other"
"""The key of a context's text that isn't a screenplay's."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A script with everything that its elements refer to, by identifier.

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
    """Return the screenplay, and a sentence on each thing that it has no place for."""
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
        characters = self._stored.characters
        # They were created in the order of their notes.
        notes, impossible = cast_notes(characters[at] for at in sorted(characters))
        for name in impossible:
            self.remarks.append(f"{name}: the description can't be a note, left out.")
        return replace(page, elements=(*notes, *self._body()))

    def _data_of(self, element: Placed) -> Data:
        """Return the members of an element's context if it is a screenplay's."""
        text = self._object(self._stored.contexts, element, "contextId")
        if text is None:
            return {}
        data = _strings(text)
        if not data.keys() <= _KNOWN:
            others = ", ".join(sorted(data.keys() - _KNOWN)) or _OTHER
            self._remark(element, f"its context ({others}) isn't part of a screenplay")
        return data

    def _body(self) -> Iterator[Element]:
        titles = dict(self._stored.sections)
        empty = self._empty_headings()
        current = None
        for element, data in zip(self._stored.elements, self._data, strict=True):
            heading = element.get("headingId")
            if heading in titles and heading != current:
                current = heading
                for identifier in (*empty.pop(heading, ()), heading):
                    yield from self._heading(identifier, titles[identifier])
            for item in self._elements(element, data):
                for fitting in fit(item):
                    if not fits(fitting):
                        self._remark(element, "read back, its text will be something else")
                    yield fitting
        for identifier in empty.pop(None, ()):
            yield from self._heading(identifier, titles[identifier])

    def _empty_headings(self) -> dict[int | None, list[int]]:
        """Return headings without elements, by the next heading that has some; None is the end."""
        used = {element.get("headingId") for element in self._stored.elements}
        empty: dict[int | None, list[int]] = {}
        waiting: list[int] = []
        for heading, _ in self._stored.sections:
            if heading in used:
                empty[heading], waiting = waiting, []
            else:
                waiting.append(heading)
        return {**empty, None: waiting}

    def _heading(self, identifier: int, title: str) -> list[Element]:
        elements = fit(model.Heading(title, self._levels.get(identifier, implied_level(title))))
        if not elements:
            self.remarks.append(f"Heading {identifier} has no text: it is left out.")
        return elements

    def _elements(self, element: Placed, data: Data) -> Iterator[Element]:
        kind = data.get("fountain")
        action = self._object(self._stored.actions, element, "actionId")
        words = self._object(self._stored.spoken_words, element, "spokenWordId")
        character = self._object(self._stored.characters, element, "characterId")
        if action is not None:
            yield _STAGED.get(kind, Action)(action)
        if character is not None and (words is not None or "parenthetical" in data):
            yield _speech(character[0], words, data)
        elif character is not None and kind != "character":
            self._remark(element, f"it names {character[0]}, who says nothing there")
        elif words is not None:
            if kind != "lyrics":
                self._remark(element, "nobody says its words: they are written as a song")
            yield model.Lyrics(words)
        elif kind in {"note", "synopsis"}:
            yield (model.Note if kind == "note" else model.Synopsis)(data.get("text", ""))
        elif kind == "page break":
            yield model.PageBreak()

    def _object(self, objects: Mapping[int, Any], element: Placed, name: str) -> Any:
        identifier = element.get(name)
        if identifier is not None and identifier not in objects:
            self._remark(element, f"its {name} {identifier} is unknown")
        return None if identifier is None else objects.get(identifier)

    def _remark(self, element: Placed, what: str) -> None:
        self.remarks.append(f"Element {element.get('position')}: {what}.")


def _strings(text: str) -> Data:
    """Return the JSON object of strings in a context, or the whole text under another key."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = None
    if isinstance(value, dict) and all(isinstance(member, str) for member in value.values()):
        return value
    return {_OTHER: text}


def _speech(name: str, words: str | None, data: Data) -> model.Speech:
    return model.Speech(
        name,
        words,
        parenthetical=data.get("parenthetical"),
        extension=data.get("extension"),
        dual="dual" in data,
        continued="continued" in data,
        sung=data.get("fountain") == "lyrics",
    )
