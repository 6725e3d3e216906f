"""The heavy part of backups in a process of its own: neither event loop nor game should feel it.

In a thread it would share the interpreter's lock with the event loop. On a busy machine the system
takes the processor from whoever holds that lock, and the loop stands still meanwhile.
"""

import asyncio
import contextlib
import errno
import os
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Annotated, Final

import psutil
from pydantic import BaseModel, Field, TypeAdapter

from bedplate.documents.threads import finish_in_thread
from bedplate.problems import InternalServerError
from gameserver.archives.exceptions import (
    ArchiveError,
    DamagedArchive,
    OversizeArchive,
    UnsafeArchive,
)
from gameserver.backups.exceptions import DamagedWorld
from gameserver.backups.jobs import CheckWorld, CopyWorld, Outcome, Pack, Unpack

LARGE: Final = 64 << 20
"""Bytes from which a process, which takes a second to start, is worth it."""

_TOLD_SECONDS: Final = 0.05
_NICE: Final = 10
_ENVIRONMENT: Final = ("HOME", "LANG", "LD_LIBRARY_PATH", "PATH", "PYTHONPATH", "TMPDIR")
_ERRORS: Final[dict[str, Callable[[str], ArchiveError]]] = {
    ArchiveError.code: ArchiveError,
    DamagedArchive.code: DamagedArchive,
    OversizeArchive.code: OversizeArchive,
    UnsafeArchive.code: UnsafeArchive,
    DamagedWorld.code: lambda _: DamagedWorld(),
}

Job = CopyWorld | CheckWorld | Pack | Unpack
Told = Callable[[int], None]


class Answer(BaseModel):
    """How a job ended: with an outcome, or with an error's code and detail, or the system's."""

    outcome: Outcome = Field(default_factory=Outcome)
    code: str | None = None
    errno: int | None = None
    detail: str = ""


_JOB: Final = TypeAdapter[Job](Annotated[Job, Field(discriminator="kind")])


async def perform(job: Job, size: int, told: Told = lambda _: None) -> Outcome:
    """Do a job that deals with about `size` bytes.

    `told` is told of the bytes dealt with, and may end the job by raising. Raises `ArchiveError`
    and what else the job raises.
    """
    if size < LARGE:
        return await finish_in_thread(lambda: job.run(told))
    worker = _Worker(job, told)
    work = asyncio.ensure_future(asyncio.to_thread(worker.run))
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        worker.cancel()
        await asyncio.wait([work])
        work.exception()  # looked at, so that asyncio doesn't complain of it
        raise


class _Worker:
    """The process of one job, and the thread that follows it."""

    def __init__(self, job: Job, told: Told) -> None:
        self._job = job
        self._told = told
        self._process: subprocess.Popen[bytes] | None = None
        self._cancelled = False

    def cancel(self) -> None:
        """End the process, or keep it from being started."""
        self._cancelled = True
        if self._process is not None:
            self._process.kill()

    def run(self) -> Outcome:
        """Start the process, tell how far it is, and return what comes of it. Blocking."""
        with subprocess.Popen(  # noqa: S603 - our own module
            [sys.executable, "-P", "-m", __name__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={name: os.environ[name] for name in _ENVIRONMENT if name in os.environ},
        ) as self._process:
            try:
                return self._follow(self._process)
            finally:
                self._process.kill()

    def _follow(self, process: "subprocess.Popen[bytes]") -> Outcome:
        assert process.stdin is not None  # noqa: S101 - it is a pipe
        assert process.stdout is not None  # noqa: S101 - it is a pipe
        with contextlib.suppress(BrokenPipeError):  # it was ended already
            process.stdin.write(self._job.model_dump_json().encode())
            process.stdin.close()
        done = 0
        for line in () if self._cancelled else process.stdout:
            if line.startswith(b"{"):
                return _judge(line)
            self._told(int(line) - done)
            done = int(line)
        raise InternalServerError("The process that worked on the backup has died.")


def _judge(line: bytes) -> Outcome:
    answer = Answer.model_validate_json(line)
    if answer.code in _ERRORS:
        raise _ERRORS[answer.code](answer.detail)
    if answer.code is not None:
        raise OSError(answer.errno or errno.EIO, answer.detail)
    return answer.outcome


# What runs in the other process.


class _Teller:
    """Writes how many bytes were dealt with; when nobody reads it any more, the process ends."""

    def __init__(self) -> None:
        self._done = 0
        self._next = 0.0

    def __call__(self, count: int) -> None:
        self._done += count
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + _TOLD_SECONDS
            _write(str(self._done))


def _write(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _work() -> None:
    os.nice(_NICE)
    with contextlib.suppress(AttributeError, OSError, psutil.Error):  # where systems know it
        psutil.Process().ionice(psutil.IOPRIO_CLASS_BE, 7)
    job = _JOB.validate_json(sys.stdin.buffer.read())
    try:
        answer = Answer(outcome=job.run(_Teller()))
    except BrokenPipeError:
        os._exit(1)
    except ArchiveError as error:
        answer = Answer(code=error.code, detail=error.detail or "")
    except OSError as error:
        answer = Answer(code="os_error", errno=error.errno, detail=error.strerror or str(error))
    _write(answer.model_dump_json())


if __name__ == "__main__":
    _work()
