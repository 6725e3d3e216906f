"""What happens in a session, sent to those who follow it, each audience what it may see."""

from collections.abc import Collection, Mapping
from typing import Any, Final
from uuid import UUID

import orjson

from bedplate.database import WriteSession
from bedplate.realtime import Channels
from live.events.changes import ResultChanges
from live.security import HOST, PARTICIPANT, SCREEN

AUDIENCES: Final = (HOST, PARTICIPANT, SCREEN)

_LAST_VERSION: Final = 2**62


class Events:
    """Publishes events when the transaction that they are about is committed.

    An event that is published never waits for anybody, nor fails what it is about.
    """

    def __init__(self, channels: Channels) -> None:
        self.results = ResultChanges()
        """Through which those who show results learn that some changed."""
        self._channels = channels

    def publish(
        self,
        session: WriteSession,
        session_id: UUID,
        name: str,
        data: Mapping[str, Any],
        *,
        to: Collection[str] = AUDIENCES,
        host: Mapping[str, Any] | None = None,
    ) -> None:
        """Publish an event to these audiences, once the transaction is committed.

        `host` is what hosts see more of it.
        """
        payloads = {audience: orjson.dumps(data) for audience in to}
        if host is not None:
            payloads[HOST] = orjson.dumps({**data, **host})
        session.after_commit(lambda: self._channels.publish(str(session_id), name, payloads))

    def show(
        self,
        session_id: UUID,
        key: str,
        name: str,
        version: int,
        payloads: Mapping[str, Mapping[str, Any]],
    ) -> None:
        """Show the latest of something that changes often: only its newest version counts."""
        encoded = {audience: orjson.dumps(data) for audience, data in payloads.items()}
        self._channels.set_latest(str(session_id), key, name, version, encoded)

    def forget(self, session: WriteSession, session_id: UUID, key: str) -> None:
        """Show something to nobody any more, once the transaction is committed."""
        session.after_commit(
            lambda: self._channels.set_latest(str(session_id), key, key, _LAST_VERSION, {})
        )

    def end(self, session: WriteSession, session_id: UUID, key: str, reason: str) -> None:
        """End the streams of one who came with this key, once the transaction is committed."""
        payloads = {CONTROL: orjson.dumps({"key": key, "reason": reason})}
        channel = control_channel(session_id)
        session.after_commit(lambda: self._channels.publish(channel, ENDED, payloads))


CONTROL: Final = "control"
"""The audience of what processes say to each other; no client is in it."""

ENDED: Final = "stream.ended"


def control_channel(session_id: UUID) -> str:
    """Return the channel of what processes say to each other about a session.

    It is another one than the session's own: a thousand phones that come back at once must not
    push a session's events out.
    """
    return f"{session_id}:control"
