"""HTTP: how far the streams are."""

from fastapi import APIRouter

from audits.security import CurrentAdmin, tenant_for
from audits.streams.schemas import StreamState
from audits.streams.wiring import CurrentStreams
from bedplate.problems import Forbidden

router = APIRouter(prefix="/api/v1/streams", tags=["streams"])


@router.get("", summary="How far the streams are")
async def list_streams(principal: CurrentAdmin, streams: CurrentStreams) -> list[StreamState]:
    """Return position, lag and last error of each stream that your key may see."""

    def visible(state: StreamState) -> bool:
        try:
            tenant_for(principal, state.tenant)
        except Forbidden:
            return False
        return True

    return [state for state in await streams.states() if visible(state)]
