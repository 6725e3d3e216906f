"""HTTP: verifications of whole logs, which run in the background."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Response

from audits.log.exceptions import NoCheckpoint
from audits.log.wiring import TenantPath
from audits.records.wiring import RecordedReader
from audits.security import CurrentReader, tenant_for
from audits.verification.exceptions import TooManyVerifications, VerificationNotFound
from audits.verification.schemas import Verification
from audits.verification.service import Verifications
from bedplate.openapi import errors, headers
from bedplate.problems import Forbidden
from bedplate.state import from_state

router = APIRouter(prefix="/api/v1/log/{tenant}/verify", tags=["log"])
CurrentVerifications = Annotated[Verifications, from_state(Verifications)]


@router.post(
    "",
    status_code=202,
    responses={
        **headers(202, "Location"),
        **errors(Forbidden, NoCheckpoint, TooManyVerifications),
    },
    summary="Verify a whole log",
)
async def verify(
    tenant: TenantPath,
    principal: RecordedReader,
    verifications: CurrentVerifications,
    response: Response,
) -> Verification:
    """Begin to verify signature, root and every entry; `Location` shows how far it is."""
    begun = await verifications.start(tenant_for(principal, tenant))
    response.headers["Location"] = f"{router.prefix.format(tenant=tenant)}/{begun.id}"
    return begun


@router.get(
    "/{verification_id}",
    responses=errors(Forbidden, VerificationNotFound),
    summary="How a verification is going",
)
async def get_verification(
    tenant: TenantPath,
    verification_id: UUID,
    principal: CurrentReader,
    verifications: CurrentVerifications,
) -> Verification:
    """Return how many entries were verified, and the first thing that is broken."""
    return verifications.get(tenant_for(principal, tenant), verification_id)
