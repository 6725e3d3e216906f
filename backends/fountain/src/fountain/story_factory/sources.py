"""The calls to the other services: few for a play of any length.

One call reads the structure (or the elements of a range). Then each kind of object that elements
refer to takes one call for every 5,000 different ones, so there are 1 + Σ ceil(nₖ / 5,000) calls: 5
for a play of up to 5,000 elements.
"""

import asyncio
from collections.abc import Coroutine, Iterable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final, TypeVar

from pydantic import TypeAdapter

from bedplate.clients import UpstreamRefused
from bedplate.clients.client import ServiceClient
from fountain.common.chunks import chunks
from fountain.story_factory.assembly import Members, Objects, distinct
from fountain.story_factory.exceptions import ScriptNotFound
from fountain.story_factory.schemas import Action, Character, SpokenWord
from fountain.story_factory.upstream import Element, Outline, Session, Structure, parse, parse_list

Value = TypeVar("Value")

MAX_IDS_PER_CALL: Final = 5_000
"""The limit of a lookup in its contract."""
MAX_CONCURRENT_CALLS: Final = 8
"""Lookups for one story at the same time."""

_OUTLINE = TypeAdapter(Outline)
_ELEMENTS = TypeAdapter(list[Element])
_CHARACTERS = TypeAdapter(list[Character])
_ACTIONS = TypeAdapter(list[Action])
_SPOKEN_WORDS = TypeAdapter(list[SpokenWord])
_SESSIONS = TypeAdapter(list[Session])


@dataclass(frozen=True)
class Sources:
    """The services that know what a story consists of.

    Every method raises `UpstreamUnavailable` when a service doesn't answer as its contract says.
    """

    scripts: ServiceClient
    characters: ServiceClient
    sessions: ServiceClient

    async def structure(self, script_id: int) -> Structure:
        """Return a script with its headings and elements. Raises `ScriptNotFound`."""
        answer = await self._of_script(script_id, "structure")
        outline = parse(_OUTLINE, answer, self.scripts.name)
        elements = await parse_list(_ELEMENTS, outline.elements, self.scripts.name)
        return Structure.model_construct(
            script=outline.script, sections=outline.sections, elements=elements
        )

    async def elements(self, script_id: int, first: int, last: int) -> list[Element]:
        """Return the elements at positions `first` to `last`. Raises `ScriptNotFound`."""
        answer = await self._of_script(script_id, "elements", **{"from": first, "to": last})
        return await parse_list(_ELEMENTS, answer, self.scripts.name)

    async def objects(self, elements: Sequence[Element], *, contexts: bool = True) -> Objects:
        """Return what the elements refer to; without `contexts` no sessions are read."""
        slots = asyncio.Semaphore(MAX_CONCURRENT_CALLS)
        character_ids = (element.character_id for element in elements)
        action_ids = (element.action_id for element in elements)
        spoken_word_ids = (element.spoken_word_id for element in elements)
        context_ids = (element.context_id for element in elements) if contexts else ()
        characters, actions, spoken_words, sessions = await _together(
            [
                _look_up(slots, self.characters, "characters", _CHARACTERS, character_ids),
                _look_up(slots, self.characters, "actions", _ACTIONS, action_ids),
                _look_up(slots, self.characters, "spokenWords", _SPOKEN_WORDS, spoken_word_ids),
                _look_up(slots, self.sessions, "sessions", _SESSIONS, context_ids),
            ]
        )
        return Objects(
            await _members_by_id(characters, "characterId", _CHARACTERS),
            await _members_by_id(actions, "actionId", _ACTIONS),
            await _members_by_id(spoken_words, "dialogueId", _SPOKEN_WORDS),
            {session.session_id: session for session in sessions},
        )

    async def _of_script(self, script_id: int, part: str, **query: int) -> Any:
        try:
            return await self.scripts.get(f"/scripts/{script_id}/{part}", **query)
        except UpstreamRefused as refusal:
            if refusal.answered != HTTPStatus.NOT_FOUND:
                raise
            raise ScriptNotFound from None


async def _look_up(
    slots: asyncio.Semaphore,
    service: ServiceClient,
    kind: str,
    adapter: TypeAdapter[list[Value]],
    identifiers: Iterable[int | None],
) -> list[Value]:
    """Return those of the identified objects that exist."""

    async def part(ids: list[int]) -> list[Value]:
        async with slots:
            answer = await service.post(f"/{kind}/lookup", {"ids": ids}, repeatable=True)
        return await parse_list(adapter, answer, service.name)

    ids = distinct(identifiers)
    starts = range(0, len(ids), MAX_IDS_PER_CALL)
    parts = await _together([part(ids[start : start + MAX_IDS_PER_CALL]) for start in starts])
    return [item for items in parts for item in items]


async def _members_by_id(
    items: Sequence[Value], identifier: str, adapter: TypeAdapter[list[Value]]
) -> dict[int, Members]:
    """Return the members of each item as they stand in a story."""
    by_id: dict[int, Members] = {}
    async for chunk in chunks(items):
        members = adapter.dump_python(list(chunk), by_alias=True)
        by_id.update((each[identifier], each) for each in members if identifier in each)
    return by_id


async def _together(calls: Sequence[Coroutine[Any, Any, Any]]) -> list[Any]:
    """Return the results of all calls; the first failure cancels the others and is raised."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(call) for call in calls]
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from None
    return [task.result() for task in tasks]
