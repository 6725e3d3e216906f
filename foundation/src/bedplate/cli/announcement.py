"""The lines that `bedplate run` prints when it is ready: the URLs of what it serves."""

import contextlib
import logging
import os
import re
import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bedplate.cli.output import table

if TYPE_CHECKING:
    from bedplate.backend import Backend

EVERYWHERE = {"0.0.0.0": "localhost", "::": "localhost"}  # noqa: S104 - compared, not bound


@dataclass(frozen=True)
class Served:
    """What the lines say about a backend."""

    name: str
    title: str
    first_steps: Sequence[str]

    @classmethod
    def of(cls, backend: "Backend") -> "Served":
        """Return what a backend declares."""
        return cls(backend.name, backend.title, tuple(backend.first_steps))


class Announcement(logging.Handler):
    """Prints the URLs when the runtime logs `listening`, since only then the ports are known."""

    def __init__(self, backends: Sequence[Served], program: str = "bedplate") -> None:
        super().__init__()
        self._backends = backends
        self._program = program

    def emit(self, record: logging.LogRecord) -> None:
        """Print the URLs if this is the record."""
        event = record.msg
        if isinstance(event, dict) and event.get("event") == "listening":
            text = self.text(event["host"], event["port"], event.get("operations_port"))
            try:
                print(text, flush=True)
            except OSError:  # such as a full disk
                # What is left in its buffer would fail the end of the process, too.
                sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123

    def text(self, host: str, port: int, operations_port: int | None) -> str:
        """Return the lines: start page, documentation, operations port, first steps."""
        name = EVERYWHERE.get(host, f"[{host}]" if ":" in host else host)
        base = f"http://{name}:{port}"
        single = len(self._backends) == 1
        lines = [("Start page", f"{base}/")]
        steps = []
        for backend in self._backends:
            url = base if single else f"{base}/{backend.name}"
            lines.append((backend.title, f"{url}/docs"))
            steps += [step.replace("{url}", url) for step in backend.first_steps]
        if operations_port is not None:
            lines.append(("Operations", f"http://{name}:{operations_port}/metrics"))
        # The command lines can be copied: they call `bedplate` as this process was called.
        steps = [re.sub(r"(?<!\S)bedplate(?=\s)", lambda _: self._program, step) for step in steps]
        return "\n".join([table(lines), *steps])


def program() -> str:
    """Return how to call `bedplate`: by name, or by this process's path if PATH has none."""
    called = sys.argv[0]
    on_path = shutil.which("bedplate") is not None
    return "bedplate" if on_path or not called.endswith("/bedplate") else called


@contextlib.contextmanager
def announcing(backends: Sequence[Served], *, enabled: bool, program: str) -> Iterator[None]:
    """Print the URLs as soon as the backends are served within this context."""
    handler = Announcement(backends, program)
    if enabled:
        logging.getLogger().addHandler(handler)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(handler)
