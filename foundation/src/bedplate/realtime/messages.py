"""What followers of a channel get, made once for all that get the same."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import orjson

from bedplate.realtime.position import Position
from bedplate.realtime.sse import frame


@dataclass(frozen=True, slots=True)
class Message:
    """One event for a client: its name, its JSON, and its position when it is durable."""

    event: str
    data: bytes
    id: Position | None = None

    @property
    def sse(self) -> bytes:
        """The message as a server-sent event."""
        return frame(self.data, event=self.event, id=self.id)

    @property
    def text(self) -> str:
        """The message for a WebSocket: `{"id":"…","event":"…","data":…}`, `id` when durable."""
        name = orjson.dumps(self.event).decode()
        data = self.data.decode("utf-8", "replace")
        identifier = "" if self.id is None else f'"id":"{self.id}",'
        return f'{{{identifier}"event":{name},"data":{data}}}'


@dataclass(frozen=True, eq=False)
class Messages:
    """Some messages in their order, shared by all followers that get the same.

    `skipped` is the position of a later event that is not for this audience. Clients take note of
    it, so that it isn't too old when they come back.
    """

    items: tuple[Message, ...]
    skipped: Position | None = None

    @classmethod
    def control(cls, event: str, data: Mapping[str, Any] | None = None) -> Self:
        """Return a message about the stream itself, which has no position."""
        return cls((Message(event, orjson.dumps(data or {})),))

    @cached_property
    def sse(self) -> bytes:
        """All messages as server-sent events."""
        skipped = b"" if self.skipped is None else frame(id=self.skipped)
        return b"".join([*(message.sse for message in self.items), skipped])

    @cached_property
    def texts(self) -> tuple[str, ...]:
        """All messages as JSON texts, one for each frame of a WebSocket."""
        skipped = () if self.skipped is None else (f'{{"id":"{self.skipped}"}}',)
        return (*(message.text for message in self.items), *skipped)

    @cached_property
    def json(self) -> str:
        """All messages as one JSON array, for clients that take several in a frame."""
        return f"[{','.join(self.texts)}]"
