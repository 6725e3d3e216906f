"""One of several worker processes that share a listening socket."""

import asyncio
import signal
import socket
import sys
from dataclasses import dataclass
from pathlib import Path

from bedplate.runtime.listener import bind_unix
from bedplate.runtime.process import Process, run_on_new_loop
from bedplate.runtime.serving import (
    STARTUP_FAILURE,
    Factories,
    Serving,
    StartupError,
    log_traceback,
)

READY = b"ready"


@dataclass(frozen=True, kw_only=True)
class Assignment:
    """What a worker serves; it can be pickled.

    operations_path: the Unix socket of its operations application, if any.
    """

    factories: Factories
    serving: Serving
    operations_path: Path | None


def work(assignment: Assignment, listener: socket.socket, supervisor: socket.socket) -> None:
    """Serve as a worker process, and exit.

    The worker writes READY to `supervisor`, or one sentence that says why it can't start. It drains
    when the other end closes: the supervisor asks for that, or is dead.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the supervisor handles a terminal's ^C
    try:
        code = run_on_new_loop(_serve(assignment, listener, supervisor))
    except StartupError as error:
        log_traceback(error)
        supervisor.sendall(str(error).encode())
        code = STARTUP_FAILURE
    sys.exit(code)


async def _serve(assignment: Assignment, listener: socket.socket, supervisor: socket.socket) -> int:
    path = assignment.operations_path
    operations_listener = None if path is None else bind_unix(path)
    process = Process(
        assignment.factories,
        assignment.serving,
        listener,
        operations_listener,
        lambda _: supervisor.sendall(READY),
    )
    process.last_on_listener = False
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, process.leave)
    loop.add_reader(supervisor.fileno(), _leave_with_all, process, supervisor)
    return await process.run()


def _leave_with_all(process: Process, supervisor: socket.socket) -> None:
    asyncio.get_running_loop().remove_reader(supervisor.fileno())
    process.last_on_listener = True
    process.leave()
