"""A simulated game as a real process, with its lines."""

import fcntl
import os
import signal
import struct
import subprocess
import termios
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

from gameserver_simulator import command_line

PATIENCE = 20.0
QUICK = {"boot_seconds": 0, "save_seconds": 0, "stop_seconds": 0, "lookup_seconds": 0}


class Process:
    """A running simulated game."""

    def __init__(self, data: Path, *arguments: str, **options: object) -> None:
        self.data = data
        words = command_line(**{**QUICK, **options})
        environment = {k: v for k, v in os.environ.items() if not k.startswith("SIMULATE_")}
        self.process = subprocess.Popen(
            [*words, "--dataPath", str(data), "--port", "0", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**environment, "TZ": "UTC"},
        )
        self.lines: list[str] = []
        self.raw: list[bytes] = []
        self._seen = 0
        self._changed = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for raw in self.process.stdout:
            with self._changed:
                self.raw.append(raw)
                self.lines.append(raw.decode(errors="replace").rstrip("\n"))
                self._changed.notify_all()
        with self._changed:
            self._changed.notify_all()

    def send(self, *lines: str) -> None:
        """Type lines at the console, each when the game has read the one before."""
        for line in lines:
            self.write(f"{line}\n".encode())
            self.wait_until_read()

    def write(self, content: bytes) -> None:
        """Write bytes to the console at once."""
        assert self.process.stdin is not None
        self.process.stdin.write(content)
        self.process.stdin.flush()

    def wait_until_read(self) -> None:
        """Wait until the game has read its console, or has ended."""
        deadline = time.monotonic() + PATIENCE
        while self.unread and self.process.poll() is None:
            assert time.monotonic() < deadline, "the game doesn't read its console"
            time.sleep(0.001)

    @property
    def unread(self) -> int:
        """Bytes of the console that the game has not read."""
        assert self.process.stdin is not None
        (count,) = struct.unpack("i", fcntl.ioctl(self.process.stdin, termios.FIONREAD, b"\0" * 4))
        return int(count)

    def expect(self, part: str) -> str:
        """Return the next line that holds `part`; lines up to it count as seen."""

        def found() -> bool:
            return any(part in line for line in self.lines[self._seen :]) or not self.alive

        with self._changed:
            assert self._changed.wait_for(found, PATIENCE), f"no {part!r} in {self.lines[-30:]}"
            for place in range(self._seen, len(self.lines)):
                if part in self.lines[place]:
                    self._seen = place + 1
                    return self.lines[place]
        pytest.fail(f"it ended without {part!r}: {self.lines[-30:]}")

    @property
    def alive(self) -> bool:
        """Whether more lines may come."""
        return self._reader.is_alive()

    def ready(self) -> Self:
        """Wait until the game is ready."""
        self.expect("now running on Port")
        return self

    def signal(self, number: signal.Signals) -> None:
        """Send a signal."""
        self.process.send_signal(number)

    def wait(self) -> int:
        """Wait for the end, and return the exit code."""
        code = self.process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        return code

    def stop(self) -> list[str]:
        """Stop it, and return all its lines."""
        self.send("/stop")
        assert self.wait() == 0
        return self.lines

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.process.kill()
        self.process.wait()
        self._reader.join(PATIENCE)
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except BrokenPipeError:
                    continue


Launch = Callable[..., Process]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Give the game's data path."""
    return tmp_path / "data"


@pytest.fixture
def launch(data: Path) -> Iterator[Launch]:
    """Give what starts a simulated game: `launch("--maxclients", "3", hang_at_stop=True)`."""
    with ExitStack() as stack:

        def launch(*arguments: str, **options: object) -> Process:
            return stack.enter_context(Process(data, *arguments, **options))

        yield launch


@pytest.fixture
def game(launch: Launch) -> Process:
    """Give a simulated game that is ready."""
    return launch().ready()
