"""Serving on a port of this machine."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp

HOST = "127.0.0.1"
GRACE_SECONDS = 1


@contextmanager
def serving(app: ASGIApp, port: int = 0) -> Iterator[str]:
    """Serve an application from a thread, and yield its URL without a slash at the end.

    Port 0 is any free port. Raises `OSError` when the port is taken.
    """
    with socket.create_server((HOST, port)) as listener:
        config = uvicorn.Config(
            app,
            lifespan="off",
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=GRACE_SECONDS,
        )
        server = uvicorn.Server(config)
        # Clients that connect before the server runs wait in the listener's queue.
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        try:
            yield f"http://{HOST}:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


@contextmanager
def serving_near(app: ASGIApp, port: int) -> Iterator[str]:
    """Serve on a port, or on any free one when it is taken."""
    with serving(app, port if _is_free(port) else 0) as url:
        yield url


def _is_free(port: int) -> bool:
    try:
        socket.create_server((HOST, port)).close()
    except OSError:
        return False
    return True
