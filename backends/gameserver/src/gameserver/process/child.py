"""One process of the game: its pipes, its signals, its exit."""

import asyncio
import contextlib
import fcntl
import os
import signal
import struct
import subprocess
import termios
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Final, Self

MAX_UNREAD_BYTES: Final = 65_536
"""Bytes of commands that the game may leave unread before further ones are refused."""

LAST_OUTPUT_SECONDS: Final = 1.0
"""How long to wait for the output that a process left in its pipes."""

_INT: Final = struct.Struct("i")

OnChunk = Callable[[bytes], None]


class Child:
    """A process of the game, in a session of its own, so that Ctrl-C doesn't reach it.

    Its output is read in chunks as it comes, whatever becomes of it: the game never waits for the
    manager. When it ends, the rest of its process group is killed.
    """

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self.pid = process.pid
        self._process = process
        self._loop = asyncio.get_running_loop()
        self._ended: asyncio.Future[int] = self._loop.create_future()
        self._input: asyncio.WriteTransport | None = None
        self._outputs: list[tuple[asyncio.ReadTransport, _Output]] = []

    @classmethod
    async def spawn(
        cls,
        command: Sequence[str],
        *,
        folder: Path,
        environment: Mapping[str, str],
        inherited: Sequence[int],
        on_output: OnChunk,
        on_error_output: OnChunk,
    ) -> Self:
        """Start `command` in `folder`; it keeps the descriptors `inherited`. Raises OSError."""
        process = await asyncio.to_thread(
            subprocess.Popen,  # the operator's own command, without a shell
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=folder,
            env=environment,
            pass_fds=inherited,
            start_new_session=True,
            bufsize=0,
        )
        child = cls(process)
        threading.Thread(target=child._watch, name="game", daemon=True).start()
        await child._connect(on_output, on_error_output)
        return child

    async def _connect(self, on_output: OnChunk, on_error_output: OnChunk) -> None:
        process = self._process
        assert process.stdin and process.stdout and process.stderr  # noqa: S101, PT018 - all are pipes
        pipes = (on_output, process.stdout), (on_error_output, process.stderr)
        for on_chunk, pipe in pipes:
            output = await self._loop.connect_read_pipe(partial(_Output, on_chunk), pipe)
            self._outputs.append(output)
        self._input, _ = await self._loop.connect_write_pipe(asyncio.BaseProtocol, process.stdin)

    def write(self, data: bytes) -> bool:
        """Write input without waiting. Return False when the game has ended or doesn't read it."""
        if self._input is None or self._input.is_closing():
            return False
        if self._input.get_write_buffer_size() > MAX_UNREAD_BYTES:
            return False
        self._input.write(data)
        return True

    def unread(self) -> int:
        """Return how many bytes of input the game has not read yet."""
        if self._input is None or self._input.is_closing() or self._process.stdin is None:
            return 0
        with contextlib.suppress(OSError):  # the game has just ended
            held = fcntl.ioctl(self._process.stdin, termios.FIONREAD, bytes(_INT.size))
            return self._input.get_write_buffer_size() + int(_INT.unpack(held)[0])
        return 0

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the process and everything it has started."""
        if not self._ended.done():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, number)

    async def wait(self) -> int:
        """Return the exit code, once all output was read; negative for the signal that ended it."""
        return await asyncio.shield(self._ended)

    async def ends_within(self, seconds: float) -> bool:
        """Return whether the process ends within `seconds`."""
        await asyncio.wait({self._ended}, timeout=seconds)
        return self._ended.done()

    def _watch(self) -> None:
        # Not reaped before the group is signalled: until then no other process can get its id.
        os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)
        with contextlib.suppress(RuntimeError):  # the event loop has gone
            self._loop.call_soon_threadsafe(self._reap)

    def _reap(self) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        code = self._process.wait()
        self._finishing = self._loop.create_task(self._finish(code))

    async def _finish(self, code: int) -> None:
        closed = [output.closed for _, output in self._outputs]
        if closed:
            await asyncio.wait(closed, timeout=LAST_OUTPUT_SECONDS)
        for transport, _ in self._outputs:
            transport.close()
        if self._input is not None and not self._input.is_closing():
            self._input.abort()  # one that is closed already raises AttributeError (CPython 3.11)
        self._ended.set_result(code)


class _Output(asyncio.Protocol):
    """Passes output on in the chunks in which it arrives."""

    def __init__(self, on_chunk: OnChunk) -> None:
        self._on_chunk = on_chunk
        self.closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def data_received(self, data: bytes) -> None:
        self._on_chunk(data)

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        if not self.closed.done():
            self.closed.set_result(None)
