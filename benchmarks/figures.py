"""What the rounds of one contender's cases add up to."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import quantiles

from benchmarks.contender import Servers
from benchmarks.harness import Sample, Worker


@dataclass(frozen=True)
class Figure:
    """The best round's CPU time, and wall times of all rounds; µs a request."""

    cpu: float
    median: float
    percentile_99: float


Figures = Mapping[str, Mapping[str, Figure]]
"""By contender, then by case."""


def measure(
    names: Sequence[str],
    servers: Servers,
    rounds: int,
    requests: Callable[[str], int],
    say: Callable[[str], None],
) -> Figures:
    """Run every contender's cases, round by round and in turn.

    The turns make a noisy moment of the machine hit all contenders alike.
    """
    workers = _warm_workers(names, servers)
    samples: dict[str, dict[str, list[Sample]]] = {
        name: {case: [] for case in worker.cases} for name, worker in workers.items()
    }
    for number in range(rounds):
        say(f"round {number + 1} of {rounds}: {', '.join(names)}")
        for case in _all_cases(list(workers.values())):
            for name, worker in workers.items():
                if case in worker.cases:
                    samples[name][case].append(worker.measure(case, requests(case)))
    for worker in workers.values():
        worker.close()
    return {
        name: {case: _figure(taken) for case, taken in cases.items()}
        for name, cases in samples.items()
    }


def _warm_workers(names: Sequence[str], servers: Servers) -> dict[str, Worker]:
    workers = {name: Worker(name, servers) for name in names}
    for worker in workers.values():
        worker.wait()
    return workers


def _all_cases(workers: Sequence[Worker]) -> list[str]:
    return list(dict.fromkeys(case for worker in workers for case in worker.cases))


def _figure(samples: Sequence[Sample]) -> Figure:
    wall = [time for sample in samples for time in sample.wall]
    percentiles = quantiles(wall, n=100, method="inclusive")
    return Figure(min(sample.cpu for sample in samples), percentiles[49], percentiles[98])
