"""The parts of this domain, opened in the lifespan."""

import contextlib
from collections.abc import AsyncIterator
from typing import Final

import httpx2

from bedplate.backend import Resources
from bedplate.documents import Document
from bedplate.tls import trusted
from gameserver.layout import Layout
from gameserver.mods.archives import MAX_MOD_BYTES
from gameserver.mods.cache import Cache
from gameserver.mods.changes import Changes
from gameserver.mods.database import ModDatabase
from gameserver.mods.downloads import ModDownloads
from gameserver.mods.fetching import FileCache
from gameserver.mods.folder import ModsFolder
from gameserver.mods.inventory import Inventory
from gameserver.mods.library import ModLibrary, ModSources
from gameserver.mods.restarts import Restarts
from gameserver.mods.state import ModsState
from gameserver.outgoing.fetching import Bounds, Downloads
from gameserver.outgoing.sources import Sources
from gameserver.process.game import Game
from gameserver.settings import GameServerSettings
from gameserver.simulator import StandIns
from gameserver.versions.installation import Installed

_USER_AGENT: Final = "bedplate-gameserver"
_MAX_REDIRECTS: Final = 5


@contextlib.asynccontextmanager
async def open_mods(
    settings: GameServerSettings, resources: Resources
) -> AsyncIterator[ModLibrary]:
    """Yield the mods of this server."""
    layout: Layout = resources["layout"]
    game: Game = resources["game"]
    document = Document(layout.state / "mods.json", ModsState, default=ModsState)
    inventory = Inventory(ModsFolder(layout.mods), document)
    changes = Changes(
        inventory, resources["swaps"], layout.former_mods, most=settings.keep_mod_changes
    )
    await changes.tidy()
    async with httpx2.AsyncClient(
        headers={"User-Agent": _USER_AGENT}, trust_env=False, verify=trusted()
    ) as client:
        yield ModLibrary(
            layout,
            inventory,
            changes,
            _sources(settings, layout, client, resources["stand_ins"]),
            Restarts(game, ready_seconds=settings.mod_ready_seconds),
            resources["events"],
            lambda: _version(game, resources["installed"]),
        )


def _sources(
    settings: GameServerSettings,
    layout: Layout,
    client: httpx2.AsyncClient,
    stand_ins: StandIns,
) -> ModSources:
    base = stand_ins.mod_database or settings.mod_database_url
    database = ModDatabase(
        client,
        base,
        Cache(layout.cache / "mod-database"),
        seconds=settings.mod_database_timeout_seconds,
        fresh_seconds=settings.mod_cache_fresh_seconds,
    )
    hosts = frozenset(host.lower() for host in settings.mod_hosts)
    sources = Sources(base, hosts, private=settings.mod_hosts_may_be_private)
    bounds = Bounds(MAX_MOD_BYTES, settings.mod_download_seconds, redirects=_MAX_REDIRECTS)
    downloads = ModDownloads(Downloads(client, sources, bounds))
    return ModSources(database, downloads, FileCache(layout.cache / "mod-files"))


async def _version(game: Game, installed: Installed) -> str | None:
    """Return the version of the game that mods must suit."""
    current = await installed.current()
    return current.version if current is not None else game.status.version
