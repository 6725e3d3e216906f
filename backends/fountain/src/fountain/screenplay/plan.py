"""A screenplay as the services hold it: what is to be made, and what refers to what.

title page                       script; the rest of the page in a context
scene headings, sections         section headings
who speaks                       character
action, transition, centered     action
speech, lyrics                   spoken word
parenthetical, extension, kind   context: a session whose text is a JSON object of strings

An element without action and spoken word belongs to the page, not to the story: notes, synopses,
page breaks, and the level of a heading that its text doesn't tell.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from fountain.screenplay.cast import split_cast
from fountain.screenplay.marks import page_text, script_fields, told_level
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

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Placement:
    """An element of the script; its parts are indexes into the lists of the plan."""

    heading: int | None = None
    character: int | None = None
    action: int | None = None
    spoken_word: int | None = None
    context: int | None = None


@dataclass(slots=True)
class Plan:
    """Everything to be made, each list in its order; bodies are those of the requests."""

    script: dict[str, str]
    characters: list[tuple[str, str]] = field(default_factory=list)
    """Names and descriptions."""
    contexts: list[str] = field(default_factory=list)
    headings: list[str] = field(default_factory=list)
    actions: list[str] = field(default_factory=list)
    spoken_words: list[str] = field(default_factory=list)
    placements: list[Placement] = field(default_factory=list)


def plan_of(screenplay: Screenplay, *, fallback_title: str) -> Plan:
    """Return what is to be made for a screenplay.

    A script needs a title; `fallback_title` is that of a screenplay without one.
    """
    return _Planning(screenplay, fallback_title).plan


class _Planning:
    def __init__(self, screenplay: Screenplay, fallback_title: str) -> None:
        cast, elements = split_cast(screenplay.elements)
        self.plan = Plan(script_fields(screenplay.title_page, fallback_title))
        self._characters: dict[str, int] = {}
        self._contexts: dict[str, int] = {}
        self._heading: int | None = None
        page = page_text(screenplay, self.plan.script)
        if page:
            self._place(context=self._context(page))
        for name, description in cast.described.items():
            character = self._character(name, description)
            if name not in cast.speaking:
                self._place(character=character, context=self._context({"fountain": "character"}))
        for name in cast.speaking:
            self._character(name, cast.description(name))
        for element in elements:
            self._add(element)

    def _add(self, element: Element) -> None:
        match element:
            case Heading():
                self._add_heading(element)
            case Speech():
                self._add_speech(element)
            case Action(text):
                self._place(action=_new(self.plan.actions, text))
            case Transition(text):
                self._place_marked("transition", action=_new(self.plan.actions, text))
            case Centered(text):
                self._place_marked("centered", action=_new(self.plan.actions, text))
            case Lyrics(text):
                self._place_marked("lyrics", spoken_word=_new(self.plan.spoken_words, text))
            case Note(text):
                self._place(context=self._context({"fountain": "note", "text": text}))
            case Synopsis(text):
                self._place(context=self._context({"fountain": "synopsis", "text": text}))
            case PageBreak():
                self._place_marked("page break")

    def _add_heading(self, heading: Heading) -> None:
        self._heading = _new(self.plan.headings, heading.text)
        if told_level(heading.text) != heading.level:
            mark = {"fountain": "heading", "level": str(heading.level)}
            self._place(context=self._context(mark))

    def _add_speech(self, speech: Speech) -> None:
        text = speech.text
        data = {
            "fountain": "lyrics" if speech.sung else None,
            "parenthetical": speech.parenthetical,
            "extension": speech.extension,
            "dual": "yes" if speech.dual else None,
            "continued": "yes" if speech.continued else None,
        }
        said = {key: value for key, value in data.items() if value is not None}
        self._place(
            character=self._characters[speech.character],
            spoken_word=None if text is None else _new(self.plan.spoken_words, text),
            context=self._context(said) if said else None,
        )

    def _place_marked(self, kind: str, **parts: int) -> None:
        self._place(context=self._context({"fountain": kind}), **parts)

    def _place(self, **parts: int | None) -> None:
        self.plan.placements.append(Placement(self._heading, **parts))

    def _character(self, name: str, description: str) -> int:
        if name not in self._characters:
            self._characters[name] = _new(self.plan.characters, (name, description))
        return self._characters[name]

    def _context(self, data: Mapping[str, str]) -> int:
        text = json.dumps(data, ensure_ascii=False)
        if text not in self._contexts:
            self._contexts[text] = _new(self.plan.contexts, text)
        return self._contexts[text]


def _new(items: list[Item], item: Item) -> int:
    items.append(item)
    return len(items) - 1
