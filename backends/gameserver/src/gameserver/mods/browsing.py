"""The list of the mod database, filtered and sorted here, in pages, which the database lacks."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from gameserver.mods.database import Answer, ModDatabase
from gameserver.mods.listing import ListedMod
from gameserver.mods.schemas import ModListing

_NEVER = datetime(1, 1, 1, tzinfo=UTC)


class Order(StrEnum):
    """What the list is sorted by."""

    TRENDING = "trending"
    DOWNLOADS = "downloads"
    FOLLOWS = "follows"
    COMMENTS = "comments"
    RELEASED = "released"
    NAME = "name"
    NUMBER = "number"


_KEYS: dict[Order, Callable[[ListedMod], Any]] = {
    Order.TRENDING: lambda mod: mod.trending_points,
    Order.DOWNLOADS: lambda mod: mod.downloads,
    Order.FOLLOWS: lambda mod: mod.follows,
    Order.COMMENTS: lambda mod: mod.comments,
    Order.RELEASED: lambda mod: mod.last_released or _NEVER,
    Order.NAME: lambda mod: mod.name.casefold(),
    Order.NUMBER: lambda mod: mod.number,
}


@dataclass(frozen=True)
class Search:
    """A search: every word of `text` in name, summary, author or id, and all of the `tags`."""

    text: str = ""
    tags: tuple[str, ...] = ()
    author: str = ""
    side: str = ""
    game_version: str = ""
    order: Order = Order.TRENDING
    ascending: bool = False

    def admits(self, mod: ListedMod) -> bool:
        """Return whether a mod matches, apart from the game's version."""
        words = self.text.casefold().split()
        text = " ".join((mod.name, mod.summary, mod.author, *mod.mod_ids)).casefold()
        tags = {tag.casefold() for tag in mod.tags}
        return (
            all(word in text for word in words)
            and all(tag.casefold() in tags for tag in self.tags)
            and self.author.casefold() in ("", mod.author.casefold())
            and self.side in ("", mod.side)
        )

    def among(self, mods: Iterable[ListedMod], made_for: frozenset[int] | None) -> list[ListedMod]:
        """Return the matches in order, equal ones by their number; only numbers of `made_for`."""
        suiting = (mod for mod in mods if made_for is None or mod.number in made_for)
        matches = sorted(filter(self.admits, suiting), key=_KEYS[Order.NUMBER])
        return sorted(matches, key=_KEYS[self.order], reverse=not self.ascending)


async def browse(
    database: ModDatabase, search: Search, *, limit: int, offset: int
) -> Answer[ModListing]:
    """Return a page of the matches. Raises `ModDatabaseUnavailable`."""
    answer = await database.mods()
    stale, fetched_at = answer.stale, answer.fetched_at
    made_for: frozenset[int] | None = None
    if search.game_version:
        suiting = await database.made_for(search.game_version)
        made_for = suiting.content
        stale, fetched_at = stale or suiting.stale, min(fetched_at, suiting.fetched_at)
    # Some 5,000 mods take up to a tenth of a second.
    matches = await asyncio.to_thread(search.among, answer.content, made_for)
    mods = matches[offset : offset + limit]
    page = ModListing(total=len(matches), mods=mods, stale=stale, fetched_at=fetched_at)
    return Answer(page, fetched_at, stale)
