"""Raw files below serverdata. Only for admins: ModConfig may contain secrets."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from bedplate.backend import Upload
from bedplate.conditional import IfAbsent, IfMatch, IfNoneMatch, Preconditions
from bedplate.openapi import errors
from bedplate.problems import PreconditionFailed
from bedplate.schemas import MultiLineStr
from gameserver.files.exceptions import (
    ConditionNeeded,
    FileInUse,
    FileMissing,
    FileTooLarge,
    InvalidPath,
    NotAFile,
    NotText,
)
from gameserver.files.schemas import Folder
from gameserver.files.text import is_text
from gameserver.files.tree import MAX_FILE_BYTES, MAX_PATH_LENGTH, etag_of
from gameserver.files.wiring import CurrentFiles
from gameserver.process.exceptions import GameBusy
from gameserver.security import CurrentAdmin

router = APIRouter(prefix="/files", tags=["files"])
upload = Upload(
    path="/files/content",
    method="PUT",
    max_bytes=MAX_FILE_BYTES,
    seconds="request_timeout_seconds",
)

Path = Annotated[
    str,
    MultiLineStr(MAX_PATH_LENGTH),
    Query(description="Path below serverdata, such as ModConfig/mine.json", examples=["ModConfig"]),
]
_READ = errors(InvalidPath, FileMissing, NotAFile)
_WRITE = errors(
    InvalidPath, FileMissing, NotAFile, FileInUse, GameBusy, PreconditionFailed, ConditionNeeded
)
_TEXT = "text/plain"
_BYTES = "application/octet-stream"
_BODY = {"schema": {"type": "string", "format": "binary"}}
_CONTENT = {"content": {_TEXT: _BODY, _BYTES: _BODY}}


@router.get("", responses=_READ, summary="List a folder")
async def list_files(files: CurrentFiles, _: CurrentAdmin, path: Path = "") -> Folder:
    """Return the entries of a folder; the empty path is serverdata itself."""
    return Folder(path=path, entries=await files.entries(path))


@router.get(
    "/content",
    response_class=Response,
    responses={
        200: {"description": "The bytes", **_CONTENT},
        304: {"description": "Not Modified"},
        **errors(InvalidPath, FileMissing, NotAFile, FileInUse, FileTooLarge),
    },
    summary="Read a file",
)
async def read_file(
    path: Path, files: CurrentFiles, _: CurrentAdmin, condition: IfNoneMatch
) -> Response:
    """Return a file byte for byte: as text/plain if it is UTF-8, else as an octet stream."""
    content = await files.read(path)
    etag = etag_of(content)
    if condition.not_modified(etag):
        return Response(status_code=304, headers={"ETag": etag})
    return Response(content, headers={"ETag": etag, **_headers(content)})


@router.put(
    "/content",
    status_code=204,
    responses={**_WRITE, **errors(FileTooLarge, NotText)},
    openapi_extra={"requestBody": {"required": True, **_CONTENT}},
    summary="Write a file",
)
async def write_file(
    request: Request,
    path: Path,
    files: CurrentFiles,
    _: CurrentAdmin,
    if_match: IfMatch,
    if_absent: IfAbsent,
) -> Response:
    """Replace the file that was read (`If-Match`), or create a new one (`If-None-Match: *`).

    `text/plain` keeps the file's byte-order mark and line ends; other types are written unchanged.
    """
    condition = Preconditions(if_match.if_match, if_absent.if_none_match)
    as_text = request.headers.get("content-type", "").strip().lower().startswith(_TEXT)
    etag = await files.write(path, await request.body(), condition, as_text=as_text)
    return Response(status_code=204, headers={"ETag": etag})


@router.delete("/content", status_code=204, responses=_WRITE, summary="Delete a file")
async def delete_file(
    path: Path, files: CurrentFiles, _: CurrentAdmin, condition: IfMatch
) -> Response:
    """Delete the file that was read; `If-Match` is required."""
    await files.delete(path, condition)
    return Response(status_code=204)


def _headers(content: bytes) -> dict[str, str]:
    """Return headers with which no browser runs a file's content."""
    return {
        "Content-Type": f"{_TEXT}; charset=utf-8" if is_text(content) else _BYTES,
        "Content-Disposition": "attachment",
        "Cache-Control": "no-store",
    }
