"""What happens by itself: timers end, presence is noted, idle sessions complete."""

import contextlib
from collections.abc import AsyncIterator

from bedplate.database import Database
from bedplate.jobs.background import Jobs
from live.activities.service import close_due
from live.events.presence import Presence
from live.events.service import Events
from live.following.removals import end_removed
from live.following.streams import Streams
from live.participants.service import Participants, show_presence
from live.sessions.service import complete_idle, remove_old
from live.settings import LiveSettings

_TIMER_SECONDS = 0.25
_PRESENCE_SECONDS = 5.0
_SEEN_SECONDS = 10.0
_HOUR_SECONDS = 3600.0


class Timers:
    """The background work of this process; every process does it, the database decides."""

    def __init__(
        self,
        database: Database,
        events: Events,
        streams: Streams,
        participants: Participants,
        presence: Presence,
        settings: LiveSettings,
    ) -> None:
        self._database = database
        self._events = events
        self._streams = streams
        self._participants = participants
        self._presence = presence
        self._settings = settings

    def start(self, jobs: Jobs) -> None:
        """Start all of it."""
        jobs.every(_TIMER_SECONDS, self.close_due, name="live_timers")
        jobs.every(_SEEN_SECONDS, self.note_followers, name="live_followers")
        jobs.every(_SEEN_SECONDS, self.end_removed, name="live_removed")
        jobs.every(_PRESENCE_SECONDS, self.show_presence, name="live_presence")
        jobs.every(_HOUR_SECONDS / 4, self.clean_up, name="live_clean_up")

    async def close_due(self) -> None:
        """Close the activities whose time is over."""
        await close_due(self._database, self._events)

    async def note_followers(self) -> None:
        """Note that those who follow, poll or answer are there: they need no heartbeats."""
        await self._participants.note(self._streams.participants() | self._presence.take())

    async def end_removed(self) -> None:
        """End streams of those who were removed."""
        await end_removed(self._database.read(), self._streams)

    async def show_presence(self) -> None:
        """Show the hosts who is online, idle and gone."""
        for session_id in self._streams.sessions():
            await show_presence(self._database.read(), self._events, session_id)

    async def clean_up(self) -> None:
        """Complete idle sessions, and delete what is older than it should get."""
        await complete_idle(self._database, self._events, self._settings.idle_hours)
        if self._settings.retention_days is not None:
            await remove_old(self._database, self._events, self._settings.retention_days)


@contextlib.asynccontextmanager
async def open_timers(
    settings: LiveSettings,
    database: Database,
    jobs: Jobs,
    events: Events,
    streams: Streams,
    participants: Participants,
    presence: Presence,
) -> AsyncIterator[Timers]:
    """Yield the background work, which has begun."""
    timers = Timers(database, events, streams, participants, presence, settings)
    timers.start(jobs)
    yield timers
