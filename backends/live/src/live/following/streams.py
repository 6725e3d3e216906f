"""The streams of this process: who follows which session, and what ends them."""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import orjson

from bedplate import ids
from bedplate.jobs.background import Jobs
from bedplate.realtime import ChannelFollower, Channels, Position
from live.events.service import CONTROL, ENDED, control_channel
from live.security import PARTICIPANT

REPLACED: Final = "replaced"


@dataclass(frozen=True, slots=True, eq=False)
class _Open:
    key: str
    connection: str
    follower: ChannelFollower


class Streams:
    """Gives followers to streams, and ends those whose owner was removed or came in again.

    The newest stream of a participant is the live one, on whichever process it is.
    """

    def __init__(self, channels: Channels, jobs: Jobs, *, shared: bool) -> None:
        """Prepare; `shared` says that there may be other processes."""
        self._shared = shared
        self._channels = channels
        self._jobs = jobs
        self._open: defaultdict[UUID, set[_Open]] = defaultdict(set)
        self._listening: dict[UUID, asyncio.Task[None]] = {}

    @contextlib.asynccontextmanager
    async def follow(
        self, session_id: UUID, audience: str, key: str, position: Position | None
    ) -> AsyncIterator[ChannelFollower]:
        """Give a follower of a session's events; `key` names whose it is."""
        await self._listen(session_id)
        async with self._channels.follow(str(session_id), audience, position=position) as follower:
            stream = _Open(key, ids.token(8), follower)
            self._open[session_id].add(stream)
            if audience == PARTICIPANT:
                self._replace(session_id, stream)
            try:
                yield follower
            finally:
                self._leave(session_id, stream)

    def participants(self) -> set[UUID]:
        """Return the participants who follow something here."""
        return {
            UUID(stream.key)
            for streams in self._open.values()
            for stream in streams
            if stream.follower.audience == PARTICIPANT
        }

    def tokens(self) -> set[str]:
        """Return the hashes of the tokens of hosts and links that follow something here."""
        return {
            stream.key
            for streams in self._open.values()
            for stream in streams
            if stream.follower.audience != PARTICIPANT
        }

    def end(self, reasons: Mapping[str, str]) -> None:
        """End streams: `reasons` says why, by the key of whose they are."""
        for streams in self._open.values():
            for stream in streams:
                if stream.key in reasons:
                    stream.follower.stop(reasons[stream.key])

    def sessions(self) -> list[UUID]:
        """Return the sessions that are followed here."""
        return list(self._open)

    def _replace(self, session_id: UUID, stream: _Open) -> None:
        ended = {"key": stream.key, "reason": REPLACED, "but": stream.connection}
        self._end(session_id, ended)
        if self._shared:
            payloads = {CONTROL: orjson.dumps(ended)}
            self._channels.publish(control_channel(session_id), ENDED, payloads)

    def _leave(self, session_id: UUID, stream: _Open) -> None:
        streams = self._open[session_id]
        streams.discard(stream)
        if not streams:
            del self._open[session_id]
            self._listening.pop(session_id).cancel()

    async def _listen(self, session_id: UUID) -> None:
        """Begin to listen for what ends streams, before the first stream of a session opens."""
        if session_id not in self._listening:
            began = asyncio.Event()
            work = self._end_streams(session_id, began)
            self._listening[session_id] = self._jobs.start(work, name="live_stream_ends")
            self._open[session_id] = set()
            await began.wait()

    async def _end_streams(self, session_id: UUID, began: asyncio.Event) -> None:
        control = control_channel(session_id)
        async with self._channels.follow(control, CONTROL, position=None) as follower:
            began.set()
            async for messages in follower:
                for message in messages.items:
                    if message.event == ENDED:
                        self._end(session_id, orjson.loads(message.data))

    def _end(self, session_id: UUID, ended: dict[str, str]) -> None:
        for stream in self._open.get(session_id, ()):
            if stream.key == ended["key"] and stream.connection != ended.get("but"):
                stream.follower.stop(ended["reason"])
