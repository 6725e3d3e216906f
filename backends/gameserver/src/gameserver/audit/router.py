"""HTTP: paths, status codes, summaries. No rules."""

from typing import Annotated

from fastapi import APIRouter, Query

from bedplate.schemas import QueryInt
from gameserver.audit.schemas import AuditEntry
from gameserver.audit.wiring import CurrentAudit
from gameserver.security import CurrentAdmin

router = APIRouter(prefix="/audit", tags=["audit"])


@router.get("", summary="Who did what, newest first")
async def list_audit(
    _: CurrentAdmin,
    audit: CurrentAudit,
    limit: Annotated[int, QueryInt(1, 1_000), Query()] = 100,
) -> list[AuditEntry]:
    """Return the newest entries; secrets in commands are cut."""
    return await audit.newest(limit)
