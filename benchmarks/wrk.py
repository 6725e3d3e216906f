"""Requests a second of a real server: uvicorn, one worker, asked by wrk."""

import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.client import headers
from benchmarks.contender import HttpRequest, Servers

CONNECTIONS = 16
_WARM_UP_SECONDS = 1
_UNITS = {"us": 0.001, "ms": 1.0, "s": 1000.0}


@dataclass(frozen=True)
class Throughput:
    """What wrk saw: requests a second, and the latencies in ms."""

    requests_per_second: float
    median: float
    percentile_99: float


def installed() -> bool:
    """Return whether wrk is on this machine (Debian: `apt-get install wrk`)."""
    return shutil.which("wrk") is not None


def measure_server(
    name: str, servers: Servers, cases: Mapping[str, HttpRequest], seconds: int
) -> Mapping[str, Throughput]:
    """Serve one contender and load it with each case, after a second of warming up."""
    with _served(name, servers) as port:
        return {case: _load(port, request, seconds) for case, request in cases.items()}


@contextmanager
def _served(name: str, servers: Servers) -> Iterator[int]:
    port = _free_port()
    command = [sys.executable, "-m", "benchmarks.serve", name, str(port)]
    command += [servers.database_url, servers.redis_url]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        _wait_for(port, process)
        yield port
    finally:
        process.terminate()
        process.wait(timeout=15)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 20
    while process.poll() is None and time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"The server {process.args!r} did not start.")


def _load(port: int, request: HttpRequest, seconds: int) -> Throughput:
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder, "request.lua")
        script.write_text(_script(request))
        for duration in (_WARM_UP_SECONDS, seconds):
            output = _run(["-s", str(script), f"-d{duration}s", _url(port, request)])
    return _parse(output)


def _url(port: int, request: HttpRequest) -> str:
    query = f"?{request.query}" if request.query else ""
    return f"http://127.0.0.1:{port}{request.path}{query}"


def _script(request: HttpRequest) -> str:
    lines = [f'wrk.method = "{request.method}"']
    lines += [
        f'wrk.headers["{name.decode()}"] = "{value.decode()}"'
        for name, value in headers(request)
        if name not in {b"host", b"content-length"}
    ]
    lines.append(f"wrk.body = [==[{request.body.decode()}]==]" if request.body else "")
    return "\n".join(lines)


def _run(arguments: Sequence[str]) -> str:
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", "--latency", "--timeout", "20s", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def _parse(output: str) -> Throughput:
    if "Non-2xx" in output or "Socket errors" in output:
        raise RuntimeError(f"wrk saw errors:\n{output}")
    rate = re.search(r"Requests/sec:\s+([\d.]+)", output)
    if rate is None:
        raise RuntimeError(f"wrk said nothing of requests:\n{output}")
    return Throughput(float(rate[1]), _latency(output, "50%"), _latency(output, "99%"))


def _latency(output: str, percentile: str) -> float:
    found = re.search(rf"{percentile}\s+([\d.]+)(us|ms|s)\b", output)
    if found is None:
        raise RuntimeError(f"wrk said nothing of {percentile}:\n{output}")
    return float(found[1]) * _UNITS[found[2]]
