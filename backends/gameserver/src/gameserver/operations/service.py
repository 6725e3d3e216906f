"""Long-running operations, which survive the request that began them and a restart."""

import asyncio
import errno
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Final

import structlog
from pydantic import JsonValue
from pydantic_core import to_jsonable_python

from bedplate import clock, ids
from bedplate.documents import Document
from bedplate.jobs.background import Jobs
from bedplate.pagination import Page, page_of
from bedplate.problems import InternalServerError, ProblemError
from gameserver.disk import InsufficientStorage
from gameserver.operations.exceptions import (
    OperationInProgress,
    OperationInterrupted,
    OperationNotFound,
)
from gameserver.operations.progress import Progress
from gameserver.operations.schemas import (
    Operation,
    OperationKind,
    OperationLog,
    OperationProblem,
    OperationState,
)

Work = Callable[[Progress], Awaitable[Mapping[str, JsonValue] | None]]
"""An operation's work: receives its progress, and returns what it made, by name."""

MAX_KEPT: Final = 200


class Operations:
    """The operations of this manager: those in progress, and the last of `MAX_KEPT` that ended.

    An operation is a background job of its own, whatever becomes of the request that began it.
    Beginning and end are written to disk: after a crash it has failed, with the code
    `operation_interrupted`.
    """

    def __init__(self, document: Document[OperationLog], jobs: Jobs) -> None:
        self._document = document
        self._jobs = jobs
        self._kept: dict[str, Operation] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._writing = asyncio.Lock()

    async def recover(self) -> None:
        """Read the stored operations; a running one was interrupted. Call it once, at start."""
        for operation in (await self._document.read()).operations:
            if operation.state is OperationState.RUNNING:
                _fail(operation, OperationInterrupted())
            self._kept[operation.id] = operation
        await self._write()

    def page(
        self,
        *,
        kind: OperationKind | None = None,
        state: OperationState | None = None,
        after: str | None = None,
        limit: int = MAX_KEPT,
    ) -> Page[Operation]:
        """Return operations of a kind and state (None for any), the newest first."""
        matches = (
            operation
            for operation in reversed(self._kept.values())
            if kind in {None, operation.kind} and state in {None, operation.state}
        )
        return page_of(matches, key=lambda operation: operation.id, after=after, limit=limit)

    def running(self) -> tuple[Operation, ...]:
        """Return the operations in progress."""
        kept = self._kept.values()
        return tuple(item for item in kept if item.state is OperationState.RUNNING)

    def get(self, operation_id: str) -> Operation:
        """Return an operation as it stands. Raises `OperationNotFound`."""
        if operation_id not in self._kept:
            raise OperationNotFound
        return self._kept[operation_id]

    async def start(
        self,
        kind: OperationKind,
        work: Work,
        *,
        by: str,
        not_beside: Collection[OperationKind] = (),
    ) -> Operation:
        """Begin work in the background, and return its operation once it is stored.

        Raises `OperationInProgress` when one of the kinds `not_beside` runs, and
        `OperationInterrupted` when the manager shuts down.
        """
        if self._jobs.stopping.is_set():
            raise OperationInterrupted
        for other in self.running():
            if other.kind in not_beside:
                raise OperationInProgress(other.kind, other.id)
        operation = Operation(id=str(ids.uuid()), kind=kind, by=by, started_at=clock.now())
        self._kept[operation.id] = operation
        try:
            await self._write()
            job = self._run(operation, work)
            self._tasks[operation.id] = self._jobs.start(job, name=f"operation_{kind}")
        except BaseException:
            del self._kept[operation.id]
            raise
        return operation

    async def wait(self, operation_id: str) -> Operation:
        """Wait until an operation has ended, and return it. Raises `OperationNotFound`."""
        task = self._tasks.get(operation_id)
        if task is not None:
            await asyncio.wait([task])
        return self.get(operation_id)

    async def _run(self, operation: Operation, work: Work) -> None:
        progress = Progress(operation)
        try:
            operation.result = dict(await _interruptible(work, progress) or {})
            operation.state, operation.progress = OperationState.DONE, 1.0
            operation.finished_at = clock.now()
        except asyncio.CancelledError:
            _fail(operation, OperationInterrupted())
        except ProblemError as error:
            _fail(operation, error)
        except Exception as error:  # noqa: BLE001 - whatever it is, the operation has ended
            structlog.get_logger().error("operation_failed", kind=operation.kind, exc_info=error)
            _fail(operation, _disk_full(error) or InternalServerError())
        finally:
            self._tasks.pop(operation.id, None)
            await self._write()

    async def _write(self) -> None:
        async with self._writing:
            ended = [key for key, item in self._kept.items() if item.finished_at is not None]
            for key in ended[: max(0, len(self._kept) - MAX_KEPT)]:
                del self._kept[key]
            copies = [item.model_copy() for item in self._kept.values()]
            await self._document.write(OperationLog(operations=copies))


async def _interruptible(work: Work, progress: Progress) -> Mapping[str, JsonValue] | None:
    """Do work that can be cancelled: its threads end at their next report of progress."""
    task = asyncio.ensure_future(work(progress))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        progress.interrupt()
        task.cancel()
        await asyncio.wait([task])
        raise


def _disk_full(error: BaseException) -> ProblemError | None:
    """Return the problem when an error, or what caused it, is that the disk is full."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.errno in {errno.ENOSPC, errno.EDQUOT}:
            return InsufficientStorage("The disk is full.")
        cause = cause.__cause__
    return None


def _fail(operation: Operation, error: ProblemError) -> None:
    operation.state = OperationState.FAILED
    operation.finished_at = clock.now()
    operation.error = OperationProblem(
        status=error.status,
        code=error.code,
        title=error.title,
        detail=error.detail,
        **to_jsonable_python(dict(error.members), fallback=str),
    )
