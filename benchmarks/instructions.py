"""User instructions of a request, counted by valgrind's callgrind: repeatable on a busy machine.

One contender at a time runs under callgrind, called in process as for CPU time; PostgreSQL and
Valkey run outside. Counting is switched on after warm-up, and read while the process waits for its
next order: a figure holds the requests, and some thousand instructions of reading the order.
Python's garbage collector is off meanwhile, and its hashes are the same in each run.
"""

import asyncio
import gc
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import uvloop

from benchmarks.client import AsgiClient
from benchmarks.contender import Servers, build
from benchmarks.harness import warm_up

REQUESTS = 60
"""How many requests, one at a time, make one figure; the median of several figures counts."""

_ROUNDS = 3
_DUMP = "callgrind"
_DONE = "done"

Instructions = Mapping[str, Mapping[str, float]]
"""User instructions of a request: by contender, then by case."""


def installed() -> bool:
    """Return whether valgrind is on this machine (Debian: `apt-get install valgrind`)."""
    return all(shutil.which(program) for program in ("valgrind", "vgdb"))


def measure(
    names: Sequence[str], cases: Sequence[str], servers: Servers, say: Callable[[str], None]
) -> Instructions:
    """Count each contender's cases, one contender after another; about 30 seconds for each."""
    counted = {}
    for name in names:
        say(f"instructions: {name}")
        with _Counted.started(name, servers) as process:
            counted[name] = {
                case: median(process.count(case) for _ in range(_ROUNDS))
                for case in process.cases
                if case in cases
            }
    return counted


class _Counted:
    """A contender under callgrind, which lines tell what to send to itself."""

    def __init__(self, process: subprocess.Popen[str], folder: Path) -> None:
        self._process = process
        self._folder = folder
        self.cases = self._answer().split("\t")
        self._tell_valgrind("instrumentation on")
        self._order(self.cases[0])  # what callgrind meets for the first time is not counted

    @classmethod
    @contextmanager
    def started(cls, name: str, servers: Servers) -> Iterator["_Counted"]:
        """Yield it when it is warm, and end it; RuntimeError when it can't be."""
        with tempfile.TemporaryDirectory() as path:
            command = ["valgrind", "--quiet", "--tool=callgrind", "--instr-atstart=no"]
            command += [f"--callgrind-out-file={Path(path, _DUMP)}", sys.executable]
            command += ["-m", "benchmarks.instructions", name, *_urls(servers)]
            process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                env={**os.environ, "PYTHONHASHSEED": "0"},
            )
            try:
                yield cls(process, Path(path))
            finally:
                process.kill()
                process.communicate()

    def count(self, case: str) -> float:
        """Return the instructions of one request of the case, by counting many."""
        self._tell_valgrind("zero")
        self._order(case)
        self._tell_valgrind("dump")
        [dump] = self._folder.glob(f"{_DUMP}.*")
        found = re.search(r"^totals: (\d+)$", dump.read_text(), re.MULTILINE)
        dump.unlink()
        if found is None:
            raise RuntimeError(f"callgrind counted nothing of {case}.")
        return int(found[1]) / REQUESTS

    def _order(self, case: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{case}\n")
        self._process.stdin.flush()
        if (answer := self._answer()) != _DONE:
            raise RuntimeError(f"{case}: {answer}")

    def _answer(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self._process.args!r} ended.")
        return line.rstrip("\n")

    def _tell_valgrind(self, what: str) -> None:
        command = ["vgdb", f"--pid={self._process.pid}", *what.split()]
        subprocess.run(command, check=True, capture_output=True, timeout=60)


def _urls(servers: Servers) -> tuple[str, str]:
    return servers.database_url, servers.redis_url


async def _obey(name: str, servers: Servers) -> None:
    """Send what the lines of the standard input name; the process stands still between them."""
    contender = await build(name, servers)
    async with AsgiClient(contender.app) as client:
        await warm_up(client, contender)
        gc.disable()
        print("\t".join(contender.cases), flush=True)
        for line in sys.stdin:
            request = contender.cases[line.rstrip("\n")]
            statuses = {(await client.send(request)).status for _ in range(REQUESTS)}
            print(_DONE if statuses == {request.status} else f"got {statuses}", flush=True)


def main() -> None:
    """Read the command line: NAME DATABASE_URL REDIS_URL."""
    name, database_url, redis_url = sys.argv[1:]
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_obey(name, Servers(database_url, redis_url)))


if __name__ == "__main__":
    main()
