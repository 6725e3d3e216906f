"""Checks for updates, and publishes each of them once."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from gameserver.events import EventKind, Events
from gameserver.mods.schemas import ModUpdates
from gameserver.schedules.exceptions import ScheduledWorkFailed
from gameserver.version_numbers import VersionNumber
from gameserver.versions.schemas import Channel, VersionList

MAX_NAMES: Final = 10
FindUpdates = Callable[[], Awaitable[Sequence[str]]]
"""Returns the available updates in words: `game 1.21.6`."""


class UpdateCheck:
    """Asks for updates of the game and of its mods, and publishes each new one once."""

    def __init__(self, events: Events, *, game: FindUpdates, mods: FindUpdates) -> None:
        self._events = events
        self._game = game
        self._mods = mods
        self._announced: frozenset[str] = frozenset()

    async def __call__(self, *, game: bool, mods: bool) -> str:
        """Ask, publish the event when an update is new, and return the updates in words."""
        updates = [*(await self._game() if game else ()), *(await self._mods() if mods else ())]
        if not updates:
            return "Everything is up to date."
        named = ", ".join(updates[:MAX_NAMES]) + (", …" if len(updates) > MAX_NAMES else "")
        text = f"Updates are available: {named}."
        if not self._announced.issuperset(updates):
            self._events.publish(EventKind.UPDATE_AVAILABLE, text, count=len(updates))
        self._announced = frozenset(updates)
        return text


def newer_game(listed: VersionList) -> Sequence[str]:
    """Return the newest stable version of the game when it is newer than the one that runs.

    Raises `ScheduledWorkFailed` when the list is old.
    """
    if listed.stale:
        raise ScheduledWorkFailed("The list of the game's versions can't be reached.")
    if listed.current is None:
        return ()
    current = VersionNumber.parse(listed.current)
    offered = [
        version.version
        for version in listed.versions
        if version.offered
        and version.channel is Channel.STABLE
        and VersionNumber.parse(version.version) > current
    ]
    return [f"game {max(offered, key=VersionNumber.parse)}"] if offered else ()


def newer_mods(listed: ModUpdates) -> Sequence[str]:
    """Return the mods with an update that aren't pinned. Raises as `newer_game` does."""
    if listed.stale:
        raise ScheduledWorkFailed("The mod database can't be reached.")
    return [f"{update.mod_id} {update.newest}" for update in listed.updates if not update.pinned]
