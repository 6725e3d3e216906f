"""Looks every few seconds how the game and this manager fare."""

import asyncio
import contextlib
import os
from types import TracebackType
from typing import Any, Final, Self

import structlog

from bedplate import clock
from bedplate.documents import Document, DocumentError
from bedplate.observability.metrics import RequestMetrics
from gameserver.events import Event, EventKind, Events
from gameserver.layout import Layout
from gameserver.metrics.history import History
from gameserver.metrics.probes import DiskUsage, ProcessProbe, Usage, look_at_disk
from gameserver.metrics.schemas import Sample, SampleLog
from gameserver.process.game import Game

SAVE_EVERY: Final = 600.0
"""Seconds between two writes of the history: a crash loses as much of it at most."""

LOW_DISK_BYTES: Final = 1_000_000_000
_SAVE_BUCKETS: Final = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_COUNTED: Final = {
    EventKind.STARTING: "starts",
    EventKind.CRASHED: "crashes",
    EventKind.OVERLOADED: "overloads",
}
_GAUGES: Final = {
    "game_cpu_percent": "CPU of the game in percent of one core",
    "game_memory_bytes": "Resident memory of the game",
    "api_cpu_percent": "CPU of this manager in percent of one core",
    "api_memory_bytes": "Resident memory of this manager",
    "disk_free_bytes": "Free space on the disk of the data directory",
    "disk_used_bytes": "Used space on the disk of the data directory",
    "world_bytes": "Size of all worlds",
}


class Performance:
    """Samples every `seconds`, keeps a day of it, and shows Prometheus the newest.

    Nothing of it tells who plays: neither names nor addresses are labels.
    """

    def __init__(
        self,
        layout: Layout,
        game: Game,
        events: Events,
        document: Document[SampleLog],
        metrics: RequestMetrics,
        *,
        seconds: float,
    ) -> None:
        self.history = History(seconds)
        self._layout = layout
        self._game = game
        self._events = events
        self._document = document
        self._seconds = seconds
        self._game_probe = ProcessProbe()
        self._api_probe = ProcessProbe()
        self._overloads = 0
        self._save_seconds: float | None = None
        self._disk_is_low = False
        self._show(metrics)

    async def __aenter__(self) -> Self:
        """Read what is kept, and begin to sample."""
        kept = await self._document.read()
        await asyncio.to_thread(self.history.load, kept, clock.now())
        self._ignore = self._events.listen(self._hear)
        self._task = asyncio.create_task(self._sample_on(), name="performance")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End, and keep the history."""
        self._ignore()
        self._task.cancel()
        await asyncio.wait({self._task})
        await self._save()

    async def sample(self) -> Sample:
        """Look now, and take what is seen into the history."""
        usage, own, disk = await asyncio.to_thread(self._look, self._game.status.pid)
        overloads, self._overloads = self._overloads, 0
        running = usage is not None
        sample = Sample(
            at=clock.now(),
            game_cpu_percent=usage.cpu_percent if usage else None,
            game_memory_bytes=usage.memory_bytes if usage else None,
            api_cpu_percent=own.cpu_percent if own else None,
            api_memory_bytes=own.memory_bytes if own else None,
            players=len(self._game.console.online) if running else None,
            overloads=overloads if running else None,
            save_seconds=self._save_seconds if running else None,
            disk_free_bytes=disk.free if disk else None,
            disk_used_bytes=disk.used if disk else None,
            world_bytes=disk.world if disk else None,
        )
        self.history.add(sample)
        self._warn_of_disk(sample)
        return sample

    def _look(self, pid: int | None) -> tuple[Usage | None, Usage | None, DiskUsage | None]:
        disk = None
        with contextlib.suppress(OSError):
            disk = look_at_disk(self._layout.root, self._layout.saves)
        return self._game_probe.look(pid), self._api_probe.look(os.getpid()), disk

    async def _sample_on(self) -> None:
        saved = clock.monotonic()
        while True:
            try:
                await self.sample()
            except Exception as error:  # noqa: BLE001 - whatever it is, the next look comes
                structlog.get_logger().error("job_failed", job="performance", exc_info=error)
            if clock.monotonic() - saved >= SAVE_EVERY:
                saved = clock.monotonic()
                await self._save()
            await asyncio.sleep(self._seconds)

    async def _save(self) -> None:
        try:
            await self._document.write(await asyncio.to_thread(self.history.dump))
        except DocumentError as error:
            structlog.get_logger().error("performance_not_saved", reason=str(error))

    def _warn_of_disk(self, sample: Sample) -> None:
        """Tell once when the disk gets low, and again only after it had room."""
        if sample.disk_free_bytes is None:
            return
        low = sample.disk_free_bytes < LOW_DISK_BYTES
        if low and not self._disk_is_low:
            megabytes = int(sample.disk_free_bytes // 1_000_000)
            text = f"The disk has only {megabytes} MB free; the game ends itself at 400."
            self._events.publish(EventKind.DISK_LOW, text, free_megabytes=megabytes)
        self._disk_is_low = low

    def _hear(self, event: Event) -> None:
        if (counter := self._counters.get(event.kind)) is not None:
            counter.add()
        if event.kind is EventKind.OVERLOADED:
            self._overloads += 1
        elif event.kind is EventKind.WORLD_SAVED and "seconds" in event.facts:
            self._save_seconds = float(event.facts["seconds"])
            self._saves.observe(self._save_seconds)

    def _show(self, metrics: RequestMetrics) -> None:
        for name, meaning in _GAUGES.items():
            metrics.register_gauge(f"gameserver_{name}", meaning, [], self._reader(name))
        metrics.register_gauge("gameserver_players", "Players online", [], self._players)
        metrics.register_gauge("gameserver_state", "1 for the game's state", ["state"], self._state)
        self._saves = metrics.histogram(
            "gameserver_save_seconds", "How long saves of the world took", buckets=_SAVE_BUCKETS
        )
        self._counters = {
            kind: metrics.counter(f"gameserver_{name}", f"{name.capitalize()} of the game")
            for kind, name in _COUNTED.items()
        }

    def _players(self) -> dict[tuple[str, ...], float]:
        return {(): len(self._game.console.online)}

    def _state(self) -> dict[str, float]:
        return {self._game.status.state.value: 1.0}

    def _reader(self, name: str) -> Any:
        def read() -> dict[tuple[str, ...], float]:
            value = getattr(self.history.latest, name, None)
            return {} if value is None else {(): value}

        return read
