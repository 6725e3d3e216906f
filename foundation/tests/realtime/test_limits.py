"""What one client of a stream may do."""

from bedplate.realtime.socket_stream import MessageRate, StreamLimits
from bedplate.testing.clock import SettableClock


def test_messages_are_counted_in_windows(clock: SettableClock) -> None:
    """So many messages in the time, no more; then as many again, also after an odd clock."""
    rate = MessageRate(StreamLimits(messages=2, seconds=10))
    assert [rate.admits() for _ in range(4)] == [True, True, False, False]
    clock.advance(seconds=10)
    assert [rate.admits() for _ in range(3)] == [True, True, False]
