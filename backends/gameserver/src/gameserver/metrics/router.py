import asyncio
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Query

from bedplate import clock
from bedplate.openapi import errors
from bedplate.schemas import QueryInt, Timestamp
from gameserver.metrics.exceptions import PeriodRefused
from gameserver.metrics.history import DAY_SECONDS
from gameserver.metrics.schemas import PerformanceHistory, Sample
from gameserver.metrics.wiring import CurrentPerformance
from gameserver.security import CurrentMonitor

router = APIRouter(prefix="/performance", tags=["performance"])

_DAY = timedelta(seconds=DAY_SECONDS)


@router.get("", summary="Read the newest sample")
async def get_performance(performance: CurrentPerformance, _: CurrentMonitor) -> Sample:
    """Return what the game and the manager use at present."""
    return performance.history.latest or await performance.sample()


@router.get("/history", responses=errors(PeriodRefused), summary="Read the last day's samples")
async def get_performance_history(
    performance: CurrentPerformance,
    _: CurrentMonitor,
    begin: Annotated[
        Timestamp | None, Query(alias="from", description="Default: a day ago")
    ] = None,
    end: Annotated[Timestamp | None, Query(alias="to", description="Default: now")] = None,
    step: Annotated[int, QueryInt(1, DAY_SECONDS), Query(description="Seconds per point")] = 60,
) -> PerformanceHistory:
    """Return means over each step, for plots, of at most the last day."""
    now = clock.now()
    until = min(end or now, now)
    since = max(begin or now - _DAY, now - _DAY)
    if begin is not None and end is not None and begin > end:
        raise PeriodRefused
    return await asyncio.to_thread(performance.history.between, since, until, step)
