"""HTTP: the log of a tenant in the formats of C2SP, for other people's tools."""

from fastapi import APIRouter, Response
from fastapi.responses import PlainTextResponse

from audits.log import service
from audits.log.exceptions import NoCheckpoint, NoRotation, NotInTheLog
from audits.log.wiring import CurrentEntries, CurrentNotary, TenantPath
from audits.security import CurrentReader, is_open, tenant_for
from audits.transparency.tiles import parse_path
from bedplate.auth import Principal
from bedplate.database.dependencies import ReadSession
from bedplate.openapi import errors
from bedplate.problems import Forbidden

router = APIRouter(prefix="/api/v1/log/{tenant}", tags=["log"])

_FOR_EVER = "max-age=31536000, immutable"
_FOR_SECONDS = "max-age=1"


@router.get(
    "/checkpoint",
    response_class=PlainTextResponse,
    responses=errors(Forbidden, NoCheckpoint),
    summary="The latest signed checkpoint",
)
async def get_checkpoint(
    tenant: TenantPath, principal: CurrentReader, session: ReadSession
) -> PlainTextResponse:
    """Return a c2sp.org/tlog-checkpoint with the signatures of the log and of its witnesses."""
    note = await service.checkpoint(session, tenant_for(principal, tenant))
    return PlainTextResponse(str(note), headers=_cached(principal, _FOR_SECONDS))


@router.get(
    "/key",
    response_class=PlainTextResponse,
    responses=errors(Forbidden),
    summary="The public keys of the log",
)
async def get_key(
    tenant: TenantPath, principal: CurrentReader, notary: CurrentNotary
) -> PlainTextResponse:
    """Return a verifier key (vkey) a line, the current Ed25519 key first."""
    keys = notary.keys.vkeys(tenant_for(principal, tenant))
    return PlainTextResponse(
        "".join(f"{key}\n" for key in keys), headers=_cached(principal, _FOR_SECONDS)
    )


@router.get(
    "/rotation",
    response_class=PlainTextResponse,
    responses=errors(Forbidden, NoRotation),
    summary="The note in which the key before names the current one",
)
async def get_rotation(
    tenant: TenantPath, principal: CurrentReader, notary: CurrentNotary
) -> PlainTextResponse:
    """Return a signed note: whoever trusts the key before learns the current one from it."""
    note = notary.keys.rotation(tenant_for(principal, tenant))
    if note is None:
        raise NoRotation
    return PlainTextResponse(str(note), headers=_cached(principal, _FOR_SECONDS))


@router.get(
    "/minimum",
    response_class=PlainTextResponse,
    responses=errors(Forbidden),
    summary="The index of the first entry that wasn't pruned",
)
async def get_minimum(
    tenant: TenantPath, principal: CurrentReader, session: ReadSession
) -> PlainTextResponse:
    """Return the minimum index of c2sp.org/tlog-tiles: earlier entries may be gone."""
    minimum = await service.minimum(session, tenant_for(principal, tenant))
    return PlainTextResponse(f"{minimum}\n", headers=_cached(principal, _FOR_SECONDS))


@router.get(
    "/tile/{path:path}",
    response_class=Response,
    responses=errors(Forbidden, NotInTheLog),
    summary="A tile of hashes, or a bundle of entries",
)
async def get_tile(
    tenant: TenantPath,
    path: str,
    principal: CurrentReader,
    session: ReadSession,
    entries: CurrentEntries,
) -> Response:
    """Return `<level>/<index>` or `entries/<index>`, with `.p/<width>` for a partial one."""
    name = tenant_for(principal, tenant)
    try:
        wanted, is_bundle = parse_path(path)
    except ValueError:
        raise NotInTheLog from None
    if is_bundle:
        body = await service.bundle(session, entries, name, wanted)
    else:
        body = await service.tile(session, name, wanted)
    return Response(
        body, headers=_cached(principal, _FOR_EVER), media_type="application/octet-stream"
    )


def _cached(principal: Principal, how_long: str) -> dict[str, str]:
    """Return the header for caches; what needs a key is for the reader's own alone."""
    whose = "public" if is_open(principal) else "private"
    return {"Cache-Control": f"{whose}, {how_long}"}
