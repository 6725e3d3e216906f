"""What a killed manager had staged."""

import contextlib
import threading
from pathlib import Path

from gameserver.layout import Layout
from gameserver.wiring import open_file_transactions


async def test_what_still_writes_does_not_stop_the_start(tmp_path: Path) -> None:
    """Staging is empty after a start, though a process of the killed manager goes on writing."""
    layout = Layout(tmp_path)
    layout.create()
    folder = layout.staging / "backup-1"
    folder.mkdir()
    for number in range(2_000):  # so that removing them takes a while
        (folder / f"old-{number}").touch()
    ended = threading.Event()

    def write() -> None:
        number = 0
        while not ended.is_set():
            number += 1
            with contextlib.suppress(OSError):
                (folder / str(number)).touch()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(3):
            async with open_file_transactions(layout):
                assert list(layout.staging.iterdir()) == []
    finally:
        ended.set()
        writer.join()
    async with open_file_transactions(layout):
        assert [each.name for each in layout.manager.glob("staging*")] == ["staging"]
