"""What one client of a stream may do."""

from dataclasses import dataclass

from bedplate import clock


@dataclass(frozen=True, kw_only=True)
class StreamLimits:
    """Bounds for one client.

    message_characters: the longest message it may send.
    messages, seconds: how many it may send in that time.
    waiting: how many may wait while an earlier one is handled.
    send_seconds: how long it may read nothing while something is to be sent, before it is dropped.
    """

    message_characters: int = 8_192
    messages: int = 50
    seconds: float = 10.0
    waiting: int = 16
    send_seconds: float = 15.0


class MessageRate:
    """Counts the messages of a client in windows of time."""

    def __init__(self, limits: StreamLimits) -> None:
        self._limits = limits
        self._began = clock.monotonic()
        self._count = 0

    def admits(self) -> bool:
        """Count a message, and return whether it is within the limit."""
        now = clock.monotonic()
        if not 0 <= now - self._began < self._limits.seconds:
            self._began, self._count = now, 0
        self._count += 1
        return self._count <= self._limits.messages
