"""uvicorn's WebSocket with an orderly close and responses to malformed handshakes."""

import asyncio
from http import HTTPStatus
from typing import Any, cast

from uvicorn._types import ASGISendEvent
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request
from websockets.protocol import State

from bedplate.runtime.http_protocol import ConnectionState, error_responses

CLOSE_HANDSHAKE_SECONDS = 2.0
"""How long a WebSocket client may take to answer a close frame."""

MAX_MESSAGE_BYTES = 256 * 1024
"""Size of the largest message from a WebSocket client; a larger one closes with code 1009."""

PING_SECONDS = 20.0
"""How often a WebSocket client is pinged, and how long it may take to answer."""

SERVICE_RESTART = 1012  # IANA WebSocket Close Code Number Registry


class DrainingWebSocketProtocol(WebSocketsSansIOProtocol):
    """WebSocket; `shutdown` completes the closing handshake of RFC 6455, section 7.1.2.

    uvicorn's own closes the TCP connection right after its close frame: when the client is just
    sending, that resets the connection and the client never sees code 1012. It also waits forever
    for a client that doesn't read.
    """

    def __init__(self, *, server_state: ConnectionState, **options: Any) -> None:
        super().__init__(server_state=server_state, **options)
        self._shared = server_state

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start a connection, with a shorter timeout for the closing handshake."""
        super().connection_made(transport)
        self.close_timeout = CLOSE_HANDSHAKE_SECONDS
        self.transport = cast("asyncio.Transport", _ClosingInTime(self.transport, self.loop))

    async def send(self, message: ASGISendEvent) -> None:
        """Send a message of the application; a text in a frame that clients share.

        That takes half the time, and is correct as long as no extension changes frames.
        """
        if (
            message["type"] == "websocket.send"
            and (text := message.get("text")) is not None
            and message.get("bytes") is None
            and self.writable.is_set()
            and self.conn.state is State.OPEN
            and self.handshake_complete
            and not (self.disconnected or self.close_sent or self.initial_response)
        ):
            self.transport.write(self._shared.text_frame(text))
            return
        await super().send(message)
        if message["type"] == "websocket.http.response.body" and self.close_sent:
            self.handshake_complete = True  # by a refusal; uvicorn would log it as an error

    def data_received(self, data: bytes) -> None:
        """Read the bytes, and answer a handshake that can't be parsed."""
        super().data_received(data)
        if self.conn.handshake_exc is not None and not self.handshake_initiated:
            self._refuse_handshake()

    def handle_connect(self, event: Request) -> None:
        """Begin the handshake, or refuse a malformed one."""
        if self.conn.accept(event).status_code == HTTPStatus.SWITCHING_PROTOCOLS:
            super().handle_connect(event)
        else:
            self._refuse_handshake()

    def _refuse_handshake(self) -> None:
        self.handshake_initiated = self.handshake_complete = self.close_sent = True
        responses = error_responses()
        error = responses.NoHandshake(headers={"Sec-WebSocket-Version": "13"})
        self.transport.write(responses.refusal(error, self._shared.default_headers, self.client))
        self.transport.close()

    def shutdown(self) -> None:
        """Send close code 1012 (service restart); close when the client has answered."""
        closing = self.transport.is_closing() or self.close_sent or self.close_timer is not None
        if closing or not self.handshake_complete:
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
        """Pass a message to the application, unless the connection is closing."""
        if self.close_timer is None:
            super().send_receive_event_to_app()
        else:
            self.frames = []


class _ClosingInTime:
    """A transport that aborts when a client that doesn't read delays its close."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._cut: asyncio.TimerHandle | None = None
        self.write = transport.write
        self.is_closing = transport.is_closing

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def close(self) -> None:
        """Close when everything is written, or abort after CLOSE_HANDSHAKE_SECONDS."""
        self._transport.close()
        if self._cut is None:
            self._cut = self._loop.call_later(CLOSE_HANDSHAKE_SECONDS, self._transport.abort)
