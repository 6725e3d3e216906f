"""Looking for updates."""

from collections.abc import Sequence

import pytest

from gameserver.events import Event, EventKind, Events
from gameserver.mods.schemas import ModUpdates
from gameserver.schedules.exceptions import ScheduledWorkFailed
from gameserver.schedules.updates import UpdateCheck, newer_game, newer_mods
from gameserver.versions.schemas import Channel, Version, VersionList


async def test_tells_what_is_new() -> None:
    """An update is an event once, and again only when another one comes."""
    events, published = Events(), list[Event]()
    events.listen(published.append)
    mods: list[str] = []

    async def newer_mods() -> Sequence[str]:
        return mods

    async def newer_game() -> Sequence[str]:
        return ["game 1.22.0"]

    check = UpdateCheck(events, game=newer_game, mods=newer_mods)
    assert await check(game=False, mods=True) == "Everything is up to date."
    assert published == []
    for _ in range(2):
        assert await check(game=True, mods=True) == "Updates are available: game 1.22.0."
    mods.extend(f"mod{number} 2.0.0" for number in range(20))
    assert (await check(game=True, mods=True)).endswith("mod8 2.0.0, ….")
    assert [event.kind for event in published] == [EventKind.UPDATE_AVAILABLE] * 2
    assert published[1].facts == {"count": 21}


def listed(current: str | None, *versions: str, stale: bool = False) -> VersionList:
    """Return a list of versions that the feed offers."""
    shown = [
        Version(
            version=version,
            channel=Channel.UNSTABLE if "-" in version else Channel.STABLE,
            offered=True,
            installed=False,
            current=version == current,
            runtime=".NET 8",
        )
        for version in versions
    ]
    return VersionList(
        versions=shown, current=current, world_version=None, fetched_at=None, stale=stale
    )


def test_newer_game() -> None:
    """The newest stable version counts, when it is newer than the one that runs."""
    assert newer_game(listed("1.21.6", "1.21.10", "1.21.9", "1.22.0-rc.1")) == ["game 1.21.10"]
    assert newer_game(listed("1.21.10", "1.21.10", "1.21.9")) == ()
    assert newer_game(listed(None, "1.21.10")) == ()


def test_lists_that_are_old() -> None:
    """When nobody could be asked, that is a failure, not a sign that all is up to date."""
    with pytest.raises(ScheduledWorkFailed):
        newer_game(listed("1.21.6", "1.21.6", stale=True))
    with pytest.raises(ScheduledWorkFailed):
        newer_mods(ModUpdates(game_version=None, updates=[], unknown=[], stale=True))
