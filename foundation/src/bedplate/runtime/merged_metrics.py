"""The metrics of several processes as one exposition in Prometheus' text format 0.0.4."""

from collections.abc import Iterable, Mapping

from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.core import Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector
from prometheus_client.samples import Sample

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4


def merge(expositions: Mapping[int, str]) -> bytes:
    """Return the expositions of workers, by their number, as one: samples get a label `worker`.

    A label of that name which is there already becomes `exported_worker`, as Prometheus itself
    renames labels that it needs. Raises ValueError for what is no exposition.
    """
    merged = _Families()
    for worker, exposition in expositions.items():
        for family in text_string_to_metric_families(exposition):
            merged.add(worker, family)
    return generate_latest(merged)


class _Families(Collector):
    def __init__(self) -> None:
        self._families: dict[str, Metric] = {}

    def add(self, worker: int, family: Metric) -> None:
        empty = Metric(family.name, family.documentation, family.type)
        samples = self._families.setdefault(family.name, empty).samples
        samples.extend(_labelled(worker, sample) for sample in family.samples)

    def collect(self) -> Iterable[Metric]:
        return self._families.values()


def _labelled(worker: int, sample: Sample) -> Sample:
    labels = {"exported_worker" if k == "worker" else k: v for k, v in sample.labels.items()}
    return sample._replace(labels={**labels, "worker": str(worker)})
