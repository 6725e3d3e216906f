"""The latest results of open activities, shown to those who follow: at most some times a second.

However many answer, a result is read and sent a few times a second; it is absolute, so nobody
misses anything when one is left out.
"""

import asyncio
from typing import Final
from uuid import UUID

import structlog

from bedplate.database import Database
from bedplate.jobs.background import Jobs
from bedplate.realtime import Channels
from live.activities import repository as activities
from live.events.changes import results_key
from live.events.service import AUDIENCES, Events
from live.results.service import counted, is_visible

INTERVAL_SECONDS: Final = 0.25
"""How often a result is read at most: four times a second."""

_ROUND_BITS: Final = 40

_log = structlog.get_logger("live")


class LatestResults:
    """Reads results that changed, and shows them to each audience that may see them."""

    def __init__(self, database: Database, events: Events, channels: Channels, jobs: Jobs) -> None:
        self._database = database
        self._events = events
        self._channels = channels
        self._jobs = jobs
        self._changed: set[UUID] = set()
        self._running: set[UUID] = set()

    def changed(self, activity_id: UUID) -> None:
        """Show an activity's results soon."""
        self._changed.add(activity_id)
        if activity_id not in self._running and not self._jobs.stopping.is_set():
            self._running.add(activity_id)
            self._jobs.start(self._show(activity_id), name="live_results")

    async def _show(self, activity_id: UUID) -> None:
        """Show an activity's results until they have stopped changing."""
        try:
            while activity_id in self._changed and not self._jobs.stopping.is_set():
                self._changed.discard(activity_id)
                try:
                    # Of several processes one shows the results; the others' turn comes later.
                    claimed = await self._channels.claim(
                        str(activity_id), "results", INTERVAL_SECONDS
                    )
                    if claimed:
                        await self._publish(activity_id)
                    else:
                        self._changed.add(activity_id)
                except Exception as error:  # noqa: BLE001 - the next change tries again
                    _log.warning("results_not_shown", error=type(error).__name__)
                    self._changed.add(activity_id)
                await asyncio.sleep(INTERVAL_SECONDS)
        finally:
            self._running.discard(activity_id)

    async def _publish(self, activity_id: UUID) -> None:
        session = self._database.read()
        activity = await activities.get(session, activity_id)
        if activity is None:
            return
        counts = await counted(session, activity)
        payloads = {
            audience: counts.to_json(audience)
            if is_visible(activity, counts.policy, audience)
            else counts.progress()
            for audience in AUDIENCES
        }
        # A new round takes the place of the old one, however high the old one's version was.
        version = (counts.round << _ROUND_BITS) + counts.version
        self._events.show(
            activity["session_id"], results_key(activity_id), "results", version, payloads
        )
