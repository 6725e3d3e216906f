"""Group commit: many requests that each append something share transactions.

A transaction costs its COMMIT, and under a lock that all writers take it costs its turn: a hundred
requests wait for a hundred turns. Here they wait in the process; a writer takes all that wait,
stores them in one transaction, and only then answers each. What was answered is durable.
"""

import asyncio
import contextvars
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Final, Generic, Self, TypeVar

import structlog

from bedplate.database.exceptions import DatabaseUnavailable
from bedplate.database.sessions import Database, WriteSession
from bedplate.problems import ServiceUnavailable

Queue = TypeVar("Queue", bound=Hashable)
Member = TypeVar("Member")
Stored = TypeVar("Stored")

BATCH_BUCKETS: Final = (1, 2, 5, 10, 25, 50, 100, 250, 500, 1000)
"""The buckets of a histogram that `observe_batch` feeds: up to the rows of a full batch."""


_log = structlog.get_logger("bedplate.database")


class QueueFull(ServiceUnavailable):
    """More waits to be stored than the queue may hold."""

    code = "queue_full"
    detail = "Too much waits to be stored just now; try again."


@dataclass(frozen=True, slots=True)
class _Waiting(Generic[Member, Stored]):
    member: Member
    rows: int
    answer: "asyncio.Future[Stored]"


class GroupCommit(Generic[Queue, Member, Stored]):
    """Queues of members to store, each with one writer while something waits in it.

    `store(session, queue, members)` runs in a transaction. It takes the locks that the order
    needs, stores all members, and returns what each `submit` returns, in the order of the members;
    an exception among these goes to its member alone. When it raises, nothing of the batch is
    stored, and its halves get a transaction each, and theirs: one bad member fails no other.

    Members are validated before they are submitted. The context manager's end stores what waits.
    """

    def __init__(
        self,
        database: Database,
        store: Callable[
            [WriteSession, Queue, Sequence[Member]], Awaitable[Sequence[Stored | Exception]]
        ],
        *,
        max_batch_rows: int = 1000,
        max_waiting_rows: int = 20_000,
        observe_batch: Callable[[int], None] = lambda _: None,
    ) -> None:
        """Prepare to store; `observe_batch` is called with the rows of each batch."""
        self._database = database
        self._store = store
        self._max_batch_rows = max_batch_rows
        self._max_waiting_rows = max_waiting_rows
        self._observe_batch = observe_batch
        self._queues: defaultdict[Queue, deque[_Waiting[Member, Stored]]] = defaultdict(deque)
        self._writers: dict[Queue, asyncio.Task[None]] = {}
        self._closed = False
        self.waiting_rows = 0
        """How many rows wait, those of the batch that is being stored included."""

    async def submit(self, queue: Queue, member: Member, *, rows: int = 1) -> Stored:
        """Return what was stored for a member, when it is durable.

        A caller that is cancelled meanwhile takes nothing back: the member is stored all the same.
        Raises `QueueFull`, and what storing raises; after `DatabaseUnavailable` at a COMMIT nobody
        knows whether the member is stored.
        """
        if self._closed or self.waiting_rows + rows > self._max_waiting_rows:
            raise QueueFull
        answer: asyncio.Future[Stored] = asyncio.get_running_loop().create_future()
        self._queues[queue].append(_Waiting(member, rows, answer))
        self.waiting_rows += rows
        if queue not in self._writers:
            # The writer works for many requests: no single one's request id goes into its log.
            self._writers[queue] = asyncio.create_task(
                self._write(queue), name="group_commit", context=contextvars.Context()
            )
        return await answer

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._closed = True
        while self._writers:
            await asyncio.wait(set(self._writers.values()))

    async def _write(self, queue: Queue) -> None:
        """Store what waits in a queue, batch after batch, until nothing does."""
        try:
            while waiting := self._queues[queue]:
                batch = [waiting.popleft()]
                rows = batch[0].rows
                while waiting and rows + waiting[0].rows <= self._max_batch_rows:
                    batch.append(waiting.popleft())
                    rows += batch[-1].rows
                self._observe_batch(rows)
                try:
                    await self._settle(queue, batch)
                finally:
                    self.waiting_rows -= rows
        finally:
            del self._queues[queue], self._writers[queue]

    async def _settle(self, queue: Queue, batch: Sequence[_Waiting[Member, Stored]]) -> None:
        """Store a batch and answer each of its members."""
        try:
            async with self._database.write() as session:
                stored = await self._store(session, queue, [waiting.member for waiting in batch])
        except DatabaseUnavailable as error:
            # Not again member by member: it would cost each its timeout, or store some twice.
            for waiting in batch:
                _answer(waiting, type(error)())
        except Exception as error:  # noqa: BLE001 - whatever it is, it goes to those who wait
            if len(batch) == 1:
                _answer(batch[0], error)
                return
            _log.info("batch_failed", rows=len(batch), error=type(error).__name__)
            # By halves: a thousand of which none is bad are stored in two steps, not in a thousand.
            middle = len(batch) // 2
            await self._settle(queue, batch[:middle])
            await self._settle(queue, batch[middle:])
        else:
            for waiting, answer in zip(batch, stored, strict=True):
                _answer(waiting, answer)


def _answer(waiting: _Waiting[Member, Stored], answer: Stored | Exception) -> None:
    if waiting.answer.done():
        return  # its request has gone
    if isinstance(answer, Exception):
        waiting.answer.set_exception(answer)
    else:
        waiting.answer.set_result(answer)
