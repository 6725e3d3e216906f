"""A day of samples, and their means for plots."""

from collections import deque
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

from gameserver.metrics.schemas import SERIES, PerformanceHistory, Sample, SampleLog

DAY_SECONDS: Final = 24 * 3600


class History:
    """The samples of the last day, in a ring that holds as many as a day has."""

    def __init__(self, seconds_between: float) -> None:
        self._samples: deque[Sample] = deque(maxlen=int(DAY_SECONDS / seconds_between) + 1)

    @property
    def latest(self) -> Sample | None:
        """The newest sample."""
        return self._samples[-1] if self._samples else None

    def add(self, sample: Sample) -> None:
        """Add a sample, and drop those that are older than a day."""
        self._samples.append(sample)
        oldest = sample.at.timestamp() - DAY_SECONDS
        while self._samples and self._samples[0].at.timestamp() < oldest:
            self._samples.popleft()

    def between(self, begin: datetime, end: datetime, step: int) -> PerformanceHistory:
        """Return the means over each `step` seconds from `begin` up to `end`.

        It takes up to 0.15 s: run it in a thread. `add` may be called meanwhile.
        """
        buckets: dict[int, list[Sample]] = {}
        for sample in list(self._samples):
            if begin <= sample.at <= end:
                number = int((sample.at - begin).total_seconds() // step)
                buckets.setdefault(number, []).append(sample)
        origin = begin.timestamp()
        return PerformanceHistory(
            step=step,
            at=[datetime.fromtimestamp(origin + number * step, UTC) for number in sorted(buckets)],
            series={
                name: [_mean(buckets[number], name) for number in sorted(buckets)]
                for name in SERIES
            },
        )

    def dump(self) -> SampleLog:
        """Return the samples for the document. Run it in a thread, like `between`."""
        samples = list(self._samples)
        return SampleLog(
            at=[sample.at.timestamp() for sample in samples],
            series={name: [getattr(sample, name) for sample in samples] for name in SERIES},
        )

    def load(self, log: SampleLog, now: datetime) -> None:
        """Add stored samples, except those older than a day or from the future."""
        columns = {name: log.series.get(name, []) for name in SERIES}
        for position, stamp in enumerate(log.at):
            if now.timestamp() - DAY_SECONDS <= stamp <= now.timestamp():
                values = {
                    name: column[position] if position < len(column) else None
                    for name, column in columns.items()
                }
                self._samples.append(Sample(at=datetime.fromtimestamp(stamp, UTC), **values))


def _mean(samples: Iterable[Sample], name: str) -> float | None:
    values = [value for sample in samples if (value := getattr(sample, name)) is not None]
    return round(sum(values) / len(values), 3) if values else None
