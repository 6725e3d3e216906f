"""Looks for updates, and tells of those that were not told of before."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from gameserver.events import EventKind, Events

MOST_NAMED: Final = 10
FindUpdates = Callable[[], Awaitable[Sequence[str]]]
"""Returns what could be updated, in words: `game 1.21.6`."""


class UpdateCheck:
    """Asks where updates are found: the game's versions, and its mods."""

    def __init__(self, events: Events, *, game: FindUpdates, mods: FindUpdates) -> None:
        self._events = events
        self._game = game
        self._mods = mods
        self._told: frozenset[str] = frozenset()

    async def __call__(self, *, game: bool, mods: bool) -> str:
        """Look, publish the event when something is new, and return what was found in words."""
        found = [*(await self._game() if game else ()), *(await self._mods() if mods else ())]
        if not found:
            return "Everything is up to date."
        named = ", ".join(found[:MOST_NAMED]) + (", …" if len(found) > MOST_NAMED else "")
        text = f"Updates are available: {named}."
        if not self._told.issuperset(found):
            self._events.publish(EventKind.UPDATE_AVAILABLE, text, count=len(found))
        self._told = frozenset(found)
        return text
