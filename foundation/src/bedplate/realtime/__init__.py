"""Live events: a ring buffer, a broadcast to followers, and streams over WebSockets."""

from bedplate.realtime.broadcast import Broadcast
from bedplate.realtime.follower import Batch, Follower
from bedplate.realtime.ring_buffer import Numbered, RingBuffer
from bedplate.realtime.stream import Stream, StreamLimits

__all__ = ["Batch", "Broadcast", "Follower", "Numbered", "RingBuffer", "Stream", "StreamLimits"]
