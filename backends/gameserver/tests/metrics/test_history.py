"""The ring of samples: a day of them, and their means."""

from datetime import UTC, datetime, timedelta

from gameserver.metrics.history import DAY_SECONDS, History
from gameserver.metrics.schemas import Sample, SampleLog

NOW = datetime(2026, 1, 2, tzinfo=UTC)


def filled(count: int, seconds: float = 15) -> History:
    """Return a history of samples up to now; players count up."""
    history = History(seconds)
    for number in range(count):
        at = NOW - timedelta(seconds=seconds * (count - 1 - number))
        history.add(Sample(at=at, players=number, disk_free_bytes=None))
    return history


def test_holds_a_day() -> None:
    """More than a day of samples displaces the oldest."""
    history = filled(2 * 5760)
    assert 5760 <= len(history.dump().at) <= 5762
    assert history.latest is not None
    assert history.latest.at == NOW


def test_means() -> None:
    """Each point is the mean of its step; a series without values shows none."""
    found = filled(8).between(NOW - timedelta(seconds=105), NOW, 60)
    assert found.series["players"] == [1.5, 5.5]
    assert found.series["disk_free_bytes"] == [None, None]
    assert found.at == [NOW - timedelta(seconds=105), NOW - timedelta(seconds=45)]


def test_gaps_are_left_out() -> None:
    """Where nothing was measured there is no point."""
    history = History(15)
    for minutes in (120, 0):
        history.add(Sample(at=NOW - timedelta(minutes=minutes), players=1))
    found = history.between(NOW - timedelta(hours=24), NOW, 60)
    assert len(found.at) == 2


def test_kept_and_read_again() -> None:
    """What is kept comes back, without what is too old, of the future, or unknown."""
    kept = filled(4).dump()
    kept.series["unknown"] = [1.0]
    kept.series["players"] = kept.series["players"][:2]
    kept.at.append(NOW.timestamp() + 3600)
    history = History(15)
    history.load(SampleLog.model_validate_json(kept.model_dump_json()), NOW)
    assert len(history.dump().at) == 4
    assert history.latest is not None
    assert (history.latest.at, history.latest.players) == (NOW, None)
    late = History(15)
    late.load(kept, NOW + timedelta(seconds=DAY_SECONDS + 1))
    assert len(late.dump().at) == 1
