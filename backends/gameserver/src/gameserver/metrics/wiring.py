import contextlib
from collections.abc import AsyncIterator
from typing import Annotated, Final

from bedplate.documents import Document
from bedplate.jobs.background import Jobs
from bedplate.observability.metrics import RequestMetrics
from bedplate.state import from_state
from gameserver.events import Events
from gameserver.layout import Layout
from gameserver.metrics.schemas import SampleLog
from gameserver.metrics.service import Performance
from gameserver.process.game import Game
from gameserver.settings import GameServerSettings

CurrentPerformance = Annotated[Performance, from_state(Performance)]

SAVE_SECONDS: Final = 600.0
"""Seconds between two writes of the history: a crash loses at most that much of it."""


@contextlib.asynccontextmanager
async def open_performance(
    settings: GameServerSettings,
    layout: Layout,
    game: Game,
    events: Events,
    metrics: RequestMetrics,
) -> AsyncIterator[Performance]:
    """Yield the performance, which is sampled from now on; its history is stored at the end."""
    document = Document(layout.state / "performance.json", SampleLog, default=SampleLog)
    seconds = settings.metrics_interval_seconds
    performance = Performance(layout, game, events, document, metrics, seconds)
    await performance.load()
    async with Jobs() as jobs:
        jobs.every(seconds, performance.sample, name="performance")
        jobs.every(SAVE_SECONDS, performance.save, name="performance_history")
        try:
            yield performance
        finally:
            await performance.save()
