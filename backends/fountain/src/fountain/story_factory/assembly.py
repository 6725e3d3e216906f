"""Joins what the other services hold to a story.

An element's sequence is its position in the script, a heading's sequence its number. An element
leaves out what it refers to but no service knows.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

import orjson
from pydantic import MISSING

from fountain.common import chunks
from fountain.story_factory import schemas
from fountain.story_factory.orchestration import Line, Play
from fountain.story_factory.upstream import Element, Session, Structure

Known = TypeVar("Known")
Members = dict[str, Any]
"""The members of a JSON object; they were validated when the services' answers were parsed."""


@dataclass(frozen=True)
class Objects:
    """What elements refer to, by id, without the unknown."""

    characters: Mapping[int, Members] = field(default_factory=dict)
    actions: Mapping[int, Members] = field(default_factory=dict)
    spoken_words: Mapping[int, Members] = field(default_factory=dict)
    sessions: Mapping[int, Session] = field(default_factory=dict)


def distinct(identifiers: Iterable[int | None]) -> list[int]:
    """Return each identifier once, in the order of their first appearance."""
    return list(dict.fromkeys(at for at in identifiers if at is not None))


async def full_story(structure: Structure, objects: Objects, files: schemas.Orchestration) -> bytes:
    """Return the JSON of the whole story, a `FullStory`."""
    script = structure.script
    headings = sorted(structure.sections, key=lambda item: (item.sequence_number, item.heading_id))
    head = schemas.FullStory(
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
    )
    story = await _story_elements(structure.elements, objects)
    return b'%b,"story":%b,"orchestration":%b}' % (
        _json(head).removesuffix(b"}"),
        story,
        _json(files),
    )


async def story_sequence(script_id: int, elements: Iterable[Element], objects: Objects) -> bytes:
    """Return the JSON of part of a story, a `StorySequence`."""
    return b'{"scriptId":%d,"sequences":%b}' % (script_id, await _story_elements(elements, objects))


def _json(model: schemas.FullStory | schemas.Orchestration) -> bytes:
    return model.model_dump_json(by_alias=True).encode()


async def _story_elements(elements: Iterable[Element], objects: Objects) -> bytes:
    return await chunks.json_array(_ordered(elements), partial(_element, objects=objects))


def play(structure: Structure, objects: Objects) -> Play:
    """Return the story in the form that music is made from."""
    titles = {section.heading_id: section.title for section in structure.sections}
    lines = [_line(element, titles, objects) for element in _ordered(structure.elements)]
    return Play(_text(structure.script.title), _text(structure.script.author), lines)


def _ordered(elements: Iterable[Element]) -> list[Element]:
    return sorted(elements, key=lambda element: element.position)


def context_of(session: Session, character: Members | None) -> Members:
    """Return a session as the context of a character, the members of a `Context`.

    Its data are the session's text if this is a JSON object of strings, else the text as `context`.
    """
    context: Members = {"contextId": session.session_id}
    if character is not None:
        context["characterId"] = character["characterId"]
    if session.context is not MISSING:
        context["data"] = _data(session.context)
    return context


def _data(text: str) -> dict[str, str]:
    try:
        data = orjson.loads(text)
    except orjson.JSONDecodeError:
        data = None
    if isinstance(data, dict) and all(isinstance(value, str) for value in data.values()):
        return data
    return {"context": text}


def _element(element: Element, objects: Objects) -> Members:
    """Return the members of a `StoryElement`, in its order."""
    character = _known(objects.characters, element.character_id)
    action = _known(objects.actions, element.action_id)
    words = _known(objects.spoken_words, element.spoken_word_id)
    session = _known(objects.sessions, element.context_id)
    members: Members = {"sequence": element.position}
    if character is not None:
        members["character"] = character
    if action is not None:
        members["action"] = action
    if words is not None:
        members["spokenWord"] = {**words, "sequence": element.position}
    if session is not None:
        members["context"] = context_of(session, character)
    if element.heading_id is not None:
        members["headingId"] = element.heading_id
    return members


def _line(element: Element, titles: Mapping[int, str], objects: Objects) -> Line:
    heading = None if element.heading_id not in titles else element.heading_id
    character = _known(objects.characters, element.character_id) or {}
    action = _known(objects.actions, element.action_id) or {}
    words = _known(objects.spoken_words, element.spoken_word_id) or {}
    return Line(
        section=heading,
        heading="" if heading is None else titles[heading],
        speaker=character.get("name", ""),
        action=action.get("description", ""),
        words=words.get("text", ""),
    )


def _known(objects: Mapping[int, Known], identifier: int | None) -> Known | None:
    return None if identifier is None else objects.get(identifier)


def _text(value: str | MISSING) -> str:
    return "" if value is MISSING else value
