from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi import Path as PathParameter
from fastapi.responses import FileResponse, StreamingResponse
from starlette.responses import Response

from bedplate.backend import Upload
from bedplate.openapi import errors, headers
from bedplate.pagination import CurrentPaging
from bedplate.problems import BadRequest, ContentTooLarge
from bedplate.schemas import QueryInt
from gameserver.backups.exceptions import (
    BackupInUse,
    BackupNotFound,
    BackupVersionNotInstalled,
    BackupWithoutVersion,
    GameStillRunning,
    OffHostStoreUnavailable,
    WorldFromNewerVersion,
    WorldNotFound,
)
from gameserver.backups.schemas import (
    ID_PATTERN,
    Backup,
    BackupChange,
    BackupKind,
    NewBackup,
    NewRestore,
)
from gameserver.backups.service import BackupRequest
from gameserver.backups.wiring import CurrentBackups
from gameserver.disk import InsufficientStorage
from gameserver.operations.exceptions import OperationInProgress, OperationInterrupted
from gameserver.operations.schemas import Operation
from gameserver.operations.wiring import Accepted
from gameserver.security import CurrentAdmin, CurrentMonitor

router = APIRouter(prefix="/backups", tags=["backups"])
upload = Upload(path="/backups/upload", max_bytes="backup_upload_bytes", seconds="upload_seconds")

BackupId = Annotated[str, PathParameter(pattern=ID_PATTERN, description="Id of the backup")]
_LOOKUP_ERRORS = errors(BackupNotFound, OffHostStoreUnavailable)
_ZSTANDARD = "application/zstd"
_BINARY = {"type": "string", "format": "binary"}
_FILE_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {"description": "The archive, a .tar.zst", "content": {_ZSTANDARD: {"schema": _BINARY}}},
    206: {"description": "Part of the archive"},
    416: {"description": "Range Not Satisfiable"},
}
_UPLOAD_BODY = {
    "requestBody": {
        "required": True,
        "content": {_ZSTANDARD: {"schema": {**_BINARY, "minLength": 1}}},
    }
}


@router.get("", responses=headers(200, "Link"), summary="List backups, newest first")
async def list_backups(
    backups: CurrentBackups,
    _: CurrentMonitor,
    paging: CurrentPaging,
    limit: Annotated[int, QueryInt(1, 1000), Query()] = 100,
) -> list[Backup]:
    """Return every complete backup, local or only off-host."""
    return paging(await backups.catalogue.page(after=paging.after, limit=limit))


@router.post(
    "",
    status_code=202,
    responses=errors(WorldNotFound, OperationInterrupted),
    summary="Make a backup",
)
async def make_backup(
    backups: CurrentBackups,
    admin: CurrentAdmin,
    accepted: Accepted,
    options: NewBackup | None = None,
) -> Operation:
    """Begin a backup, whether the game runs or not. The operation's result names it."""
    options = options or NewBackup()
    request = BackupRequest(BackupKind.MANUAL, admin.id, options.note, options.pinned)
    return accepted(await backups.backups.start(request))


@router.post(
    "/upload",
    status_code=202,
    responses=errors(BadRequest, ContentTooLarge, InsufficientStorage, OperationInterrupted),
    openapi_extra=_UPLOAD_BODY,
    summary="Upload a backup",
)
async def upload_backup(
    request: Request, backups: CurrentBackups, admin: CurrentAdmin, accepted: Accepted
) -> Operation:
    """Upload an archive, or a world (.vcdbs) as it is, as the raw body.

    It is listed once the operation has checked all of it. A world alone, when it is restored,
    replaces the present world and nothing else.
    """
    declared = request.headers.get("content-length")
    operation = await backups.uploads.receive(
        request.stream(), declared=int(declared) if declared else None, by=admin.id
    )
    return accepted(operation)


@router.get("/{backup_id}", responses=_LOOKUP_ERRORS, summary="Get a backup")
async def get_backup(backup_id: BackupId, backups: CurrentBackups, _: CurrentMonitor) -> Backup:
    """Return a backup's record."""
    return await backups.catalogue.get(backup_id)


@router.patch("/{backup_id}", responses=_LOOKUP_ERRORS, summary="Pin or unpin a backup")
async def change_backup(
    backup_id: BackupId, change: BackupChange, backups: CurrentBackups, _: CurrentAdmin
) -> Backup:
    """Protect a backup from deletion and retention, or no longer."""
    return await backups.catalogue.pin(backup_id, pinned=change.pinned)


@router.delete(
    "/{backup_id}",
    status_code=204,
    responses={**_LOOKUP_ERRORS, **errors(BackupInUse)},
    summary="Delete a backup",
)
async def delete_backup(backup_id: BackupId, backups: CurrentBackups, _: CurrentAdmin) -> None:
    """Delete a backup, and its off-host copy."""
    await backups.catalogue.delete(backup_id)


@router.get(
    "/{backup_id}/download",
    response_class=Response,
    responses={**_FILE_RESPONSES, **_LOOKUP_ERRORS},
    summary="Download a backup",
)
async def download_backup(
    backup_id: BackupId, backups: CurrentBackups, _: CurrentAdmin
) -> Response:
    """Send the archive. A local one can be downloaded in parts (`Range`)."""
    backup = await backups.catalogue.get(backup_id)
    archive = backups.catalogue.archive(backup)
    headers = {"ETag": f'"{backup.sha256}"'}
    name = f"vintage-story-{backup.id}.tar.zst"
    if isinstance(archive, Path):
        return FileResponse(archive, headers=headers, media_type=_ZSTANDARD, filename=name)
    headers |= {
        "Content-Length": str(backup.bytes),
        "Content-Disposition": f'attachment; filename="{name}"',
    }
    return StreamingResponse(archive, headers=headers, media_type=_ZSTANDARD)


@router.post(
    "/{backup_id}/restore",
    status_code=202,
    responses={
        **_LOOKUP_ERRORS,
        **errors(
            GameStillRunning,
            WorldFromNewerVersion,
            BackupWithoutVersion,
            BackupVersionNotInstalled,
            OperationInProgress,
            OperationInterrupted,
        ),
    },
    summary="Restore a backup",
)
async def restore_backup(
    backup_id: BackupId,
    backups: CurrentBackups,
    admin: CurrentAdmin,
    accepted: Accepted,
    options: NewRestore | None = None,
) -> Operation:
    """Begin a restore. Its result names a `safety_copy`; restoring that one undoes it."""
    return accepted(await backups.restores.start(backup_id, options or NewRestore(), by=admin.id))
