"""Waiting for a moment of the day, also when the clock is set meanwhile."""

import asyncio
from datetime import datetime

from bedplate import clock

MAX_SLEEP_SECONDS = 20.0
"""Seconds after which the clock is read again: that a machine slept, or that its clock was set."""


class Alarm:
    """Rings at a moment of `bedplate.clock`, or when it is woken."""

    def __init__(self) -> None:
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """End the wait at once: there is something new to consider."""
        self._woken.set()

    async def wait_until(self, moment: datetime | None) -> None:
        """Return at `moment`, after `MAX_SLEEP_SECONDS` seconds, or when woken, what comes first.

        Without a moment only waking ends it. Whoever waits decides anew each time.
        """
        seconds = None if moment is None else (moment - clock.now()).total_seconds()
        try:
            async with asyncio.timeout(seconds and min(seconds, MAX_SLEEP_SECONDS)):
                await self._woken.wait()
        except TimeoutError:
            return
        finally:
            self._woken.clear()
