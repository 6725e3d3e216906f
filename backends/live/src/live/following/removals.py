"""Ends streams of those who were removed while nobody could say so.

Whoever removes somebody ends their streams at once, on every process. That is not heard by a stream
that opens at that very moment, nor by other processes while Redis or Valkey is away.
"""

from bedplate.database import ReadSession
from live.following import repository
from live.following.streams import Streams
from live.participants import repository as participants

_JOINED = "joined"
_DELETED = "deleted"
_REVOKED = "revoked"


async def end_removed(session: ReadSession, streams: Streams) -> None:
    """End the streams of participants and tokens that the database doesn't let in any more."""
    reasons: dict[str, str] = {}
    if people := streams.participants():
        states = await participants.states(session, list(people))
        reasons |= {str(who): states.get(who, _DELETED) for who in people}
    if tokens := streams.tokens():
        known = await repository.known_tokens(session, list(tokens))
        reasons |= dict.fromkeys(tokens - known, _REVOKED)
    streams.end({key: reason for key, reason in reasons.items() if reason != _JOINED})
