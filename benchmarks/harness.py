"""Measures one contender in a process of its own, a round at a time.

CPU time is this process's own (`time.process_time`): PostgreSQL and Valkey run elsewhere and
do not count, and neither does waiting for them. That makes it repeatable on a noisy machine.
"""

import asyncio
import gc
import json
import logging
import multiprocessing
import time
import traceback
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

import uvloop

from benchmarks.client import AsgiClient
from benchmarks.contender import Contender, HttpRequest, Servers, build
from benchmarks.logs import LoggedErrors

_WARM_UP = 30


@dataclass(frozen=True)
class Round:
    """What is asked of a worker: so many requests of one case, one after another."""

    case: str
    requests: int


@dataclass(frozen=True)
class Sample:
    """What one round cost: CPU time a request, and the wall time of each, in µs."""

    cpu: float
    wall: tuple[float, ...]


@dataclass(frozen=True)
class Failure:
    """What went wrong in the worker, as a traceback."""

    text: str


class Worker:
    """A process that runs one contender; between rounds it stands still.

    Several may warm up at the same time: the cases are known once `wait` returned.
    """

    def __init__(self, name: str, servers: Servers) -> None:
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._name = name
        self._process = context.Process(target=_work, args=(theirs, name, servers), daemon=True)
        self._process.start()
        theirs.close()
        self.cases: tuple[str, ...] = ()

    def wait(self) -> None:
        """Wait until it is warm; raise RuntimeError when it can't be or answers wrongly."""
        self.cases = _succeeded(self._name, self._connection.recv())

    def measure(self, case: str, requests: int) -> Sample:
        """Run one round; raise RuntimeError when an answer is not what it should be."""
        self._connection.send(Round(case, requests))
        sample: Sample = _succeeded(self._name, self._connection.recv())
        return sample

    def close(self) -> None:
        """End the process, after its app's lifespan."""
        self._connection.send(None)
        self._process.join(timeout=10)


def _succeeded(name: str, answer: Any) -> Any:
    if isinstance(answer, Failure):
        raise RuntimeError(f"{name} failed:\n{answer.text}")  # noqa: TRY004 - no wrong type
    return answer


def _work(connection: Connection, name: str, servers: Servers) -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        try:
            runner.run(_serve_rounds(connection, name, servers))
        except Exception:  # noqa: BLE001 - the parent process reports it
            connection.send(Failure(traceback.format_exc()))


async def _serve_rounds(connection: Connection, name: str, servers: Servers) -> None:
    errors = LoggedErrors()
    logging.getLogger().addHandler(errors)
    contender = await build(name, servers)
    async with AsgiClient(contender.app) as client:
        await warm_up(client, contender)
        errors.refuse()
        connection.send(tuple(contender.cases))
        while (order := connection.recv()) is not None:
            sample = await run_round(client, contender.cases[order.case], order.requests)
            errors.refuse()
            connection.send(sample)


async def warm_up(client: AsgiClient, contender: Contender) -> None:
    """Check each case's answer once, then let every cache fill."""
    for request in contender.cases.values():
        await check(client, request)
        await run_round(client, request, _WARM_UP)
    gc.collect()
    gc.freeze()


async def run_round(client: AsgiClient, request: HttpRequest, requests: int) -> Sample:
    """Send the request so many times, one after another."""
    size = len((await client.send(request)).body) // 2
    gc.collect()
    wall = []
    cpu_start = time.process_time()
    for _ in range(requests):
        start = time.perf_counter()
        exchange = await client.send(request)
        wall.append((time.perf_counter() - start) * 1e6)
        if exchange.status != request.status or len(exchange.body) < size:
            raise RuntimeError(f"{request} got {exchange.status}: {exchange.body[:500]!r}")
    cpu = (time.process_time() - cpu_start) * 1e6
    return Sample(cpu / requests, tuple(wall))


async def check(client: AsgiClient, request: HttpRequest) -> None:
    """Raise RuntimeError unless the answer has the status, the items and the members."""
    exchange = await client.send(request)
    if exchange.status != request.status:
        raise RuntimeError(f"{request} got {exchange.status}: {exchange.body[:500]!r}")
    answer = json.loads(exchange.body)
    items = [answer] if request.items is None else answer
    if len(items) != (request.items or 1) or any(request.members != item.keys() for item in items):
        raise RuntimeError(f"{request} got something else: {exchange.body[:500]!r}")
