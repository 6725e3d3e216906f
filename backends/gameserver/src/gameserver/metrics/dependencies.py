"""What routes ask for."""

from typing import Annotated

from fastapi import Depends, Request

from gameserver.metrics.performance import Performance


def current_performance(request: Request) -> Performance:
    """Return what samples."""
    performance: Performance = request.state.performance
    return performance


CurrentPerformance = Annotated[Performance, Depends(current_performance)]
