"""The console: a real server, 200 WebSocket clients, one that stopped, 1,000 lines a second."""

import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bedplate.testing.processes import ServerProcess, free_port

CLIENTS = 200
LINES_A_SECOND = 1_000
NAMES = ("a broadcast", "gameserver")
_KEY = "a-key-for-this-measurement-only"
_LINES = Path(__file__).with_name("lines.py")
_BEDPLATE = Path(sys.executable).with_name("bedplate")
_MAX_SECONDS = 120.0


@dataclass(frozen=True)
class Console:
    """What one run showed; latencies from the write of a line to its arrival, in ms.

    cpu: of the server's process, as a share of one core. memory: its resident set after the run,
    in MB. arrived: the share of lines that arrived at the clients that read. longest_write: of
    the child, in ms: a reader that holds it up shows here. load: of the machine, over a minute.
    """

    p50: float
    p95: float
    p99: float
    maximum: float
    cpu: float
    memory: float
    arrived: float
    frames: int
    longest_write: float
    load: float


def measure(seconds: float, rounds: int, say: Callable[[str], None]) -> Mapping[str, Console]:
    """Return of each server the run with the smallest p99: others may need the machine."""
    runs: dict[str, list[Console]] = {name: [] for name in NAMES}
    for number in range(rounds):
        for name in NAMES:
            say(f"console, round {number + 1} of {rounds}: {name}")
            runs[name].append(_run(name, seconds))
            say(str(runs[name][-1]))
    return {name: min(taken, key=lambda run: run.p99) for name, taken in runs.items()}


def _run(name: str, seconds: float) -> Console:
    port = free_port()
    load = os.getloadavg()[0]
    with _server(name, port, seconds) as server, _clients(port) as clients:
        _line(clients)
        cpu, began = _cpu_seconds(server.pid), time.monotonic()
        _start(port)
        seen = json.loads(_line(clients))
        used, passed = _cpu_seconds(server.pid) - cpu, time.monotonic() - began
        memory = _memory(server.pid)
    written, longest_write = seen["child"].split()
    latencies = {int(step): count for step, count in seen["latencies"].items()}
    return Console(
        p50=_percentile(latencies, 0.50),
        p95=_percentile(latencies, 0.95),
        p99=_percentile(latencies, 0.99),
        maximum=_percentile(latencies, 1.0),
        cpu=used / passed,
        memory=memory,
        arrived=sum(latencies.values()) / (int(written) * CLIENTS),
        frames=seen["frames"],
        longest_write=float(longest_write),
        load=load,
    )


@contextmanager
def _server(name: str, port: int, seconds: float) -> Iterator[ServerProcess]:
    child = [sys.executable, str(_LINES), str(LINES_A_SECOND), str(seconds)]
    with tempfile.TemporaryDirectory() as folder:
        if name == "gameserver":
            command = [str(_BEDPLATE), "run", "gameserver", "--port", str(port)]
            command += ["--operations-port", str(free_port())]
        else:
            command = ["-m", "benchmarks.console.server", str(port), *child]
        environment = {
            "VS_DATA_DIRECTORY": folder,
            "VS_GAME_COMMAND": " ".join(child),
            "VS_ADMIN_KEY": _KEY,
            "VS_AUTOSTART": "never",
            "VS_STOP_SECONDS": "5",
            "LOG_LEVEL": "warning",
        }
        url = f"http://127.0.0.1:{port}/"
        with ServerProcess([sys.executable, *command], url=url, env=environment) as server:
            yield server


@contextmanager
def _clients(port: int) -> "Iterator[subprocess.Popen[str]]":
    command = [sys.executable, "-m", "benchmarks.console.clients", str(port), _KEY, str(CLIENTS)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def _line(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    if not (line := process.stdout.readline()):
        raise RuntimeError("The clients ended too early.")
    return line


def _start(port: int) -> None:
    url = f"http://127.0.0.1:{port}/server/start"
    request = urllib.request.Request(url, method="POST", headers={"X-API-Key": _KEY})
    with urllib.request.urlopen(request, timeout=_MAX_SECONDS) as answer:
        answer.read()


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _memory(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def _percentile(latencies: Mapping[int, int], share: float) -> float:
    """Return the upper end of the step that the share lies in, in ms."""
    wanted = share * sum(latencies.values())
    for step in sorted(latencies):
        wanted -= latencies[step]
        if wanted <= 0:
            return (step + 1) / 10
    raise RuntimeError("No line has arrived.")
