"""What `bedplate --help` says about an installed backend."""

import sys
from importlib.metadata import EntryPoint, PathDistribution
from pathlib import Path

import pytest

from bedplate.cli.installed import backend_summary


@pytest.fixture
def point(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> EntryPoint:
    """Give the entry point of a backend `owls` whose distribution has a summary."""
    (tmp_path / "owls").mkdir()
    (tmp_path / "owls" / "__init__.py").touch()
    information = tmp_path / "owls-1.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Name: owls\nVersion: 1\nSummary: Several birds.\n")
    (information / "entry_points.txt").write_text("[birds]\nowls = owls.backend:backend\n")
    monkeypatch.syspath_prepend(tmp_path)
    (entry_point,) = PathDistribution(information).entry_points
    return entry_point


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('backend = Backend(name="owls", summary="Counts owls.")', "Counts owls."),
        ('backend = Backend(\n    summary="Counts "\n    "owls.",\n)', "Counts owls."),
        ('other = Backend(summary="Other.")\nbackend = Backend(summary="Own.")', "Own."),
        ('backend = Backend(name="owls")', "Several birds."),
        ("backend = Backend(summary=SUMMARY)", "Several birds."),
        ("backend = other", "Several birds."),
        ("backend = (", "Several birds."),
        ("\0", "Several birds."),
        (None, "Several birds."),
    ],
)
def test_the_declared_summary_comes_before_the_distribution(
    point: EntryPoint, tmp_path: Path, source: str | None, expected: str
) -> None:
    """What the source doesn't say in plain text is taken from the distribution's metadata."""
    if source is not None:
        (tmp_path / "owls" / "backend.py").write_text(source)
    assert backend_summary(point) == expected
    assert "owls.backend" not in sys.modules


def test_a_backend_that_is_not_there_has_no_summary() -> None:
    """Neither a source nor a distribution: the line stays empty."""
    assert backend_summary(EntryPoint("owls", "owls_missing.backend:backend", "birds")) == ""
