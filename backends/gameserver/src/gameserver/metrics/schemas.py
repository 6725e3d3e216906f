from typing import Final

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field


class Sample(BaseModel):
    """What was measured at one time. CPU in percent of one core. None where there was nothing.

    overloads      ticks that took too long since the sample before
    save_seconds   how long the last save took
    disk_…         of the disk that holds the data directory
    world_bytes    all worlds, with SQLite's files beside them
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


SERIES: Final = tuple(name for name in Sample.model_fields if name != "at")


class SampleLog(BaseModel):
    """The document of samples, in columns: seconds since 1970, and a list for each series."""

    at: list[float] = []
    series: dict[str, list[float | None]] = {}


class PerformanceHistory(BaseModel):
    """Series for plots: value n of each is the mean over `step` seconds from time n on.

    Times at which nothing was measured are left out; None where one series has no value.
    """

    step: int = Field(description="Seconds")
    at: list[AwareDatetime]
    series: dict[str, list[float | None]]
