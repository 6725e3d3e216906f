"""What schedules do, beside what else is under way."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from bedplate import clock, ids
from bedplate.jobs.exceptions import RunSkipped
from bedplate.jobs.schedule import Run, RunState, Schedule, Trigger
from gameserver.operations.progress import Progress
from gameserver.operations.schemas import OperationKind
from gameserver.schedules.schemas import RestartAction, StopAction
from gameserver.schedules.service import ActionRunner
from gameserver.schedules.updates import UpdateCheck


async def nothing() -> list[str]:
    """Find no update."""
    return []


@pytest.mark.parametrize("action", [RestartAction(kind="restart"), StopAction(kind="stop")])
async def test_a_backup_is_not_cut(
    open_state: Callable[..., Awaitable[dict[str, Any]]], action: RestartAction | StopAction
) -> None:
    """Backup and restart at the same hour of the night: the restart waits for the backup's end."""
    state = await open_state()
    game, events, operations = state["game"], state["events"], state["operations"]
    updates = UpdateCheck(events, game=nothing, mods=nothing)
    runner = ActionRunner(game, events, state["backups"], operations, updates)
    copied = asyncio.Event()

    async def copy(_: Progress) -> None:
        await copied.wait()

    await operations.start(OperationKind.BACKUP, copy, by="test")
    now, schedule_id = clock.now(), ids.uuid()
    schedule: Schedule[Any] = Schedule(
        id=schedule_id, name="Nightly", cron="0 4 * * *", created_at=now, counted_until=now,
        action=action,
    )  # fmt: skip
    run = Run(
        id=ids.uuid(), schedule_id=schedule_id, trigger=Trigger.MANUAL, state=RunState.RUNNING,
        began_at=now,
    )  # fmt: skip
    asyncio.get_running_loop().call_later(0.1, copied.set)
    with pytest.raises(RunSkipped, match="not running"):
        await runner(schedule, run)
    assert copied.is_set()
