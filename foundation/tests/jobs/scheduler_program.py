"""A process with a scheduler whose runs take for ever; it says when one has begun."""

import asyncio
import sys
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from bedplate.documents import Document
from bedplate.jobs.schedule import Run, Schedule, ScheduleNew, StoredSchedules
from bedplate.jobs.schedule_store import ScheduleStore
from bedplate.jobs.scheduler import Scheduler


class Ring(BaseModel):
    """An action."""


async def perform(schedule: Schedule[Any], run: Run) -> str | None:
    """Say that the run has begun, and go on for ever."""
    sys.stdout.write(f"{schedule.id}\n")
    sys.stdout.flush()
    await asyncio.Event().wait()
    return None


async def main(path: Path) -> None:
    """Run a scheduler, and run its one schedule."""
    record = StoredSchedules[Ring]
    store = ScheduleStore(Document(path, record, default=record))
    async with Scheduler(store, perform) as scheduler:
        new = ScheduleNew[Ring](name="Bell", cron="0 4 * * *", action=Ring())
        await scheduler.run_now((await store.add(new)).id, by="ada")
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
