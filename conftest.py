"""What holds for every test of the workspace."""

import gc
import os
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from bedplate.testing import watchdog

# How long an example takes depends on the machine, and is measured in benchmarks/.
patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ordinary", patient, max_examples=40)
settings.register_profile("thorough", patient, max_examples=500)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ordinary"))

# By default Python looks through all objects of a test worker, 200 MB of them, again and again.
gc.set_threshold(20_000, 20, 10)

_MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of our own is made in it
_ROOM_BYTES = 4 << 30


def pytest_configure() -> None:
    """Keep what tests write in memory, where there is room; TMPDIR names another place.

    Tests make hundreds of databases, and documents that are flushed to the disk with each change:
    without the disk the whole run takes two thirds of the CPU time. It is removed after the run.
    """
    if "TMPDIR" in os.environ or not _has_room():
        return
    folder = Path(tempfile.mkdtemp(prefix="bedplate-tests-", dir=_MEMORY))
    watchdog.remove_later(folder)
    folder.chmod(0o755)  # PostgreSQL runs as another account where we are root
    os.environ["TMPDIR"] = str(folder)  # also for the test workers, and what they start
    tempfile.tempdir = None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let soaks last as long as they take; every other test has the bound of pyproject.toml."""
    for item in items:
        if item.get_closest_marker("soak") is not None:
            item.add_marker(pytest.mark.timeout(0))


def _has_room() -> bool:
    if not os.access(_MEMORY, os.W_OK) or os.statvfs(_MEMORY).f_flag & os.ST_NOEXEC:
        return False
    return shutil.disk_usage(_MEMORY).free > _ROOM_BYTES
