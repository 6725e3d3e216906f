"""HTTP: how the game fares, now and over the last day. Prometheus has a port of its own."""

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


@router.get("", summary="Show how the game fares now")
async def get_performance(performance: CurrentPerformance, _: CurrentMonitor) -> Sample:
    """Return the newest sample."""
    return performance.history.latest or await performance.sample()


@router.get("/history", responses=errors(PeriodRefused), summary="Show how it fared")
async def get_performance_history(
    performance: CurrentPerformance,
    _: CurrentMonitor,
    begin: Annotated[
        Timestamp | None, Query(alias="from", description="A day ago, when not given")
    ] = None,
    end: Annotated[Timestamp | None, Query(alias="to", description="Now")] = None,
    step: Annotated[int, QueryInt(1, DAY_SECONDS), Query(description="Seconds a point")] = 60,
) -> PerformanceHistory:
    """Return means for plots, of the last day at most."""
    now = clock.now()
    until = min(end or now, now)
    since = max(begin or now - _DAY, now - _DAY)
    if begin is not None and end is not None and begin > end:
        raise PeriodRefused
    return await asyncio.to_thread(performance.history.between, since, until, step)
