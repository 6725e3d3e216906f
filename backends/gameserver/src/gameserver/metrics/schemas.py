"""What goes over the wire: how the game and this manager fare."""

from typing import Final

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

SERIES: Final = (
    "game_cpu_percent",
    "game_memory_bytes",
    "api_cpu_percent",
    "api_memory_bytes",
    "players",
    "overloads",
    "save_seconds",
    "disk_free_bytes",
    "disk_used_bytes",
    "world_bytes",
)


class Sample(BaseModel):
    """One look. CPU in percent of one core. None where there is nothing to measure.

    overloads      ticks that took too long since the sample before
    save_seconds   how long the last save took
    disk_…         of the disk on which the data directory lies
    world_bytes    all worlds, with what SQLite keeps beside them
    """

    model_config = ConfigDict(frozen=True)

    at: AwareDatetime
    game_cpu_percent: float | None = None
    game_memory_bytes: float | None = None
    api_cpu_percent: float | None = None
    api_memory_bytes: float | None = None
    players: float | None = None
    overloads: float | None = None
    save_seconds: float | None = None
    disk_free_bytes: float | None = None
    disk_used_bytes: float | None = None
    world_bytes: float | None = None


class SampleLog(BaseModel):
    """The document of samples, in columns: seconds since 1970, then a list each series."""

    at: list[float] = []
    series: dict[str, list[float | None]] = {}


class PerformanceHistory(BaseModel):
    """Series for plots: value n of each is the mean over `step` seconds from time n on.

    Times at which nothing was measured are left out; None where one series has nothing to show.
    """

    step: int = Field(description="Seconds")
    at: list[AwareDatetime]
    series: dict[str, list[float | None]]
