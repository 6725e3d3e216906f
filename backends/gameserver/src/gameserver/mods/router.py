"""HTTP: the mods of this server, and their changes. Most changes are long work: 202."""

import asyncio
import shutil
from functools import partial
from pathlib import Path
from typing import Annotated, Final

from fastapi import APIRouter, Form, UploadFile
from fastapi.responses import PlainTextResponse

from bedplate import ids
from bedplate.backend import Upload
from bedplate.openapi import errors
from bedplate.schemas import QueryBool
from gameserver.console.wiring import CurrentConsole
from gameserver.layout import Layout
from gameserver.mods.archives import MAX_MOD_BYTES
from gameserver.mods.exceptions import (
    GameIsRunning,
    InvalidModFile,
    ModDatabaseUnavailable,
    ModNotInstalled,
    ModRequired,
    ModTooLarge,
)
from gameserver.mods.fetching import checked_file
from gameserver.mods.planning import ModRequest
from gameserver.mods.resolution import Requirement
from gameserver.mods.restarts import Outcome
from gameserver.mods.schemas import (
    ChangeOptions,
    ClientMods,
    InstalledMod,
    InstallFromURL,
    InstallMods,
    ModChange,
    Mods,
    ModUpdates,
    Origin,
    PlanMods,
    RemoveMod,
    RollBack,
    UpdateMods,
)
from gameserver.mods.wiring import CurrentMods, CurrentModWork, ThisMod
from gameserver.operations.exceptions import OperationInProgress
from gameserver.operations.progress import Progress
from gameserver.operations.schemas import Operation
from gameserver.security import CurrentAdmin, CurrentMonitor
from gameserver.wiring import CurrentLayout

router = APIRouter(prefix="/mods", tags=["mods"])
_begin = partial(router.post, status_code=202)
"""The decorator of a route that begins long work: it returns the operation to poll."""

_MULTIPART_BYTES: Final = 65_536

upload = Upload(
    path="/mods/upload", max_bytes=MAX_MOD_BYTES + _MULTIPART_BYTES, seconds="upload_seconds"
)

_CHANGE_ERRORS: Final = errors(GameIsRunning, OperationInProgress)
_UPLOAD_ERRORS: Final = errors(InvalidModFile, GameIsRunning, OperationInProgress)
_MOD_ERRORS: Final = errors(ModNotInstalled, GameIsRunning, OperationInProgress)
_REMOVAL_ERRORS: Final = errors(ModNotInstalled, ModRequired, GameIsRunning, OperationInProgress)


@router.get("", summary="List the mods of this server")
async def list_mods(mods: CurrentMods, console: CurrentConsole, _: CurrentMonitor) -> Mods:
    """Return every file in Mods/, including those added by hand."""
    failed = console.facts.current.mods.failed
    return await mods.inventory.mods(await mods.game_version(), failed)


@router.get("/installed/{mod_id}", responses=errors(ModNotInstalled), summary="Get a mod")
async def get_mod(
    mod_id: ThisMod, mods: CurrentMods, console: CurrentConsole, _: CurrentMonitor
) -> InstalledMod:
    """Return one mod of this server."""
    failed = console.facts.current.mods.failed
    return await mods.inventory.mod(mod_id, await mods.game_version(), failed)


@router.get("/updates", responses=errors(ModDatabaseUnavailable), summary="Look for updates")
async def list_mod_updates(mods: CurrentMods, _: CurrentMonitor) -> ModUpdates:
    """Return the newer releases that suit the installed version of the game."""
    return await mods.updates()


@router.get("/client-list", summary="List the mods that players need")
async def list_client_mods(mods: CurrentMods, _: CurrentMonitor) -> ClientMods:
    """Return the mods that clients must have, with download URLs."""
    return await mods.client_mods()


@router.get("/client-list.txt", response_class=PlainTextResponse, summary="List them as plain text")
async def list_client_mods_as_text(mods: CurrentMods, _: CurrentMonitor) -> str:
    """Return a line for each mod: id, version and download URL."""
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


@_begin("/plan", responses=errors(OperationInProgress), summary="See what a change would do")
async def plan_mods(body: PlanMods, mods: CurrentMods, work: CurrentModWork) -> Operation:
    """Resolve dependencies and download files, but change nothing; the result is the plan."""
    needs = [Requirement(mod.mod_id, mod.version) for mod in body.mods]
    request = ModRequest(needs, update_all=body.update_all, any_game_version=body.any_game_version)
    return await work.start(partial(mods.plan, request, by=work.by))


@_begin("/install", responses=_CHANGE_ERRORS, summary="Install mods")
async def install_mods(body: InstallMods, mods: CurrentMods, work: CurrentModWork) -> Operation:
    """Install mods from the mod database with their dependencies: all of them, or none."""
    needs = [Requirement(mod.mod_id, mod.version) for mod in body.mods]
    request = ModRequest(needs, any_game_version=body.any_game_version)
    return await work.change(body, partial(mods.install, request, body, by=work.by))


@_begin("/install-from-url", responses=_CHANGE_ERRORS, summary="Install a mod by URL")
async def install_mod_from_url(
    body: InstallFromURL, mods: CurrentMods, work: CurrentModWork
) -> Operation:
    """Download a mod from an allowed host, and install it with its dependencies."""
    request = ModRequest(
        url=body.url, url_mod_id=body.mod_id, any_game_version=body.any_game_version
    )
    return await work.change(body, partial(mods.install, request, body, by=work.by))


@_begin("/upload", responses=_UPLOAD_ERRORS, summary="Upload a mod")
async def upload_mod(
    file: UploadFile,
    mods: CurrentMods,
    layout: CurrentLayout,
    work: CurrentModWork,
    restart: Annotated[QueryBool, Form()] = False,
    rollback_if_not_ready: Annotated[QueryBool, Form()] = False,
    any_game_version: Annotated[QueryBool, Form()] = False,
) -> Operation:
    """Install a mod from a zip file with its dependencies. The file's name doesn't matter."""
    options = ChangeOptions(restart=restart, rollback_if_not_ready=rollback_if_not_ready)
    mods.restarts.check_allowed(options)
    path = await _stored(file, layout)

    async def install(progress: Progress) -> Outcome:
        try:
            return await mods.install(request, options, progress, by=work.by)
        finally:
            await asyncio.to_thread(path.unlink, missing_ok=True)

    try:
        mod = await checked_file(path, Origin.UPLOAD)
        request = ModRequest(files=[mod], any_game_version=any_game_version)
        return await work.change(options, install)
    except BaseException:
        await asyncio.to_thread(path.unlink, missing_ok=True)
        raise


@_begin("/update", responses=_MOD_ERRORS, summary="Update mods")
async def update_mods(body: UpdateMods, mods: CurrentMods, work: CurrentModWork) -> Operation:
    """Update the named mods, or all that are enabled and not pinned."""
    await mods.check_installed(*(body.mods or ()))
    request = ModRequest(
        update=body.mods, update_all=body.mods is None, any_game_version=body.any_game_version
    )
    return await work.change(body, partial(mods.install, request, body, by=work.by))


@_begin("/rollback", responses=_CHANGE_ERRORS, summary="Roll back mods")
async def roll_back_mods(body: RollBack, mods: CurrentMods, work: CurrentModWork) -> Operation:
    """Restore the mods from before the last change, or from before the named one."""
    return await work.change(body, partial(mods.roll_back, body, by=work.by))


@_begin("/installed/{mod_id}/remove", responses=_REMOVAL_ERRORS, summary="Remove a mod")
async def remove_mod(
    mod_id: ThisMod, body: RemoveMod, mods: CurrentMods, work: CurrentModWork
) -> Operation:
    """Remove a mod from Mods/; a rollback restores it."""
    await mods.check_removable(mod_id, force=body.force)
    return await work.change(body, partial(mods.remove, mod_id, body, by=work.by))


@_begin("/installed/{mod_id}/disable", responses=_REMOVAL_ERRORS, summary="Disable a mod")
async def disable_mod(
    mod_id: ThisMod, body: RemoveMod, mods: CurrentMods, work: CurrentModWork
) -> Operation:
    """Make the game ignore a mod: its file gets the suffix `.disabled`."""
    await mods.check_removable(mod_id, force=body.force)
    return await work.change(body, partial(mods.switch, mod_id, body, by=work.by, enable=False))


@_begin("/installed/{mod_id}/enable", responses=_MOD_ERRORS, summary="Enable a mod")
async def enable_mod(
    mod_id: ThisMod, body: RemoveMod, mods: CurrentMods, work: CurrentModWork
) -> Operation:
    """Make the game load a mod again; `force` ignores missing dependencies."""
    await mods.check_installed(mod_id)
    return await work.change(body, partial(mods.switch, mod_id, body, by=work.by, enable=True))


@router.put(
    "/installed/{mod_id}/pin",
    status_code=204,
    responses=errors(ModNotInstalled),
    summary="Pin a mod",
)
async def pin_mod(mod_id: ThisMod, mods: CurrentMods, _: CurrentAdmin) -> None:
    """Keep a mod at its version: no update touches it."""
    await mods.pin(mod_id, pinned=True)


@router.delete(
    "/installed/{mod_id}/pin",
    status_code=204,
    responses=errors(ModNotInstalled),
    summary="Unpin a mod",
)
async def unpin_mod(mod_id: ThisMod, mods: CurrentMods, _: CurrentAdmin) -> None:
    """Let a mod be updated again."""
    await mods.pin(mod_id, pinned=False)


async def _stored(file: UploadFile, layout: Layout) -> Path:
    """Return the staged copy of an upload. Raises `ModTooLarge`."""
    if (file.size or 0) > MAX_MOD_BYTES:
        raise ModTooLarge(f"A mod's file may have at most {MAX_MOD_BYTES} bytes.")
    path = layout.staging / f"upload-{ids.token(8)}.zip"

    def copy() -> None:
        with path.open("xb") as target:
            shutil.copyfileobj(file.file, target)

    await asyncio.to_thread(copy)
    return path
