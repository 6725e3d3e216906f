import contextlib
from collections.abc import AsyncIterator
from typing import Annotated

from bedplate.documents import Document
from bedplate.observability.metrics import RequestMetrics
from bedplate.state import from_state
from gameserver.events import Events
from gameserver.layout import Layout
from gameserver.metrics.schemas import SampleLog
from gameserver.metrics.service import Performance
from gameserver.process.game import Game
from gameserver.settings import GameServerSettings

CurrentPerformance = Annotated[Performance, from_state(Performance)]


@contextlib.asynccontextmanager
async def open_performance(
    settings: GameServerSettings,
    layout: Layout,
    game: Game,
    events: Events,
    metrics: RequestMetrics,
) -> AsyncIterator[Performance]:
    """Yield the samples of the game's and this manager's resource use."""
    document = Document(layout.state / "performance.json", SampleLog, default=SampleLog)
    seconds = settings.metrics_interval_seconds
    async with Performance(layout, game, events, document, metrics, seconds=seconds) as performance:
        yield performance
