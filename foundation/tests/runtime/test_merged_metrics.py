"""Metrics of several processes, merged."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from bedplate.runtime.supervised_operations import merge_metrics


def exposition(count: int) -> str:
    """Return what a process shows that has counted so far."""
    registry = CollectorRegistry()
    Counter("jobs", "Jobs\nso far", ["name"], registry=registry).labels('a "b" \\ c').inc(count)
    Gauge("room", "Room", ["worker"], registry=registry).labels("desk").set(0.5)
    Histogram("size", "Size", buckets=[1, 2], registry=registry).observe(count)
    return generate_latest(registry).decode()


def samples_of(text: str) -> list[Sample]:
    """Return all samples of an exposition."""
    return [sample for family in text_string_to_metric_families(text) for sample in family.samples]


def test_each_family_is_there_once() -> None:
    """Families keep name, type and documentation, and none is declared twice."""
    alone, merged = exposition(1), merge_metrics({1: exposition(1), 2: exposition(2)}).decode()
    declared = [line for line in alone.splitlines() if line.startswith("#")]
    assert [line for line in merged.splitlines() if line.startswith("#")] == declared


def test_every_sample_says_its_worker() -> None:
    """Each worker's samples keep their values and labels, and get the worker's number."""
    merged = samples_of(merge_metrics({1: exposition(1), 2: exposition(2)}).decode())
    for number in (1, 2):
        of_worker = [
            sample._replace(labels={k: v for k, v in sample.labels.items() if k != "worker"})
            for sample in merged
            if sample.labels["worker"] == str(number)
        ]
        expected = [
            sample._replace(labels={"exported_worker": "desk"}) if sample.name == "room" else sample
            for sample in samples_of(exposition(number))
        ]
        named = [sample for sample in of_worker if not sample.name.endswith("_created")]
        assert named == [sample for sample in expected if not sample.name.endswith("_created")]


def test_nothing_of_nobody() -> None:
    """No worker, no metrics."""
    assert merge_metrics({}) == b""
