"""HTTP: a witness by c2sp.org/tlog-witness."""

from typing import Annotated

from fastapi import APIRouter, Path, Request
from fastapi.responses import PlainTextResponse

from audits.transparency.submission import SIZE_MEDIA_TYPE
from audits.witnesses.exceptions import (
    CheckpointNotSigned,
    InconsistentCheckpoint,
    MalformedSubmission,
    OtherOldSize,
    UnknownLog,
)
from audits.witnesses.service import Cosigner
from bedplate.openapi import errors
from bedplate.state import from_state

router = APIRouter(tags=["witness"])
CurrentCosigner = Annotated[Cosigner, from_state(Cosigner)]


@router.post(
    "/add-checkpoint",
    response_class=PlainTextResponse,
    responses=errors(
        MalformedSubmission, UnknownLog, CheckpointNotSigned, OtherOldSize, InconsistentCheckpoint
    ),
    openapi_extra={"requestBody": {"content": {"text/plain": {"schema": {"type": "string"}}}}},
    summary="Cosign a checkpoint",
)
async def add_checkpoint(request: Request, cosigner: CurrentCosigner) -> PlainTextResponse:
    """Return the witness's signature line, if the checkpoint continues the latest one."""
    try:
        return PlainTextResponse(await cosigner.add(await request.body()))
    except OtherOldSize as error:
        # The protocol wants the size as the body, and not a problem document.
        headers = {"Content-Type": SIZE_MEDIA_TYPE}
        return PlainTextResponse(f"{error.size}\n", error.status, headers)


@router.get(
    "/{origin_hash}/checkpoint",
    response_class=PlainTextResponse,
    responses=errors(UnknownLog),
    summary="The latest cosigned checkpoint of a log",
)
async def get_checkpoint(
    origin_hash: Annotated[str, Path(pattern="^[0-9a-f]{64}$")], cosigner: CurrentCosigner
) -> PlainTextResponse:
    """Return the checkpoint with the log's signature and the witness's."""
    return PlainTextResponse(await cosigner.latest(origin_hash))
