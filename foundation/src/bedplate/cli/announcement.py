"""The lines a person reads when `bedplate run` is ready: where to look."""

import contextlib
import logging
import re
import shutil
import sys
from collections.abc import Iterator, Sequence

import typer

from bedplate.backend import Backend

EVERYWHERE = {"0.0.0.0": "localhost", "::": "localhost"}  # noqa: S104 - compared, not bound


class Announcement(logging.Handler):
    """Prints the URLs when the runtime logs that it listens: only then are the ports known."""

    def __init__(self, backends: Sequence[Backend], program: str = "bedplate") -> None:
        super().__init__()
        self._backends = backends
        self._program = program

    def emit(self, record: logging.LogRecord) -> None:
        """Take one log record."""
        event = record.msg
        if isinstance(event, dict) and event.get("event") == "listening":
            typer.echo(self.text(event["host"], event["port"], event.get("operations_port")))

    def text(self, host: str, port: int, operations_port: int | None) -> str:
        """Return what is printed: the start page, each documentation, the operations port."""
        name = EVERYWHERE.get(host, f"[{host}]" if ":" in host else host)
        base = f"http://{name}:{port}"
        single = len(self._backends) == 1
        lines = [("Start page", f"{base}/")]
        steps = []
        for backend in self._backends:
            url = base if single else f"{base}/{backend.name}"
            lines.append((backend.title, f"{url}/docs"))
            steps += [self._step(step.replace("{url}", url)) for step in backend.first_steps]
        if operations_port is not None:
            lines.append(("Operations", f"http://{name}:{operations_port}/metrics"))
        width = max(len(title) for title, _ in lines)
        return "\n".join([*(f"{title:<{width}}  {url}" for title, url in lines), *steps])

    def _step(self, step: str) -> str:
        """Return a command line that can be copied: it calls `bedplate` as this process was."""
        return re.sub(r"(?<!\S)bedplate(?=\s)", lambda _: self._program, step)


def program() -> str:
    """Return what calls `bedplate`: its name, or the path it was called by if the PATH has none."""
    called = sys.argv[0]
    on_path = shutil.which("bedplate") is not None
    return "bedplate" if on_path or not called.endswith("/bedplate") else called


@contextlib.contextmanager
def announcing(backends: Sequence[Backend], *, enabled: bool) -> Iterator[None]:
    """Print the URLs of what is served within the context, as soon as it is."""
    handler = Announcement(backends, program())
    if enabled:
        logging.getLogger().addHandler(handler)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(handler)
