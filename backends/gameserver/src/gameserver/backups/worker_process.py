"""Runs large jobs in a separate process, so that neither event loop nor game slows down.

A thread would share the interpreter's lock with the event loop. On a busy machine the system
preempts the thread that holds the lock, and the loop stands still meanwhile.
"""

import asyncio
import contextlib
import errno
import os
import subprocess
import sys
import time
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
from gameserver.archives.unpacking import ProgressCallback
from gameserver.backups.exceptions import DamagedWorld
from gameserver.backups.jobs import CheckWorld, CopyWorld, Outcome, Pack, Unpack

MIN_PROCESS_BYTES: Final = 64 << 20
"""Jobs of fewer bytes run in a thread: a process takes a second to start."""

_REPORT_SECONDS: Final = 0.05
_MAX_RESULT_BYTES: Final = 1 << 30
_NICE: Final = 10
_ENVIRONMENT: Final = ("HOME", "LANG", "LD_LIBRARY_PATH", "PATH", "PYTHONPATH", "TMPDIR")
_ERRORS: Final[dict[str, type[ArchiveError]]] = {
    error.code: error
    for error in (ArchiveError, DamagedArchive, OversizeArchive, UnsafeArchive, DamagedWorld)
}

Job = CopyWorld | CheckWorld | Pack | Unpack
_JOB: Final = TypeAdapter[Job](Annotated[Job, Field(discriminator="job")])


class Result(BaseModel):
    """How a job ended: its outcome, or the code and detail of an error; `errno` of an `OSError`."""

    outcome: Outcome = Field(default_factory=Outcome)
    code: str | None = None
    errno: int | None = None
    detail: str = ""

    def unwrap(self) -> Outcome:
        """Return the outcome, or raise the error."""
        if self.code in _ERRORS:
            raise _ERRORS[self.code](self.detail)
        if self.code is not None:
            raise OSError(self.errno or errno.EIO, self.detail)
        return self.outcome


async def perform(job: Job, size: int, on_progress: ProgressCallback = lambda _: None) -> Outcome:
    """Run a job that processes about `size` bytes. Raises what `job.run` raises.

    `on_progress` receives the bytes processed, and may end the job by raising.
    """
    if size < MIN_PROCESS_BYTES:
        return await finish_in_thread(lambda: job.run(on_progress))
    start = asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", __name__, job.model_dump_json()),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        env={name: os.environ[name] for name in _ENVIRONMENT if name in os.environ},
        limit=_MAX_RESULT_BYTES,
    )
    started = asyncio.create_task(start)
    try:
        # A cancelled start would leave a process that nobody ends (seen with uvloop).
        return await _follow(await asyncio.shield(started), on_progress)
    finally:
        process = await started
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def _follow(process: asyncio.subprocess.Process, on_progress: ProgressCallback) -> Outcome:
    """Report the progress of a worker process, and return its outcome."""
    assert process.stdout is not None  # noqa: S101 - it is a pipe
    done = 0
    async for line in process.stdout:
        if line.startswith(b"{"):
            return (await asyncio.to_thread(Result.model_validate_json, line)).unwrap()
        on_progress(int(line) - done)
        done = int(line)
    raise InternalServerError("The process that worked on the backup has died.")


# The rest runs in the worker process.


class _ProgressReport:
    """Writes the number of bytes processed; once nobody reads it, the write ends the process."""

    def __init__(self) -> None:
        self._done = 0
        self._next = 0.0

    def __call__(self, count: int) -> None:
        self._done += count
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + _REPORT_SECONDS
            _write(str(self._done))


def _write(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _main() -> None:
    os.nice(_NICE)
    with contextlib.suppress(AttributeError, OSError, psutil.Error):  # not on every system
        psutil.Process().ionice(psutil.IOPRIO_CLASS_BE, 7)
    job = _JOB.validate_json(sys.argv[1])
    try:
        result = Result(outcome=job.run(_ProgressReport()))
    except BrokenPipeError:
        os._exit(1)
    except ArchiveError as error:
        result = Result(code=error.code, detail=error.detail or "")
    except OSError as error:
        result = Result(code="os_error", errno=error.errno, detail=error.strerror or str(error))
    _write(result.model_dump_json())


if __name__ == "__main__":
    _main()
