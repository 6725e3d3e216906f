"""One of several worker processes that share a listening socket."""

import asyncio
import signal
import socket
import sys
from functools import partial
from pathlib import Path

from bedplate.collector import collect_rarely
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


def work(
    factories: Factories,
    serving: Serving,
    operations_path: Path | None,
    listener: socket.socket,
    supervisor: socket.socket,
) -> None:
    """Serve as a worker process, and exit.

    `operations_path` is the Unix socket of its operations application, if any. The worker writes
    READY to `supervisor`, or one sentence that says why it can't start. It drains when the other
    end closes: the supervisor asks for that, or is dead.
    """
    collect_rarely()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the supervisor handles a terminal's ^C
    try:
        operations_listener = None if operations_path is None else bind_unix(operations_path)
        serve = _serve(factories, serving, listener, operations_listener, supervisor)
        code = run_on_new_loop(serve)
    except StartupError as error:
        log_traceback(error)
        supervisor.sendall(str(error).encode())
        code = STARTUP_FAILURE
    sys.exit(code)


async def _serve(
    factories: Factories,
    serving: Serving,
    listener: socket.socket,
    operations_listener: socket.socket | None,
    supervisor: socket.socket,
) -> int:
    report = partial(supervisor.sendall, READY)
    process = Process(factories, serving, listener, operations_listener, report)
    process.last_on_listener = False
    loop = asyncio.get_running_loop()

    def leave_with_all() -> None:
        loop.remove_reader(supervisor.fileno())
        process.last_on_listener = True
        process.leave()

    loop.add_signal_handler(signal.SIGTERM, process.leave)
    loop.add_reader(supervisor.fileno(), leave_with_all)
    return await process.run()
