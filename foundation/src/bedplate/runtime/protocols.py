"""uvicorn's protocols, taught to leave no request unanswered when they are told to close."""

import asyncio
import select
from typing import Any, cast

from uvicorn._types import ASGISendEvent
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import ServerState
from websockets.frames import Frame, Opcode
from websockets.protocol import State

HEAD_SECONDS = 1.0
"""How long the head of a request may take to arrive on an open connection when the server closes.

A new connection has that time to send its first request.
"""

CLOSE_HANDSHAKE_SECONDS = 2.0
"""How long a WebSocket client may take to answer a close frame."""

LARGEST_MESSAGE = 256 * 1024
"""Bytes of the largest message that a WebSocket client may send; more closes with code 1009."""

PING_SECONDS = 20.0
"""How often a WebSocket client is pinged, and how long it may take to answer."""

SERVICE_RESTART = 1012  # IANA WebSocket Close Code Number Registry


class ConnectionState(ServerState):
    """What uvicorn's protocols share, and how far the server is on its way out.

    announce_close: responses say `Connection: close`.
    heads_until: the time of the event loop until which heads of requests may still arrive.
    """

    announce_close = False
    heads_until = 0.0
    _text = ""
    _frame = b""

    def text_frame(self, text: str) -> bytes:
        """Return the frame of a text message; made once for one that many clients get in a row."""
        if text is not self._text:
            frame = Frame(Opcode.TEXT, text.encode())
            self._text, self._frame = text, frame.serialize(mask=False)
        return self._frame


class DrainingHttpProtocol(HttpToolsProtocol):
    """HTTP/1.1; `shutdown` may be called again and again until the connection is gone.

    uvicorn's own closes a connection that has not sent its first request yet, or whose next
    request has arrived but was not read: that request would be reset.
    """

    server_state: ConnectionState

    def on_headers_complete(self) -> None:
        """Begin a request; its response says `Connection: close` when the server is leaving."""
        super().on_headers_complete()
        if self.server_state.announce_close:
            self.announce_close()

    def announce_close(self) -> None:
        """Let the response under way say `Connection: close` (RFC 9112, section 9.6)."""
        cycle = self._latest()
        if cycle is not None and not cycle.response_complete:
            cycle.keep_alive = False

    def shutdown(self) -> None:
        """Close the connection when it is idle, else let its request be the last."""
        if not self.transport.is_closing() and not self._request_arrives():
            super().shutdown()

    def _request_arrives(self) -> bool:
        if self._is_readable():
            return True
        return self._head_expected() and self.loop.time() < self.server_state.heads_until

    def _head_expected(self) -> bool:
        """Whether the first request has not begun, or the head of one is incomplete."""
        cycle = self._latest()
        return cycle is None or cycle.scope is not self.scope

    def _latest(self) -> RequestResponseCycle | None:
        return self.cycle  # None before the first request, whatever uvicorn's annotation says

    def _is_readable(self) -> bool:
        poll = select.poll()
        poll.register(self.transport.get_extra_info("socket").fileno(), select.POLLIN)
        return bool(poll.poll(0))


class DrainingWebSocketProtocol(WebSocketsSansIOProtocol):
    """WebSocket; `shutdown` completes the closing handshake of RFC 6455, section 7.1.2.

    uvicorn's own closes the TCP connection right behind its close frame. When the client is
    just sending, that resets the connection and the frame with code 1012 is lost. And it waits
    without end for a client that reads nothing to take what was written before.
    """

    def __init__(
        self,
        config: Config,
        server_state: ConnectionState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._shared = server_state

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take a connection over, with a shorter time for the closing handshake."""
        super().connection_made(transport)
        self.close_timeout = CLOSE_HANDSHAKE_SECONDS
        self.transport = cast("asyncio.Transport", _ClosingInTime(self.transport, self.loop))

    async def send(self, message: ASGISendEvent) -> None:
        """Send what the application sends; texts in frames that clients share.

        That takes half the time, and holds as long as no extension changes frames.
        """
        if message["type"] == "websocket.send" and self._can_send():
            text = message.get("text")
            if text is not None and message.get("bytes") is None:
                self.transport.write(self._shared.text_frame(text))
                return
        await super().send(message)

    def _can_send(self) -> bool:
        return (
            self.writable.is_set()
            and self.conn.state is State.OPEN
            and self.handshake_complete
            and not (self.disconnected or self.close_sent or self.initial_response)
        )

    def shutdown(self) -> None:
        """Tell the client that the server restarts; close when it has answered."""
        if self.transport.is_closing() or not self.handshake_complete:
            return
        if self.close_sent or self.close_timer is not None:
            return
        self.stop_keepalive()
        self.queue.put_nowait({"type": "websocket.disconnect", "code": SERVICE_RESTART})
        self.conn.send_close(SERVICE_RESTART)
        self.transport.write(b"".join(self.conn.data_to_send()))
        if self.read_paused:
            self.read_paused = False
            self.transport.resume_reading()
        self.close_timer = self.loop.call_later(self.close_timeout, self.transport.close)

    def send_receive_event_to_app(self) -> None:
        """Hand a message to the application, unless the connection is closing."""
        if self.close_timer is None:
            super().send_receive_event_to_app()
        else:
            self.frames = []


class _ClosingInTime:
    """A transport that is cut when it can't be closed because the client doesn't read."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._cut: asyncio.TimerHandle | None = None
        self.write = transport.write
        self.is_closing = transport.is_closing

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def close(self) -> None:
        """Close when everything is written, or cut what isn't in time."""
        self._transport.close()
        if self._cut is None:
            self._cut = self._loop.call_later(CLOSE_HANDSHAKE_SECONDS, self._transport.abort)
