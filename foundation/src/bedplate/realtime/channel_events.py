"""What is published in a channel: durable events, and values of which only the latest counts."""

from collections.abc import Mapping
from dataclasses import dataclass

EVERYONE = "*"
"""The audience of a payload that is for all audiences which have none of their own."""

_OVERHEAD_BYTES = 500


@dataclass(frozen=True, slots=True)
class ChannelEvent:
    """A durable event: its name, and its JSON for each audience that may see it."""

    name: str
    payloads: Mapping[str, bytes]

    def payload_for(self, audience: str) -> bytes | None:
        """Return the JSON for an audience; None when it may not see the event."""
        return self.payloads.get(audience, self.payloads.get(EVERYONE))


@dataclass(frozen=True, slots=True)
class LatestValue:
    """An ephemeral value: absolute, and replaced by a later version of the same key."""

    event: str
    version: int
    payloads: Mapping[str, bytes]
    change: int = 0
    """The number of the change by which it came into its channel."""

    def payload_for(self, audience: str) -> bytes | None:
        """Return the JSON for an audience; None when it may not see the value."""
        return self.payloads.get(audience, self.payloads.get(EVERYONE))


def size_of(event: ChannelEvent) -> int:
    """Return about how many bytes of memory an event takes."""
    return _OVERHEAD_BYTES + sum(map(len, event.payloads.values()))
