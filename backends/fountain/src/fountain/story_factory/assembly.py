"""Joins what the other services hold to a story.

An element's sequence is its position in the script, a heading's sequence its number. An element
leaves out what it refers to but no service knows.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

import orjson
from pydantic import MISSING

from fountain.story_factory import schemas
from fountain.story_factory.orchestration import Line, Play
from fountain.story_factory.upstream import Element, Session, Structure

Known = TypeVar("Known")


@dataclass(frozen=True)
class Objects:
    """What elements refer to, by id, without the unknown."""

    characters: Mapping[int, schemas.Character] = field(default_factory=dict)
    actions: Mapping[int, schemas.Action] = field(default_factory=dict)
    spoken_words: Mapping[int, schemas.SpokenWord] = field(default_factory=dict)
    sessions: Mapping[int, Session] = field(default_factory=dict)


def distinct(identifiers: Iterable[int | None]) -> list[int]:
    """Return each identifier once, in the order of their first appearance."""
    return list(dict.fromkeys(at for at in identifiers if at is not None))


def full_story(
    structure: Structure, objects: Objects, files: schemas.Orchestration
) -> schemas.FullStory:
    """Return the whole story."""
    script = structure.script
    headings = sorted(structure.sections, key=lambda item: (item.sequence_number, item.heading_id))
    return schemas.FullStory(
        script_id=script.script_id,
        title=script.title,
        author=script.author,
        description=script.description,
        sections=[
            schemas.SectionHeading(
                heading_id=heading.heading_id,
                script_id=script.script_id,
                title=heading.title,
                sequence=heading.sequence_number,
            )
            for heading in headings
        ],
        story=story_elements(structure.elements, objects),
        orchestration=files,
    )


def story_elements(elements: Iterable[Element], objects: Objects) -> list[schemas.StoryElement]:
    """Return the elements in the order of their positions."""
    return [_element(element, objects) for element in _ordered(elements)]


def play(structure: Structure, objects: Objects) -> Play:
    """Return the story in the form that music is made from."""
    titles = {section.heading_id: section.title for section in structure.sections}
    lines = [_line(element, titles, objects) for element in _ordered(structure.elements)]
    return Play(_text(structure.script.title), _text(structure.script.author), lines)


def _ordered(elements: Iterable[Element]) -> list[Element]:
    return sorted(elements, key=lambda element: element.position)


def context_of(session: Session, character: schemas.Character | MISSING) -> schemas.Context:
    """Return a session as the context of a character.

    Its data are the session's text if this is a JSON object of strings, else the text as `context`.
    """
    data = MISSING if session.context is MISSING else _data(session.context)
    owner = MISSING if character is MISSING else character.character_id
    return schemas.Context(context_id=session.session_id, character_id=owner, data=data)


def _data(text: str) -> dict[str, str]:
    try:
        data = orjson.loads(text)
    except orjson.JSONDecodeError:
        data = None
    if isinstance(data, dict) and all(isinstance(value, str) for value in data.values()):
        return data
    return {"context": text}


def _element(element: Element, objects: Objects) -> schemas.StoryElement:
    character = _known(objects.characters, element.character_id)
    words = _known(objects.spoken_words, element.spoken_word_id)
    session = _known(objects.sessions, element.context_id)
    if words is not MISSING:
        words = words.model_copy(update={"sequence": element.position})
    return schemas.StoryElement(
        sequence=element.position,
        heading_id=MISSING if element.heading_id is None else element.heading_id,
        character=character,
        action=_known(objects.actions, element.action_id),
        spoken_word=words,
        context=MISSING if session is MISSING else context_of(session, character),
    )


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
