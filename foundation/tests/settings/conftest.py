"""A process that receives no settings."""

import os
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def _nothing_is_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Take away what the surroundings of this test run would set."""
    for name in os.environ:
        if name not in {"PATH", "HOME", "PYTEST_CURRENT_TEST"}:
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
