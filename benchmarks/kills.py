"""A thousand managers of a game server, each killed at a random moment of its work."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

_TEST = "backends/gameserver/tests/crashes/test_kills.py"


def measure(kills: int, say: Callable[[str], None]) -> dict[str, Any]:
    """Run the test of kills so often, and return what it reports.

    Raises `CalledProcessError` when anything was torn; its output was shown by then.
    """
    say(f"{kills:,} kills; one takes a second or two")
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        environment = {**os.environ, "CRASH_KILLS": str(kills), "CRASH_REPORT": str(report)}
        command = [sys.executable, "-m", "pytest", "-q", "-k", "dozen", _TEST]
        subprocess.run(command, env=environment, stdout=sys.stderr, check=True)
        found: dict[str, Any] = json.loads(report.read_text())
        return found
