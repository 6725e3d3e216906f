"""Samples of what the game and this manager use, for plots and for Prometheus."""

import asyncio
import contextlib
import os
from dataclasses import dataclass, field
from functools import partial
from typing import Final

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


@dataclass(eq=False)
class Performance:
    """Takes samples `seconds` apart, keeps those of a day, and shows Prometheus the newest.

    No metric reveals who plays: neither names nor addresses are labels.
    """

    layout: Layout
    game: Game
    events: Events
    document: Document[SampleLog]
    metrics: RequestMetrics
    seconds: float
    _game_probe: ProcessProbe = field(default_factory=ProcessProbe, init=False)
    _api_probe: ProcessProbe = field(default_factory=ProcessProbe, init=False)
    _overloads: int = field(default=0, init=False)
    _save_seconds: float | None = field(default=None, init=False)
    _disk_is_low: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        self.history = History(self.seconds)
        self._register(self.metrics)
        self.events.listen(self._count)

    async def load(self) -> None:
        """Read the stored history."""
        await asyncio.to_thread(self.history.load, await self.document.read(), clock.now())

    async def save(self) -> None:
        """Store the history. A failure is logged."""
        try:
            await self.document.write(await asyncio.to_thread(self.history.dump))
        except DocumentError as error:
            structlog.get_logger().error("performance_not_saved", reason=str(error))

    async def sample(self) -> Sample:
        """Take a sample now, and add it to the history."""
        usage, own, disk = await asyncio.to_thread(self._look, self.game.status.pid)
        overloads, self._overloads = self._overloads, 0
        running = usage is not None
        sample = Sample(
            at=clock.now(),
            game_cpu_percent=usage.cpu_percent if usage else None,
            game_memory_bytes=usage.memory_bytes if usage else None,
            api_cpu_percent=own.cpu_percent if own else None,
            api_memory_bytes=own.memory_bytes if own else None,
            players=len(self.game.console.online) if running else None,
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
            disk = look_at_disk(self.layout.root, self.layout.saves)
        return self._game_probe.look(pid), self._api_probe.look(os.getpid()), disk

    def _warn_of_disk(self, sample: Sample) -> None:
        """Publish once that the disk is low, and again only after it had room."""
        if sample.disk_free_bytes is None:
            return
        low = sample.disk_free_bytes < LOW_DISK_BYTES
        if low and not self._disk_is_low:
            megabytes = int(sample.disk_free_bytes // 1_000_000)
            text = f"The disk has only {megabytes} MB free; the game ends itself at 400."
            self.events.publish(EventKind.DISK_LOW, text, free_megabytes=megabytes)
        self._disk_is_low = low

    def _count(self, event: Event) -> None:
        if (counter := self._counters.get(event.kind)) is not None:
            counter.add()
        if event.kind is EventKind.OVERLOADED:
            self._overloads += 1
        elif event.kind is EventKind.WORLD_SAVED and "seconds" in event.facts:
            self._save_seconds = float(event.facts["seconds"])
            self._saves.observe(self._save_seconds)

    def _register(self, metrics: RequestMetrics) -> None:
        for name, description in _GAUGES.items():
            metrics.register_gauge(
                f"gameserver_{name}", description, [], partial(self._newest, name)
            )
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
        return {(): len(self.game.console.online)}

    def _state(self) -> dict[str, float]:
        return {self.game.status.state.value: 1.0}

    def _newest(self, name: str) -> dict[tuple[str, ...], float]:
        value = getattr(self.history.latest, name, None)
        return {} if value is None else {(): value}
