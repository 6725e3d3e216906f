"""Live events: a ring buffer, a broadcast to followers, and streams over WebSockets."""

from bedplate.realtime.batch import Batch
from bedplate.realtime.broadcast import Broadcast
from bedplate.realtime.follower import Follower
from bedplate.realtime.limits import StreamLimits
from bedplate.realtime.ring_buffer import Numbered, RingBuffer
from bedplate.realtime.stream import Stream

__all__ = ["Batch", "Broadcast", "Follower", "Numbered", "RingBuffer", "Stream", "StreamLimits"]
