"""The dependency by which a route learns where an event stream is to be continued."""

from typing import Annotated

from fastapi import Depends, Header, Query

from bedplate.realtime.position import UNKNOWN, Position


async def last_event_id(
    header: Annotated[
        str | None,
        Header(
            alias="Last-Event-ID",
            description="The `id` of the last event that was received; browsers send it.",
        ),
    ] = None,
    query: Annotated[
        str | None,
        Query(
            alias="last_event_id",
            description="The same, for clients that can't set headers. The header comes first.",
        ),
    ] = None,
) -> Position | None:
    """Return the position to continue after; None for a new client.

    What can't be read is an unknown position, never an error: a browser would not reconnect.
    """
    text = header or query
    if not text:
        return None
    return Position.parse(text) or UNKNOWN


LastEventId = Annotated[Position | None, Depends(last_event_id)]
"""The position after which a client wants to continue; None for a new client."""
