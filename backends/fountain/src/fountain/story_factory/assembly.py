"""How a story is joined from what the other services hold. Nothing here asks anybody.

An element's sequence is its position in the script, a heading's the number it holds. What an
element names and nobody knows is left out of it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import orjson
from pydantic import MISSING

from fountain.story_factory.orchestration import Line, Play
from fountain.story_factory.schemas import (
    Action,
    Character,
    Context,
    FullStory,
    Orchestration,
    SectionHeading,
    SpokenWord,
    StoryElement,
)
from fountain.story_factory.upstream import Element, Section, Session, Structure

Known = TypeVar("Known")


@dataclass(frozen=True)
class Objects:
    """What elements name, by id; unknown ones are missing."""

    characters: Mapping[int, Character] = field(default_factory=dict)
    actions: Mapping[int, Action] = field(default_factory=dict)
    spoken_words: Mapping[int, SpokenWord] = field(default_factory=dict)
    sessions: Mapping[int, Session] = field(default_factory=dict)


def distinct(identifiers: Iterable[int | None]) -> list[int]:
    """Return each identifier once, in the order of their first appearance."""
    return list(dict.fromkeys(one for one in identifiers if one is not None))


def full_story(structure: Structure, objects: Objects, files: Orchestration) -> FullStory:
    """Return the whole story."""
    script = structure.script
    return FullStory(
        script_id=script.script_id,
        title=script.title,
        author=script.author,
        description=script.description,
        sections=[_heading(one, script.script_id) for one in _ordered(structure.sections)],
        story=story_elements(structure.elements, objects),
        orchestration=files,
    )


def story_elements(elements: Iterable[Element], objects: Objects) -> list[StoryElement]:
    """Return the elements in the order of their positions."""
    return [_element(one, objects) for one in sorted(elements, key=lambda one: one.position)]


def play(structure: Structure, objects: Objects) -> Play:
    """Return the story as what music is made from."""
    titles = {section.heading_id: section.title for section in structure.sections}
    script = structure.script
    return Play(
        title=_text(script.title),
        author=_text(script.author),
        lines=[
            _line(one, titles, objects)
            for one in sorted(structure.elements, key=lambda one: one.position)
        ],
    )


def context_of(session: Session, character: Character | MISSING) -> Context:
    """Return the context that a session is to a character.

    Its data are the session's text if that is a JSON object of strings, else the text as `context`.
    """
    data = MISSING if session.context is MISSING else _data(session.context)
    owner = MISSING if character is MISSING else character.character_id
    return Context(context_id=session.session_id, character_id=owner, data=data)


def _data(text: str) -> dict[str, str]:
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError:
        found = None
    if isinstance(found, dict) and all(isinstance(value, str) for value in found.values()):
        return found
    return {"context": text}


def _ordered(sections: Sequence[Section]) -> list[Section]:
    return sorted(sections, key=lambda one: (one.sequence_number, one.heading_id))


def _heading(section: Section, script_id: int) -> SectionHeading:
    return SectionHeading(
        heading_id=section.heading_id,
        script_id=script_id,
        title=section.title,
        sequence=section.sequence_number,
    )


def _element(element: Element, objects: Objects) -> StoryElement:
    character = _known(objects.characters, element.character_id)
    words = _known(objects.spoken_words, element.spoken_word_id)
    session = _known(objects.sessions, element.context_id)
    return StoryElement(
        sequence=element.position,
        heading_id=MISSING if element.heading_id is None else element.heading_id,
        character=character,
        action=_known(objects.actions, element.action_id),
        spoken_word=MISSING if words is MISSING else _placed(words, element.position),
        context=MISSING if session is MISSING else context_of(session, character),
    )


def _placed(words: SpokenWord, position: int) -> SpokenWord:
    return SpokenWord(dialogue_id=words.dialogue_id, text=words.text, sequence=position)


def _line(element: Element, titles: Mapping[int, str], objects: Objects) -> Line:
    heading = None if element.heading_id not in titles else element.heading_id
    character = _known(objects.characters, element.character_id)
    action = _known(objects.actions, element.action_id)
    words = _known(objects.spoken_words, element.spoken_word_id)
    return Line(
        section=heading,
        heading="" if heading is None else titles[heading],
        speaker="" if character is MISSING else _text(character.name),
        action="" if action is MISSING else _text(action.description),
        words="" if words is MISSING else _text(words.text),
    )


def _known(objects: Mapping[int, Known], identifier: int | None) -> Known | MISSING:
    return MISSING if identifier is None else objects.get(identifier, MISSING)


def _text(value: str | MISSING) -> str:
    return "" if value is MISSING else value
