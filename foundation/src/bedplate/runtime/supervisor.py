"""Keeps several worker processes alive on one listening socket, and stops them together."""

import asyncio
import contextlib
import multiprocessing
import pickle
import socket
import tempfile
from pathlib import Path

import structlog

from bedplate import clock
from bedplate.lifecycle import Drain
from bedplate.runtime.listener import bind
from bedplate.runtime.process import CLOSING_SECONDS, on_stop_signals, run_on_new_loop
from bedplate.runtime.server import HttpServer
from bedplate.runtime.serving import FORCED, Factories, Serving, StartupError
from bedplate.runtime.supervised_operations import SupervisedOperations
from bedplate.runtime.worker import READY, work

STEADY_SECONDS = 10.0
"""The back-off starts anew after a worker that lived longer than this; else it doubles."""

FIRST_BACK_OFF_SECONDS = 0.1
MAX_BACK_OFF_SECONDS = 30.0
MAX_REPORT_BYTES = 65536


def supervise(factories: Factories, serving: Serving) -> int:
    """Serve with several workers, and return the exit code; raises StartupError."""
    try:
        pickle.dumps(factories)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise StartupError(
            f"Several workers need an importable application factory ({error}); "
            'name it as "module:function", or use one worker.'
        ) from error
    with tempfile.TemporaryDirectory(prefix="bedplate-", ignore_cleanup_errors=True) as directory:
        return run_on_new_loop(_supervise(factories, serving, Path(directory)))


async def _supervise(factories: Factories, serving: Serving, directory: Path) -> int:
    listener = bind(serving.host, serving.port)
    supervisor = Supervisor(factories, serving, listener, directory)
    on_stop_signals(supervisor.leave, supervisor.force)
    if factories.operations is None or serving.operations_port is None:
        return await supervisor.run()
    operations_listener = bind(serving.operations_host, serving.operations_port)
    operations = HttpServer(
        SupervisedOperations(supervisor.drain, supervisor.operations_paths),
        operations_listener,
        keep_alive=serving.keep_alive_seconds,
    )
    await operations.start()
    supervisor.operations_port = operations.address[1]
    try:
        return await supervisor.run()
    finally:
        await operations.stop_listening(last=False)
        await operations.cut()


class Worker:
    """A worker process as its supervisor sees it."""

    def __init__(
        self,
        factories: Factories,
        serving: Serving,
        operations_path: Path | None,
        listener: socket.socket,
    ) -> None:
        self._line, far_end = socket.socketpair()
        self._line.setblocking(False)
        self.process = multiprocessing.get_context("spawn").Process(
            target=work, args=(factories, serving, operations_path, listener, far_end)
        )
        self.process.start()
        far_end.close()
        self.started = clock.monotonic()

    async def report(self) -> bytes:
        """Return READY, or why it could not start; empty when it died without a report."""
        try:
            return await asyncio.get_running_loop().sock_recv(self._line, MAX_REPORT_BYTES)
        except ConnectionError:
            return b""

    async def exit_code(self) -> int:
        """Wait for its exit; a negative code is the number of the signal that ended it."""
        loop = asyncio.get_running_loop()
        ended = loop.create_future()
        loop.add_reader(self.process.sentinel, ended.set_result, None)
        try:
            await ended
        finally:
            loop.remove_reader(self.process.sentinel)
        self.process.join()
        self._line.close()
        return self.process.exitcode or 0

    def leave(self) -> None:
        """Ask it to drain, together with all others."""
        with contextlib.suppress(OSError):
            self._line.shutdown(socket.SHUT_WR)


class Supervisor:
    """Starts the workers, replaces those that die, and returns when all have stopped."""

    def __init__(
        self, factories: Factories, serving: Serving, listener: socket.socket, directory: Path
    ) -> None:
        self.drain = Drain()
        self.operations_port: int | None = None
        numbers = range(1, serving.workers + 1)
        self.operations_paths = {n: directory / f"worker-{n}.sock" for n in numbers}
        self._factories = factories
        self._serving = serving
        self._listener = listener
        self._workers: dict[int, Worker] = {}
        self._ready: set[int] = set()
        self._failure: str | None = None
        self._forced = False

    async def run(self) -> int:
        """Keep the workers alive until all have stopped, and return the exit code."""
        try:
            codes = await asyncio.gather(*(self._keep(number) for number in self.operations_paths))
        finally:
            for worker in self._workers.values():
                worker.leave()
        if self._failure is not None:
            raise StartupError(self._failure)
        code = FORCED if self._forced or any(codes) else 0
        structlog.get_logger().info("stopped", exit_code=code)
        return code

    async def _keep(self, number: int) -> int:
        """Keep one worker alive; return the exit code of the last one."""
        early_deaths = 0
        while True:
            path = None if self.operations_port is None else self.operations_paths[number]
            worker = Worker(self._factories, self._serving, path, self._listener)
            self._workers[number] = worker
            report = await worker.report()
            if report == READY:
                self._note_ready(number, worker)
            code = await worker.exit_code()
            del self._workers[number]
            if self.drain.draining:
                return code
            if number not in self._ready:
                # A failure at the first start would repeat in each worker: stop them all.
                sentence = "A worker died while it started; its output above says why."
                self._failure = self._failure or report.decode() or sentence
                self.leave()
                return code
            steady = clock.monotonic() - worker.started > STEADY_SECONDS
            early_deaths = 0 if steady else early_deaths + 1
            delay = min(FIRST_BACK_OFF_SECONDS * 2**early_deaths, MAX_BACK_OFF_SECONDS)
            structlog.get_logger().error(
                "worker_died", worker_pid=worker.process.pid, exit_code=code, restart_seconds=delay
            )
            if await self._drains_within(delay):
                return 0

    async def _drains_within(self, seconds: float) -> bool:
        """Wait; return whether the drain has begun, be it in the moment when the time is up."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.drain.wait(), seconds)
        return self.drain.draining

    def _note_ready(self, number: int, worker: Worker) -> None:
        logger = structlog.get_logger()
        logger.info("worker_ready", worker=number, worker_pid=worker.process.pid)
        first = number not in self._ready
        self._ready.add(number)
        if first and len(self._ready) == self._serving.workers and not self.drain.draining:
            host, port = self._listener.getsockname()[:2]
            logger.info("listening", host=host, port=port, operations_port=self.operations_port)

    def leave(self) -> None:
        """Let all workers drain; those that remain after the deadline are killed."""
        if self.drain.draining:
            return
        self.drain.begin()
        structlog.get_logger().info("draining", grace_seconds=self._serving.grace_seconds)
        self._listener.close()
        for worker in self._workers.values():
            worker.leave()
        latest = self._serving.deadline_seconds + 3 * CLOSING_SECONDS
        asyncio.get_running_loop().call_later(latest, self.force, "deadline")

    def force(self, reason: str) -> None:
        """Kill the remaining workers."""
        self._forced = True
        structlog.get_logger().warning("forced_to_stop", reason=reason)
        for worker in self._workers.values():
            worker.process.kill()
