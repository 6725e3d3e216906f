"""HTTP: the mods of this server. What changes them is long work: 202, and an operation to watch."""

import asyncio
import shutil
from pathlib import Path as FilePath
from typing import Annotated, Final

from fastapi import APIRouter, Form, Path, Response, UploadFile
from fastapi.responses import PlainTextResponse

from bedplate import ids
from bedplate.backend import Upload
from bedplate.openapi import errors
from bedplate.schemas import TrueOrFalse
from gameserver.dependencies import CurrentLayout
from gameserver.layout import Layout
from gameserver.mods.archives import LARGEST_MOD
from gameserver.mods.dependencies import CurrentMods
from gameserver.mods.exceptions import (
    GameIsRunning,
    InvalidModFile,
    ModDatabaseUnavailable,
    ModNeeded,
    ModNotInstalled,
    ModTooLarge,
)
from gameserver.mods.library import ModLibrary, Outcome
from gameserver.mods.planning import Request
from gameserver.mods.resolution import Wish
from gameserver.mods.schemas import (
    ChangeOptions,
    ClientMods,
    InstalledMod,
    InstallFromURL,
    InstallMods,
    ModChange,
    ModId,
    Mods,
    ModUpdates,
    PlanMods,
    RemoveMod,
    RollBack,
    UpdateMods,
    WishedMod,
)
from gameserver.operations.dependencies import Accepted, CurrentOperations
from gameserver.operations.exceptions import OperationUnderWay
from gameserver.operations.progress import Progress
from gameserver.operations.schemas import Operation, OperationKind
from gameserver.security import CurrentAdmin, CurrentMonitor
from gameserver.settings import GameServerSettings

router = APIRouter(prefix="/mods", tags=["mods"])

_MULTIPART_BYTES: Final = 65_536


def _largest(_: GameServerSettings) -> int:
    return LARGEST_MOD + _MULTIPART_BYTES


def _longest(settings: GameServerSettings) -> float:
    return settings.upload_seconds


upload = Upload(path="/mods/upload", max_bytes=_largest, seconds=_longest)

ThisMod = Annotated[ModId, Path(description="The mod's id")]
_NOT_BESIDE: Final = (
    OperationKind.MODS,
    OperationKind.BACKUP,
    OperationKind.RESTORE,
    OperationKind.SWITCH,
)
_CHANGES: Final = errors(GameIsRunning, OperationUnderWay)
_OF_ONE: Final = errors(ModNotInstalled, GameIsRunning, OperationUnderWay)


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
            id=one.id, at=one.at, by=one.by, text=one.text, files=[file.name for file in one.files]
        )
        for one in reversed(state.generations)
    ]


@router.post(
    "/plan",
    status_code=202,
    responses=errors(OperationUnderWay),
    summary="See what a change would do",
)
async def plan_mods(
    body: PlanMods,
    mods: CurrentMods,
    operations: CurrentOperations,
    principal: CurrentAdmin,
    accepted: Accepted,
) -> Operation:
    """Resolve dependencies and fetch files, and change nothing; the plan is the result."""
    request = Request(
        _wishes(body.mods), update_all=body.update_all, any_game_version=body.any_game_version
    )

    async def work(progress: Progress) -> Outcome:
        return await mods.plan(request, progress)

    by = principal.id
    return accepted(await operations.start(OperationKind.MODS, work, by=by))


@router.post("/install", status_code=202, responses=_CHANGES, summary="Install mods")
async def install_mods(
    body: InstallMods,
    mods: CurrentMods,
    operations: CurrentOperations,
    principal: CurrentAdmin,
    accepted: Accepted,
) -> Operation:
    """Install mods from the mod database with what they depend on: all of them, or none."""
    request = Request(_wishes(body.mods), any_game_version=body.any_game_version)
    return accepted(await _install(mods, operations, request, body, principal.id))


@router.post(
    "/install-from-url", status_code=202, responses=_CHANGES, summary="Install a mod by URL"
)
async def install_mod_from_url(
    body: InstallFromURL,
    mods: CurrentMods,
    operations: CurrentOperations,
    principal: CurrentAdmin,
    accepted: Accepted,
) -> Operation:
    """Fetch a mod from an allowed host, and install it with what it depends on."""
    request = Request(url=body.url, url_mod_id=body.mod_id, any_game_version=body.any_game_version)
    return accepted(await _install(mods, operations, request, body, principal.id))


@router.post(
    "/upload",
    status_code=202,
    responses=errors(InvalidModFile, GameIsRunning, OperationUnderWay),
    summary="Upload a mod",
)
async def upload_mod(
    file: UploadFile,
    mods: CurrentMods,
    operations: CurrentOperations,
    layout: CurrentLayout,
    principal: CurrentAdmin,
    accepted: Accepted,
    restart: Annotated[TrueOrFalse, Form()] = False,
    rollback_if_not_ready: Annotated[TrueOrFalse, Form()] = False,
    any_game_version: Annotated[TrueOrFalse, Form()] = False,
) -> Operation:
    """Install a mod from a zip file, with what it depends on. Its file name doesn't matter."""
    options = ChangeOptions(restart=restart, rollback_if_not_ready=rollback_if_not_ready)
    mods.refuse_running(options)
    path = await _stored(file, layout)
    try:
        given = await mods.check_upload(path)
        request = Request(given=[given], any_game_version=any_game_version)
        operation = await _install(mods, operations, request, options, principal.id, path)
    except BaseException:
        await asyncio.to_thread(path.unlink, missing_ok=True)
        raise
    return accepted(operation)


@router.post("/update", status_code=202, responses=_OF_ONE, summary="Update mods")
async def update_mods(
    body: UpdateMods,
    mods: CurrentMods,
    operations: CurrentOperations,
    principal: CurrentAdmin,
    accepted: Accepted,
) -> Operation:
    """Update all that are enabled and not pinned, or those that are named."""
    await mods.refuse_absent(body.mods or ())
    request = Request(
        update=body.mods, update_all=body.mods is None, any_game_version=body.any_game_version
    )
    return accepted(await _install(mods, operations, request, body, principal.id))


@router.post("/rollback", status_code=202, responses=_CHANGES, summary="Roll back mods")
async def roll_back_mods(
    body: RollBack,
    mods: CurrentMods,
    operations: CurrentOperations,
    principal: CurrentAdmin,
    accepted: Accepted,
) -> Operation:
    """Bring back the mods as they were before the last change, or before the one named."""
    mods.refuse_running(body)
    by = principal.id

    async def work(progress: Progress) -> Outcome:
        return await mods.roll_back(body.change, body, progress, by=by, force=body.force)

    return accepted(await operations.start(OperationKind.MODS, work, by=by, not_beside=_NOT_BESIDE))


@router.post(
    "/installed/{mod_id}/remove",
    status_code=202,
    responses=errors(ModNotInstalled, ModNeeded, GameIsRunning, OperationUnderWay),
    summary="Remove a mod",
)
async def remove_mod(
    mod_id: ThisMod,
    body: RemoveMod,
    mods: CurrentMods,
    operations: CurrentOperations,
    principal: CurrentAdmin,
    accepted: Accepted,
) -> Operation:
    """Take a mod out of Mods/; a roll back brings it again."""
    await mods.refuse_needed(mod_id, force=body.force)
    mods.refuse_running(body)
    by = principal.id

    async def work(progress: Progress) -> Outcome:
        return await mods.remove(mod_id, body, progress, by=by, force=body.force)

    return accepted(await operations.start(OperationKind.MODS, work, by=by, not_beside=_NOT_BESIDE))


@router.post(
    "/installed/{mod_id}/disable",
    status_code=202,
    responses=errors(ModNotInstalled, ModNeeded, GameIsRunning, OperationUnderWay),
    summary="Disable a mod",
)
async def disable_mod(
    mod_id: ThisMod,
    body: RemoveMod,
    mods: CurrentMods,
    operations: CurrentOperations,
    principal: CurrentAdmin,
    accepted: Accepted,
) -> Operation:
    """Make the game ignore a mod: its file gets the suffix `.disabled`."""
    await mods.refuse_needed(mod_id, force=body.force)
    return accepted(await _switch(mods, operations, mod_id, body, principal.id, enable=False))


@router.post(
    "/installed/{mod_id}/enable", status_code=202, responses=_OF_ONE, summary="Enable a mod"
)
async def enable_mod(
    mod_id: ThisMod,
    body: RemoveMod,
    mods: CurrentMods,
    operations: CurrentOperations,
    principal: CurrentAdmin,
    accepted: Accepted,
) -> Operation:
    """Make the game load a mod again; `force` does it although it lacks what it depends on."""
    await mods.refuse_absent([mod_id])
    return accepted(await _switch(mods, operations, mod_id, body, principal.id, enable=True))


@router.put(
    "/installed/{mod_id}/pin",
    status_code=204,
    responses=errors(ModNotInstalled),
    summary="Pin a mod",
)
async def pin_mod(mod_id: ThisMod, mods: CurrentMods, _: CurrentAdmin) -> Response:
    """Keep a mod at its version: no update touches it."""
    await mods.pin(mod_id, pinned=True)
    return Response(status_code=204)


@router.delete(
    "/installed/{mod_id}/pin",
    status_code=204,
    responses=errors(ModNotInstalled),
    summary="Unpin a mod",
)
async def unpin_mod(mod_id: ThisMod, mods: CurrentMods, _: CurrentAdmin) -> Response:
    """Let a mod be updated again."""
    await mods.pin(mod_id, pinned=False)
    return Response(status_code=204)


def _wishes(mods: list[WishedMod]) -> list[Wish]:
    return [Wish(mod.mod_id, mod.version) for mod in mods]


async def _install(
    mods: ModLibrary,
    operations: CurrentOperations,
    request: Request,
    options: ChangeOptions,
    by: str,
    upload: FilePath | None = None,
) -> Operation:
    mods.refuse_running(options)

    async def work(progress: Progress) -> Outcome:
        try:
            return await mods.install(request, options, progress, by=by)
        finally:
            if upload is not None:
                await asyncio.to_thread(upload.unlink, missing_ok=True)

    return await operations.start(OperationKind.MODS, work, by=by, not_beside=_NOT_BESIDE)


async def _switch(
    mods: ModLibrary,
    operations: CurrentOperations,
    mod_id: str,
    body: RemoveMod,
    by: str,
    *,
    enable: bool,
) -> Operation:
    mods.refuse_running(body)

    async def work(progress: Progress) -> Outcome:
        return await mods.switch(mod_id, body, progress, by=by, enable=enable, force=body.force)

    return await operations.start(OperationKind.MODS, work, by=by, not_beside=_NOT_BESIDE)


async def _stored(file: UploadFile, layout: Layout) -> FilePath:
    """Return the staged copy of an upload. Raises `ModTooLarge`."""
    if (file.size or 0) > LARGEST_MOD:
        raise ModTooLarge(f"A mod's file may have at most {LARGEST_MOD} bytes.")
    path = layout.staging / f"upload-{ids.token(8)}.zip"

    def copy() -> None:
        with path.open("xb") as target:
            shutil.copyfileobj(file.file, target)

    await asyncio.to_thread(copy)
    return path
