from typing import Annotated

from fastapi import APIRouter, Query

from bedplate.openapi import headers
from bedplate.pagination import CurrentPaging
from bedplate.schemas import QueryInt
from gameserver.audit.schemas import AuditEntry
from gameserver.audit.wiring import CurrentAudit
from gameserver.security import CurrentAdmin

router = APIRouter(prefix="/audit", tags=["audit"])


@router.get("", responses=headers(200, "Link"), summary="Who did what, newest first")
async def list_audit(
    _: CurrentAdmin,
    audit: CurrentAudit,
    paging: CurrentPaging,
    limit: Annotated[int, QueryInt(1, 1_000), Query()] = 100,
) -> list[AuditEntry]:
    """Return the entries; secrets in commands are redacted."""
    return paging(await audit.page(after=paging.after, limit=limit))
