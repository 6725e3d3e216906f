"""Looking for updates."""

from collections.abc import Sequence

from gameserver.events import Event, EventKind, Events
from gameserver.schedules.updates import UpdateCheck


async def test_tells_what_is_new() -> None:
    """An update is an event once, and again only when another one comes."""
    events, told = Events(), list[Event]()
    events.listen(told.append)
    mods: list[str] = []

    async def newer_mods() -> Sequence[str]:
        return mods

    async def newer_game() -> Sequence[str]:
        return ["game 1.22.0"]

    check = UpdateCheck(events, game=newer_game, mods=newer_mods)
    assert await check(game=False, mods=True) == "Everything is up to date."
    assert told == []
    for _ in range(2):
        assert await check(game=True, mods=True) == "Updates are available: game 1.22.0."
    mods.extend(f"mod{number} 2.0.0" for number in range(20))
    assert (await check(game=True, mods=True)).endswith("mod8 2.0.0, ….")
    assert [event.kind for event in told] == [EventKind.UPDATE_AVAILABLE] * 2
    assert told[1].facts == {"count": 21}
