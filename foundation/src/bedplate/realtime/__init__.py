"""Live events: broadcasts, channels, server-sent events, and streams over WebSockets."""

from bedplate.realtime.broadcast import Broadcast
from bedplate.realtime.channel_events import EVERYONE
from bedplate.realtime.channel_follower import ChannelFollower
from bedplate.realtime.channels import Channels, Observation
from bedplate.realtime.follower import Batch, Follower
from bedplate.realtime.last_event_id import LastEventId
from bedplate.realtime.messages import Message, Messages
from bedplate.realtime.position import Position
from bedplate.realtime.ring_buffer import Numbered, RingBuffer
from bedplate.realtime.socket_stream import StreamLimits
from bedplate.realtime.sse import EventStream, frame
from bedplate.realtime.stream import Stream
from bedplate.realtime.text_stream import TextStream

__all__ = [
    "EVERYONE",
    "Batch",
    "Broadcast",
    "ChannelFollower",
    "Channels",
    "EventStream",
    "Follower",
    "LastEventId",
    "Message",
    "Messages",
    "Numbered",
    "Observation",
    "Position",
    "RingBuffer",
    "Stream",
    "StreamLimits",
    "TextStream",
    "frame",
]
