"""Plans which resources of the services hold a screenplay, and what refers to what.

title page                       script; the rest of the page in a context
scene headings, sections         section headings
speakers                         characters
action, transition, centered     actions
speech, lyrics                   spoken words
parenthetical, extension, kind   context: a session whose text is a JSON object of strings

An element without action and spoken word belongs to the page, not to the story: notes, synopses,
page breaks, and the level of a heading that its text doesn't imply.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from fountain.screenplay import model
from fountain.screenplay.cast import split_cast
from fountain.screenplay.marks import implied_level, page_context, script_fields

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
    """Everything to create, each list in its order.

    script      the fields of the script
    characters  names and descriptions
    """

    script: dict[str, str]
    characters: list[tuple[str, str]] = field(default_factory=list)
    contexts: list[str] = field(default_factory=list)
    headings: list[str] = field(default_factory=list)
    actions: list[str] = field(default_factory=list)
    spoken_words: list[str] = field(default_factory=list)
    placements: list[Placement] = field(default_factory=list)


def plan_of(screenplay: model.Screenplay, *, fallback_title: str) -> Plan:
    """Return the plan of a screenplay; one without a title gets `fallback_title`."""
    return _Planner(screenplay, fallback_title).plan


class _Planner:
    def __init__(self, screenplay: model.Screenplay, fallback_title: str) -> None:
        cast, elements = split_cast(screenplay.elements)
        self.plan = Plan(script_fields(screenplay.title_page, fallback_title))
        self._characters: dict[str, int] = {}
        self._contexts: dict[str, int] = {}
        self._heading: int | None = None
        page = page_context(screenplay, self.plan.script)
        if page:
            self._place(page)
        for name, description in cast.described.items():
            character = self._character(name, description)
            if name not in cast.speaking:
                self._place({"fountain": "character"}, character=character)
        for name in cast.speaking:
            self._character(name, cast.description(name))
        for element in elements:
            self._add(element)

    def _add(self, element: model.Element) -> None:
        plan = self.plan
        match element:
            case model.Heading():
                self._add_heading(element)
            case model.Speech():
                self._add_speech(element)
            case model.Action(text):
                self._place(action=_append(plan.actions, text))
            case model.Transition(text):
                self._place({"fountain": "transition"}, action=_append(plan.actions, text))
            case model.Centered(text):
                self._place({"fountain": "centered"}, action=_append(plan.actions, text))
            case model.Lyrics(text):
                self._place({"fountain": "lyrics"}, spoken_word=_append(plan.spoken_words, text))
            case model.Note(text):
                self._place({"fountain": "note", "text": text})
            case model.Synopsis(text):
                self._place({"fountain": "synopsis", "text": text})
            case model.PageBreak():
                self._place({"fountain": "page break"})

    def _add_heading(self, heading: model.Heading) -> None:
        self._heading = _append(self.plan.headings, heading.text)
        if implied_level(heading.text) != heading.level:
            self._place({"fountain": "heading", "level": str(heading.level)})

    def _add_speech(self, speech: model.Speech) -> None:
        text = speech.text
        members = {
            "fountain": "lyrics" if speech.sung else None,
            "parenthetical": speech.parenthetical,
            "extension": speech.extension,
            "dual": "yes" if speech.dual else None,
            "continued": "yes" if speech.continued else None,
        }
        self._place(
            {name: value for name, value in members.items() if value is not None},
            character=self._characters[speech.character],
            spoken_word=None if text is None else _append(self.plan.spoken_words, text),
        )

    def _place(self, context: Mapping[str, str] | None = None, **parts: int | None) -> None:
        """Add an element. Equal contexts are one session."""
        text = json.dumps(context, ensure_ascii=False)
        if context and text not in self._contexts:
            self._contexts[text] = _append(self.plan.contexts, text)
        placement = Placement(self._heading, **parts, context=self._contexts.get(text))
        self.plan.placements.append(placement)

    def _character(self, name: str, description: str) -> int:
        if name not in self._characters:
            self._characters[name] = _append(self.plan.characters, (name, description))
        return self._characters[name]


def _append(items: list[Item], item: Item) -> int:
    """Append an item and return its index."""
    items.append(item)
    return len(items) - 1
