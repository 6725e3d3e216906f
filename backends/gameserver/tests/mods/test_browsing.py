"""The list of the mod database, looked through."""

import threading
from pathlib import Path

import httpx2

from gameserver.mods.browsing import Search, browse
from gameserver.mods.cache import FileCache
from gameserver.mods.database import ModDatabase
from gameserver.mods.listing import ListedMod
from gameserver.outgoing.fetching import Bounds, Downloads
from gameserver.outgoing.sources import Sources


async def test_thousands_of_mods_are_looked_through_elsewhere(
    database_url: str, tmp_path: Path
) -> None:
    """Five thousand would hold the event loop up: another thread filters and sorts them."""
    threads: set[int] = set()

    class Watched(Search):
        def admits(self, mod: ListedMod) -> bool:
            threads.add(threading.get_ident())
            return super().admits(mod)

    async with httpx2.AsyncClient() as client:
        downloads = Downloads(client, Sources(database_url, frozenset()), Bounds(1 << 20, 10))
        database = ModDatabase(downloads, database_url, FileCache(tmp_path))
        answer = await browse(database, Watched(text="lantern"), limit=1, offset=0)
    assert answer.content.total > 1
    assert threads
    assert threading.get_ident() not in threads
