"""Serves on the API port and the operations port, and drains without a failed request."""

import contextlib
import sys
from collections.abc import Callable

from starlette.types import ASGIApp

from bedplate.runtime.listener import bind
from bedplate.runtime.process import Process, on_stop_signals, run_on_new_loop
from bedplate.runtime.serving import (
    STARTUP_FAILURE,
    Factories,
    Serving,
    StartupError,
    log_traceback,
)

__all__ = ["Serving", "StartupError", "serve"]


def serve(
    application: str | Callable[..., ASGIApp],
    operations: str | Callable[..., ASGIApp] | None = None,
    serving: Serving | None = None,
    arguments: tuple[object, ...] = (),
) -> int:
    """Serve until SIGTERM or SIGINT, and return the exit code.

    application: `module:function` or a function; `application(drain, *arguments)` returns the
        API's ASGI application.
    operations: the same for the operations port, as `operations(drain, application, *arguments)`;
        None for no operations port.
    arguments: with several workers they are pickled, and functions must be importable.

    Exit codes: 0 after a complete drain; 1 when a second signal or the deadline cut it short,
    or closing the resources failed; 3 when the process could not start, after one sentence on
    standard error. To be called in the main thread, as the last thing a process does: when
    something blocks long after the deadline, the process exits without returning.
    """
    factories = Factories(application=application, operations=operations, arguments=arguments)
    serving = serving or Serving()
    try:
        if serving.workers == 1:
            return run_on_new_loop(_serve_alone(factories, serving))
        from bedplate.runtime.supervisor import supervise  # noqa: PLC0415 - one worker pays nothing

        return supervise(factories, serving)
    except StartupError as error:
        log_traceback(error)
        sys.stderr.write(f"{error}\n")
        return STARTUP_FAILURE


async def _serve_alone(factories: Factories, serving: Serving) -> int:
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(bind(serving.host, serving.port))
        operations_listener = None
        if factories.operations is not None and serving.operations_port is not None:
            operations_listener = bind(serving.operations_host, serving.operations_port)
            stack.enter_context(operations_listener)
        process = Process(factories, serving, listener, operations_listener)
        on_stop_signals(process.leave, process.force)
        return await process.run()
