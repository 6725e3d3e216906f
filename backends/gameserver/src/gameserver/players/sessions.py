import asyncio
from typing import Final, Self

import structlog

from bedplate import clock, ids
from bedplate.documents import Document, DocumentError
from bedplate.pagination import Page, page_of
from gameserver.events import Event, EventKind, Events
from gameserver.players.schemas import Session, SessionEnd, SessionLog

MAX_SESSIONS: Final = 2_000
PAUSE_SECONDS: Final = 1.0
"""Minimum time between two writes: many players joining at once cost one write."""


class Sessions:
    """The last `MAX_SESSIONS` sessions of players, from events; addresses are not stored."""

    def __init__(self, document: Document[SessionLog], events: Events) -> None:
        self._document = document
        self._events = events
        self._sessions: list[Session] = []
        self._news = asyncio.Event()

    async def __aenter__(self) -> Self:
        """Read the stored sessions; the end of those still open was not seen."""
        self._sessions = (await self._document.read()).sessions
        for position, session in enumerate(self._sessions):
            if session.ended is None:
                self._sessions[position] = session.model_copy(update={"ended": SessionEnd.UNKNOWN})
        self._ignore = self._events.listen(self._hear)
        self._writer = asyncio.create_task(self._keep_writing(), name="sessions")
        return self

    async def __aexit__(self, *_: object) -> None:
        """Write unsaved sessions."""
        self._ignore()
        self._writer.cancel()
        await asyncio.wait({self._writer})
        await self._write()

    def page(
        self, *, name: str | None = None, after: str | None = None, limit: int = MAX_SESSIONS
    ) -> Page[Session]:
        """Return sessions of a player (in any case; None for all), the newest first."""
        folded = None if name is None else name.casefold()
        newest_first = reversed(self._sessions)
        matches = (item for item in newest_first if folded in {None, item.name.casefold()})
        return page_of(matches, key=lambda session: str(session.id), after=after, limit=limit)

    def _hear(self, event: Event) -> None:
        uid, name = str(event.facts.get("uid", "")), str(event.facts.get("name", ""))
        if event.kind is EventKind.PLAYER_JOINED:
            self._sessions.append(Session(id=ids.uuid(), name=name, uid=uid, joined_at=event.at))
            del self._sessions[:-MAX_SESSIONS]
        elif event.kind is EventKind.PLAYER_LEFT:
            self._end(uid)
        else:
            return
        self._news.set()

    def _end(self, uid: str) -> None:
        for position, session in reversed(list(enumerate(self._sessions))):
            if session.uid == uid and session.ended is None:
                left = clock.now()
                change = {
                    "left_at": left,
                    "ended": SessionEnd.LEFT,
                    "seconds": max(0.0, (left - session.joined_at).total_seconds()),
                }
                self._sessions[position] = session.model_copy(update=change)
                return

    async def _keep_writing(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            await self._write()
            await asyncio.sleep(PAUSE_SECONDS)

    async def _write(self) -> None:
        try:
            await self._document.write(SessionLog(sessions=list(self._sessions)))
        except DocumentError as error:
            structlog.get_logger().error("sessions_not_saved", reason=str(error))
