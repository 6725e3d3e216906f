"""What the other services are asked: a bounded number of calls for a play of any length.

1 call for the structure (or for the elements of a range), then for each kind of thing that elements
name 1 call for 5,000 different ones, begun or full: 1 + Σ ceil(nₖ / 5,000). A play of at most
5,000 elements takes 5 calls.
"""

import asyncio
from collections.abc import Coroutine, Iterable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final, TypeVar

from pydantic import TypeAdapter

from bedplate.clients import UpstreamRefused
from bedplate.clients.client import ServiceClient
from fountain.story_factory.assembly import Objects, distinct
from fountain.story_factory.exceptions import ScriptNotFound
from fountain.story_factory.schemas import Action, Character, SpokenWord
from fountain.story_factory.upstream import Element, Session, Structure, read

Value = TypeVar("Value")

IDS_PER_CALL: Final = 5_000
"""The most that a lookup takes, says its contract."""
CALLS_AT_ONCE: Final = 8
"""Lookups of one story that are under way at the same time."""

_STRUCTURE = TypeAdapter(Structure)
_ELEMENTS = TypeAdapter(list[Element])
_CHARACTERS = TypeAdapter(list[Character])
_ACTIONS = TypeAdapter(list[Action])
_SPOKEN_WORDS = TypeAdapter(list[SpokenWord])
_SESSIONS = TypeAdapter(list[Session])


@dataclass(frozen=True)
class Sources:
    """The services that know what a story consists of.

    Every method raises `UpstreamUnavailable` when one of them doesn't answer as it should.
    """

    scripts: ServiceClient
    characters: ServiceClient
    sessions: ServiceClient

    async def structure(self, script_id: int) -> Structure:
        """Return a script with its headings and elements. Raises `ScriptNotFound`."""
        answer = await self._of_script(script_id, "structure")
        return read(_STRUCTURE, answer, self.scripts.name)

    async def elements(self, script_id: int, first: int, last: int) -> list[Element]:
        """Return the elements at these positions, both included. Raises `ScriptNotFound`."""
        answer = await self._of_script(script_id, "elements", **{"from": first, "to": last})
        return read(_ELEMENTS, answer, self.scripts.name)

    async def objects(self, elements: Sequence[Element], *, contexts: bool = True) -> Objects:
        """Return what the elements name; without `contexts` no sessions are asked for."""
        turns = asyncio.Semaphore(CALLS_AT_ONCE)
        named_contexts = (one.context_id for one in elements) if contexts else ()
        characters, actions, spoken_words, sessions = await _together(
            [
                self._characters(turns, (one.character_id for one in elements)),
                self._actions(turns, (one.action_id for one in elements)),
                self._spoken_words(turns, (one.spoken_word_id for one in elements)),
                self._sessions(turns, named_contexts),
            ]
        )
        return Objects(characters, actions, spoken_words, sessions)

    async def _of_script(self, script_id: int, part: str, **query: int) -> Any:
        try:
            return await self.scripts.get(f"/scripts/{script_id}/{part}", **query)
        except UpstreamRefused as refusal:
            if refusal.answered != HTTPStatus.NOT_FOUND:
                raise
            raise ScriptNotFound from None

    async def _characters(
        self, turns: asyncio.Semaphore, identifiers: Iterable[int | None]
    ) -> dict[Any, Character]:
        found = await _look_up(turns, self.characters, "characters", _CHARACTERS, identifiers)
        return {one.character_id: one for one in found}

    async def _actions(
        self, turns: asyncio.Semaphore, identifiers: Iterable[int | None]
    ) -> dict[Any, Action]:
        found = await _look_up(turns, self.characters, "actions", _ACTIONS, identifiers)
        return {one.action_id: one for one in found}

    async def _spoken_words(
        self, turns: asyncio.Semaphore, identifiers: Iterable[int | None]
    ) -> dict[Any, SpokenWord]:
        found = await _look_up(turns, self.characters, "spokenWords", _SPOKEN_WORDS, identifiers)
        return {one.dialogue_id: one for one in found}

    async def _sessions(
        self, turns: asyncio.Semaphore, identifiers: Iterable[int | None]
    ) -> dict[int, Session]:
        found = await _look_up(turns, self.sessions, "sessions", _SESSIONS, identifiers)
        return {one.session_id: one for one in found}


async def _look_up(
    turns: asyncio.Semaphore,
    service: ServiceClient,
    kind: str,
    adapter: TypeAdapter[list[Value]],
    identifiers: Iterable[int | None],
) -> list[Value]:
    """Return those of the identified things that there are, asking for 5,000 at a time."""

    async def part(wanted: list[int]) -> list[Value]:
        async with turns:
            answer = await service.post(f"/{kind}/lookup", {"ids": wanted}, repeatable=True)
        return read(adapter, answer, service.name)

    wanted = distinct(identifiers)
    starts = range(0, len(wanted), IDS_PER_CALL)
    parts = await _together([part(wanted[start : start + IDS_PER_CALL]) for start in starts])
    return [one for found in parts for one in found]


async def _together(calls: Sequence[Coroutine[Any, Any, Any]]) -> list[Any]:
    """Return what every call returns; the first that fails ends the others and is raised."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(call) for call in calls]
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from None
    return [task.result() for task in tasks]
