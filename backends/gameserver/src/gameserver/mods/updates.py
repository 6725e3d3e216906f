"""Which mods have a newer release that suits the installed game."""

import asyncio
from dataclasses import dataclass
from typing import Final

from gameserver.mods.database import ModDatabase
from gameserver.mods.exceptions import ModNotFound
from gameserver.mods.inventory import Inventory
from gameserver.mods.modinfo import ModInfo
from gameserver.mods.releases import best_release, suits
from gameserver.mods.schemas import ModUpdate, ModUpdates
from gameserver.version_numbers import is_newer

_AT_ONCE: Final = 6


@dataclass(frozen=True)
class _Looked:
    """What the mod database says of one mod."""

    update: ModUpdate | None
    unknown: str | None
    stale: bool


class Updates:
    """Compares the enabled mods with the mod database."""

    def __init__(self, database: ModDatabase, inventory: Inventory) -> None:
        self._database = database
        self._inventory = inventory

    async def check(self, game: str | None, *, any_game_version: bool = False) -> ModUpdates:
        """Return what could be updated. Raises `ModDatabaseUnavailable`."""
        stock = await self._inventory.installed()
        gate = asyncio.Semaphore(_AT_ONCE)

        async def look(info: ModInfo) -> _Looked:
            pinned = info.mod_id in stock.state.pinned
            async with gate:
                return await self._look(info, game, pinned, any_game_version=any_game_version)

        looked = await asyncio.gather(*map(look, stock.enabled().values()))
        return ModUpdates(
            game_version=game,
            updates=[item.update for item in looked if item.update is not None],
            unknown=[item.unknown for item in looked if item.unknown is not None],
            stale=any(item.stale for item in looked),
        )

    async def _look(
        self, info: ModInfo, game: str | None, pinned: bool, *, any_game_version: bool
    ) -> _Looked:
        try:
            answer = await self._database.page(info.mod_id)
        except ModNotFound:
            return _Looked(None, info.mod_id, stale=False)
        best = best_release(
            answer.content.releases, info.mod_id, game=game, any_game_version=any_game_version
        )
        if best is None or not is_newer(best.version, info.version):
            return _Looked(None, None, answer.stale)
        update = ModUpdate(
            mod_id=info.mod_id,
            name=info.name,
            version=info.version,
            newest=best.version,
            suits=suits(best.game_versions, game),
            pinned=pinned,
            changelog=best.changelog,
        )
        return _Looked(update, None, answer.stale)
