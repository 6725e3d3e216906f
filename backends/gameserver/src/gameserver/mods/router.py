"""HTTP: the mods of this server, as they are."""

from fastapi import APIRouter
from fastapi.responses import PlainTextResponse

from bedplate.openapi import errors
from gameserver.mods.exceptions import ModDatabaseUnavailable, ModNotInstalled
from gameserver.mods.schemas import ClientMods, InstalledMod, ModChange, Mods, ModUpdates
from gameserver.mods.wiring import CurrentMods, ThisMod
from gameserver.security import CurrentMonitor

router = APIRouter(prefix="/mods", tags=["mods"])


@router.get("", summary="List the mods of this server")
async def list_mods(mods: CurrentMods, _: CurrentMonitor) -> Mods:
    """Return every file in Mods/, also those that a hand put there."""
    return await mods.inventory.mods(await mods.game_version())


@router.get("/installed/{mod_id}", responses=errors(ModNotInstalled), summary="Get a mod")
async def get_mod(mod_id: ThisMod, mods: CurrentMods, _: CurrentMonitor) -> InstalledMod:
    """Return one mod of this server."""
    return await mods.inventory.mod(mod_id, await mods.game_version())


@router.get("/updates", responses=errors(ModDatabaseUnavailable), summary="Look for updates")
async def list_mod_updates(mods: CurrentMods, _: CurrentMonitor) -> ModUpdates:
    """Return the newer releases that suit the installed version of the game."""
    return await mods.updates.check(await mods.game_version())


@router.get("/client-list", summary="List the mods that players need")
async def list_client_mods(mods: CurrentMods, _: CurrentMonitor) -> ClientMods:
    """Return what is required on the client, with where to download it."""
    return await mods.client_mods()


@router.get("/client-list.txt", response_class=PlainTextResponse, summary="List them as plain text")
async def list_client_mods_as_text(mods: CurrentMods, _: CurrentMonitor) -> str:
    """Return a line for each mod: id, version, and where to download it."""
    listed = (await mods.client_mods()).mods
    return "".join(f"{mod.mod_id} {mod.version} {mod.url or ''}".rstrip() + "\n" for mod in listed)


@router.get("/changes", summary="List the changes that can be rolled back")
async def list_mod_changes(mods: CurrentMods, _: CurrentMonitor) -> list[ModChange]:
    """Return the last changes of mods, the newest first."""
    state = await mods.inventory.document.read()
    return [
        ModChange(
            id=generation.id,
            at=generation.at,
            by=generation.by,
            text=generation.text,
            files=[file.name for file in generation.files],
        )
        for generation in reversed(state.generations)
    ]
