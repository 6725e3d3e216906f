import contextlib
from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass
from typing import Annotated, Final

import httpx2
from fastapi import Depends, Path

from bedplate.documents import Document, FileTransactions
from bedplate.state import from_state
from bedplate.tls import trusted
from gameserver.events import Events
from gameserver.installed import InstalledVersions
from gameserver.layout import Layout
from gameserver.mods.archives import MAX_MOD_BYTES
from gameserver.mods.cache import FileCache
from gameserver.mods.changes import Changes
from gameserver.mods.database import MAX_ANSWER_BYTES, ModDatabase
from gameserver.mods.fetching import ModSources
from gameserver.mods.folder import ModsFolder
from gameserver.mods.inventory import Inventory
from gameserver.mods.planning import Planner
from gameserver.mods.restarts import Restarts
from gameserver.mods.schemas import ChangeOptions, ModId, ModsState
from gameserver.mods.service import ModLibrary
from gameserver.operations.schemas import Operation, OperationKind
from gameserver.operations.service import Work
from gameserver.operations.wiring import Accepted, CurrentOperations
from gameserver.outgoing.fetching import Bounds, Downloads
from gameserver.outgoing.sources import Sources
from gameserver.process.game import Game
from gameserver.security import CurrentAdmin
from gameserver.settings import GameServerSettings
from gameserver.simulator import StandIns

_MAX_REDIRECTS: Final = 5


@contextlib.asynccontextmanager
async def open_mods(
    settings: GameServerSettings,
    layout: Layout,
    game: Game,
    installed: InstalledVersions,
    stand_ins: StandIns,
    file_transactions: FileTransactions,
    events: Events,
) -> AsyncIterator[ModLibrary]:
    """Yield the mods of this server."""

    async def version() -> str | None:
        current = await installed.current()
        return current.version if current is not None else game.status.version

    document = Document(layout.state / "mods.json", ModsState, default=ModsState)
    inventory = Inventory(ModsFolder(layout.mods), document)
    changes = Changes(
        inventory, file_transactions, layout.previous_mods, max_kept=settings.keep_mod_changes
    )
    await changes.tidy()
    async with httpx2.AsyncClient(
        headers={"User-Agent": "bedplate-gameserver"}, trust_env=False, verify=trusted()
    ) as client:
        sources = _sources(settings, layout, client, stand_ins)
        yield ModLibrary(
            layout,
            inventory,
            changes,
            sources.database,
            Planner(inventory, sources, version),
            Restarts(game, settings.mod_ready_seconds),
            events,
            version,
        )


def _sources(
    settings: GameServerSettings, layout: Layout, client: httpx2.AsyncClient, stand_ins: StandIns
) -> ModSources:
    base = stand_ins.mod_database or settings.mod_database_url
    hosts = frozenset(host.lower() for host in settings.mod_hosts)
    sources = Sources(base, hosts, private=settings.mod_hosts_may_be_private)
    answers = Bounds(MAX_ANSWER_BYTES, settings.mod_database_timeout_seconds, redirects=0)
    database = ModDatabase(
        Downloads(client, sources, answers),
        base,
        FileCache(layout.cache / "mod-database"),
        fresh_seconds=settings.mod_cache_fresh_seconds,
    )
    files = Bounds(MAX_MOD_BYTES, settings.mod_download_seconds, redirects=_MAX_REDIRECTS)
    downloads = Downloads(client, sources, files)
    return ModSources(database, downloads, FileCache(layout.cache / "mod-files"))


_NOT_BESIDE: Final = frozenset(
    {OperationKind.MODS, OperationKind.BACKUP, OperationKind.RESTORE, OperationKind.SWITCH}
)

ThisMod = Annotated[ModId, Path(description="The mod's id")]
CurrentMods = Annotated[ModLibrary, from_state(ModLibrary)]


@dataclass(frozen=True)
class ModWork:
    """Begins long work on mods for the admin who sent the request."""

    mods: CurrentMods
    operations: CurrentOperations
    admin: CurrentAdmin
    accepted: Accepted

    @property
    def by(self) -> str:
        """The admin's id."""
        return self.admin.id

    async def change(self, options: ChangeOptions, work: Work) -> Operation:
        """Return the operation that changes mods. Raises `GameIsRunning`, `OperationInProgress`."""
        self.mods.restarts.check_allowed(options)
        return await self.start(work, not_beside=_NOT_BESIDE)

    async def start(self, work: Work, *, not_beside: Collection[OperationKind] = ()) -> Operation:
        """Begin work on mods that may run beside any other than `not_beside`; return it."""
        operation = await self.operations.start(
            OperationKind.MODS, work, by=self.by, not_beside=not_beside
        )
        return self.accepted(operation)


CurrentModWork = Annotated[ModWork, Depends()]
