"""Operations: long work that is watched, survives requests, and is remembered after a crash."""

import asyncio
import errno
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bedplate.documents import Document
from bedplate.jobs.background import Jobs
from gameserver.disk import InsufficientStorage
from gameserver.operations.exceptions import OperationInProgress, OperationNotFound
from gameserver.operations.progress import Progress
from gameserver.operations.schemas import OperationKind, OperationLog, OperationState
from gameserver.operations.service import MAX_KEPT, Operations


@pytest.fixture
def document(tmp_path: Path) -> Document[OperationLog]:
    """Give the document that operations are kept in."""
    return Document(tmp_path / "operations.json", OperationLog, default=OperationLog)


@pytest.fixture
async def operations(document: Document[OperationLog]) -> AsyncIterator[Operations]:
    """Give operations of a manager that just started."""
    async with Jobs(stop_seconds=0.1) as jobs:
        opened = Operations(document, jobs)
        await opened.recover()
        yield opened


async def test_an_operation_ends_with_what_it_made(operations: Operations) -> None:
    """Progress and detail are seen meanwhile, the result at the end."""
    go, reported = asyncio.Event(), asyncio.Event()

    async def work(progress: Progress) -> dict[str, str]:
        progress.part(0.5, 1).report(0.5, "half of the second half")
        reported.set()
        await go.wait()
        return {"made": "this"}

    begun = await operations.start(OperationKind.BACKUP, work, by="admin")
    await reported.wait()
    assert operations.get(begun.id).progress == 0.75
    assert operations.get(begun.id).detail == "half of the second half"
    go.set()
    ended = await operations.wait(begun.id)
    assert (ended.state, ended.progress, ended.result) == (
        OperationState.DONE,
        1.0,
        {"made": "this"},
    )


async def test_an_error_is_told_as_a_problem(operations: Operations) -> None:
    """A domain's error keeps code and detail; an unforeseen one tells nothing of its inside."""

    async def full(progress: Progress) -> None:
        raise InsufficientStorage("No room.")

    async def broken(progress: Progress) -> None:
        raise ValueError("secret path")

    async def no_room_left(progress: Progress) -> None:
        raise RuntimeError("while writing") from OSError(errno.ENOSPC, "No space left")

    expected = (
        (full, 507, "No room."),
        (broken, 500, None),
        (no_room_left, 507, "The disk is full."),
    )
    for work, status, detail in expected:
        begun = await operations.start(OperationKind.BACKUP, work, by="admin")
        error = (await operations.wait(begun.id)).error
        assert error is not None
        assert (error.status, error.detail) == (status, detail)


async def test_what_must_not_run_side_by_side_is_refused(operations: Operations) -> None:
    """The refusal names what runs; after its end there is none."""
    go = asyncio.Event()

    async def work(progress: Progress) -> None:
        await go.wait()

    first = await operations.start(OperationKind.BACKUP, work, by="admin")
    with pytest.raises(OperationInProgress) as refused:
        await operations.start(
            OperationKind.SWITCH, work, by="admin", not_beside={OperationKind.BACKUP}
        )
    assert refused.value.members["operation_id"] == first.id
    go.set()
    await operations.wait(first.id)
    await operations.start(
        OperationKind.SWITCH, work, by="admin", not_beside={OperationKind.BACKUP}
    )


async def test_what_a_crash_interrupted_is_found_as_failed(
    document: Document[OperationLog],
) -> None:
    """The next manager finds what the killed one had begun, with the reason."""
    async with Jobs(stop_seconds=0) as jobs:
        killed = Operations(document, jobs)

        async def work(progress: Progress) -> None:
            await asyncio.sleep(3600)

        begun = await killed.start(OperationKind.RESTORE, work, by="admin")
        left = await document.read()
        assert left.operations[0].state is OperationState.RUNNING
        again = Operations(document, jobs)
        await again.recover()
        found = again.get(begun.id)
        assert found.state is OperationState.FAILED
        assert found.error is not None
        assert found.error.code == "operation_interrupted"


async def test_a_manager_that_leaves_ends_threads_too(document: Document[OperationLog]) -> None:
    """Work in a thread ends at its next report, and is remembered as interrupted."""
    ended = asyncio.Event()

    async with Jobs(stop_seconds=0.05) as jobs:
        operations = Operations(document, jobs)

        async def work(progress: Progress) -> None:
            def count() -> None:
                while True:
                    progress.report(0.5)

            try:
                await asyncio.to_thread(count)
            finally:
                ended.set()

        begun = await operations.start(OperationKind.BACKUP, work, by="admin")
    assert ended.is_set()
    error = operations.get(begun.id).error
    assert error is not None
    assert error.code == "operation_interrupted"


async def test_old_operations_are_forgotten_and_running_ones_never(
    operations: Operations, document: Document[OperationLog]
) -> None:
    """The log has an end; what runs stays in it however much comes after."""
    go = asyncio.Event()

    async def wait(progress: Progress) -> None:
        await go.wait()

    async def nothing(progress: Progress) -> None:
        return

    running = await operations.start(OperationKind.BACKUP, wait, by="admin")
    for _ in range(MAX_KEPT + 5):
        begun = await operations.start(OperationKind.MODS, nothing, by="admin")
        await operations.wait(begun.id)
    assert operations.get(running.id).state is OperationState.RUNNING
    assert len((await document.read()).operations) <= MAX_KEPT + 1
    with pytest.raises(OperationNotFound):
        operations.get("00000000-0000-4000-8000-000000000000")
    go.set()


def test_progress_never_goes_backwards() -> None:
    """A step that begins anew doesn't take back what was shown; bounds hold."""
    progress = Progress.silent()
    progress.report(2)
    progress.report(-1)
    progress.part(0, 0.5).report(1)
    assert progress._operation.progress == 1.0
