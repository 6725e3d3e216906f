"""uvicorn's HTTP/1.1 with limits on request heads and a drain that answers every request."""

import asyncio
import select
from collections.abc import Callable
from types import ModuleType
from typing import TYPE_CHECKING, cast

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState
from websockets.frames import Frame, Opcode

from bedplate.lifecycle import ABORT_EXTENSION

if TYPE_CHECKING:
    from bedplate.problems import ProblemError

MAX_HEAD_BYTES = 64 * 1024
"""Bytes that may arrive in a row without a complete head, or without a byte of a body.

The limit is checked after each read (256 KiB at most).
"""

MAX_HEAD_SECONDS = 30.0
"""How long the head of a request may take from its first byte to its end."""

LINGER_SECONDS = 5.0
"""How long a connection stays open for the rest of a body that its response didn't wait for.

Closed at once, the client's kernel could throw the response away (RFC 9112, section 9.6).
"""

LINGER_BYTES = 8 * 1024 * 1024
"""How much of such a rest is taken, and thrown away."""

_ONE_HOST = "An HTTP/1.1 request has exactly one Host header (RFC 9112, section 3.2)."

DRAIN_HEAD_SECONDS = 1.0
"""How long a request's head may take to arrive on an open connection when the server drains."""

DRAIN_BODY_SECONDS = 5.0
"""In which time a part of a request's body has to arrive when the server drains."""

DRAIN_BODY_BYTES = 4096
"""How large that part has to be, unless the body ends: a slow client may go on, a stalled one not.

Otherwise it would hold the process until the deadline, and others' requests would be cut with it.
"""


def error_responses() -> ModuleType:
    """Return the module of the error responses: it imports FastAPI, so it is imported when used."""
    from bedplate.runtime import error_responses as module  # noqa: PLC0415 - a supervisor has none

    return module


class ConnectionState(ServerState):
    """The state that all connections of a server share, and how far it has drained.

    announce_close: responses say `Connection: close`.
    heads_until: the event loop's time until which heads of requests may still arrive.
    """

    announce_close = False
    heads_until = 0.0
    _text, _frame = "", b""

    def text_frame(self, text: str) -> bytes:
        """Return the frame of a text message, cached for a text that many clients get in a row."""
        if text is not self._text:
            frame = Frame(Opcode.TEXT, text.encode())
            self._text, self._frame = text, frame.serialize(mask=False)
        return self._frame


class _Ending:
    """The transport of a response: its `close` waits a little for a body that still arrives."""

    def __init__(self, transport: asyncio.Transport, close: Callable[[], None]) -> None:
        self.write = transport.write
        self.is_closing = transport.is_closing
        self.close = close


class DrainingHttpProtocol(HttpToolsProtocol):
    """HTTP/1.1; `shutdown` may be called again and again until the connection is gone.

    uvicorn's own resets a request when its connection is new, or when it has arrived unread.
    """

    server_state: ConnectionState
    _idle_bytes = 0
    _received_bytes = 0
    _drain_goal = 0
    _drain_until = 0.0
    _head_timer: asyncio.TimerHandle | None = None
    _in_body = False
    _resuming = False
    _keeps_alive_after_body = False
    _linger_bytes = 0
    _linger_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start a connection; the keep-alive timeout also applies before its first request."""
        super().connection_made(cast("asyncio.Transport", transport))
        self._extensions: dict[str, dict[object, object]] = {
            ABORT_EXTENSION: {"abort": self.transport.abort}
        }
        self._ending = cast("asyncio.Transport", _Ending(self.transport, self._close))
        self.timeout_keep_alive_task = self.loop.call_later(
            self.timeout_keep_alive, self.timeout_keep_alive_handler
        )

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._unset_keepalive_if_required()
        self._note_progress()
        if self._linger_timer is not None:
            self._linger_timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse the bytes, and bound those that complete neither a head nor a part of a body."""
        self._unset_keepalive_if_required()
        if self._linger_timer is not None:
            self._linger_bytes += len(data)
            if self._linger_bytes > LINGER_BYTES:
                self.transport.close()
            return
        self._idle_bytes += len(data)
        self._received_bytes += len(data)
        try:
            self._parse(data)
        except httptools.HttpParserError as error:
            reason = error.__context__  # what a callback raised
            not_http = error_responses().NotHTTP
            self._refuse(reason if isinstance(reason, not_http) else not_http())
        else:
            if self._idle_bytes:
                self._bound_head()
            if self._in_body:
                self._expect_early_response()

    def _parse(self, data: bytes) -> None:
        while True:  # a round for each offer of an upgrade in these bytes
            try:
                self.parser.feed_data(data)
            except httptools.HttpParserUpgrade as upgrade:
                if self._should_upgrade():
                    self.handle_websocket_upgrade()
                    return
                self._ignore_upgrade()
                data = data[upgrade.args[0] :]
            else:
                return

    def _should_upgrade(self) -> bool:
        # A handshake is a GET (RFC 6455, section 4.1).
        return self.scope["method"] == "GET" and super()._should_upgrade()

    def _ignore_upgrade(self) -> None:
        """Let the parser continue as if no upgrade had been offered (RFC 9110, section 7.8).

        The parser stops after the head, but a body may follow: Java's HttpClient sends one with
        `Upgrade: h2c`. A new parser reads a head with the same framing headers.
        """
        head = self.url, self.headers, self.scope, self.expect_100_continue
        framing = [
            name + b": " + value + b"\r\n"
            for name, value in self.headers
            if name in {b"content-length", b"transfer-encoding"}
        ]
        self.cycle.more_body = True
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn does
        self._resuming = True
        self.parser.feed_data(b"POST / HTTP/1.1\r\n" + b"".join(framing) + b"\r\n")
        self._resuming = False
        self.url, self.headers, self.scope, self.expect_100_continue = head

    def on_headers_complete(self) -> None:
        """Begin a request; its response says `Connection: close` when the server drains.

        Raises `NotHTTP` when it isn't clear which host is meant.
        """
        self._note_progress()
        if self._resuming:
            self._in_body = True
            return
        hosts = [value for name, value in self.headers if name == b"host"]
        if len(hosts) != 1 and (hosts or self.parser.get_http_version() != "1.0"):
            raise error_responses().NotHTTP(_ONE_HOST)
        self._in_body = True
        self.scope["extensions"] = self._extensions
        super().on_headers_complete()
        cycle = self._latest()
        if cycle is not None and cycle.scope is self.scope:  # no WebSocket
            cycle.transport = self._ending
        if self.server_state.announce_close:
            self.announce_close()

    def on_body(self, body: bytes) -> None:
        """Pass on a part of a body."""
        self._note_progress()
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Pass on the end of a body."""
        self._note_progress()
        self._in_body = False
        if self._keeps_alive_after_body:
            self._keeps_alive_after_body = False
            if not (self.cycle.response_started or self.server_state.announce_close):
                self.cycle.keep_alive = True
        super().on_message_complete()

    def _expect_early_response(self) -> None:
        """Let a response that doesn't wait for the end of the body close the connection."""
        cycle = self._latest()
        if cycle is not None and cycle.keep_alive and not cycle.response_started:
            cycle.keep_alive = False
            self._keeps_alive_after_body = True

    def _close(self) -> None:
        """Close after a response; when its request still arrives, discard the rest first."""
        if not self._in_body or self.pipeline:
            self.transport.close()
        elif self._linger_timer is None:
            self._linger_timer = self.loop.call_later(LINGER_SECONDS, self.transport.close)
            if self.transport.can_write_eof():
                self.transport.write_eof()

    def _note_progress(self) -> None:
        self._idle_bytes = 0
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _bound_head(self) -> None:
        """Refuse a head (or framing of a body) that is too large, and start to time a head."""
        if self._idle_bytes > MAX_HEAD_BYTES:
            sentence = f"A head may have at most {MAX_HEAD_BYTES} bytes."
            self._refuse(error_responses().HeadTooLarge(sentence))
        elif self._head_timer is None and not self._in_body:
            self._head_timer = self.loop.call_later(MAX_HEAD_SECONDS, self._refuse_late_head)

    def _refuse_late_head(self) -> None:
        sentence = f"A head may take at most {MAX_HEAD_SECONDS:g} seconds."
        self._refuse(error_responses().HeadTimeout(sentence))

    def _refuse(self, error: "ProblemError") -> None:
        """Answer with an error and close; wait for an earlier response that is under way."""
        if self.transport.is_closing():
            return
        cycle = self._latest()
        if cycle is not None and not cycle.response_complete and not self._in_body:
            self.flow.pause_reading()
            cycle.keep_alive = False
            return
        if cycle is None or cycle.response_complete or not cycle.response_started:
            headers = self.server_state.default_headers
            self.transport.write(error_responses().refusal(error, headers, self.client))
        self.transport.close()

    def announce_close(self) -> None:
        """Add `Connection: close` to the response under way (RFC 9112, section 9.6)."""
        cycle = self._latest()
        if cycle is not None and not cycle.response_complete:
            cycle.keep_alive = False

    def shutdown(self) -> None:
        """Close the connection when it is idle, else after the request under way."""
        if self._linger_timer is not None:
            self.transport.close()
        elif not self.transport.is_closing() and not self._request_arrives():
            if self._body_stalls():
                sentence = "The server stops, and the body didn't arrive in time."
                self._refuse(error_responses().BodyTimeout(sentence))
            else:
                super().shutdown()

    def _request_arrives(self) -> bool:
        poll = select.poll()
        poll.register(self.transport.get_extra_info("socket").fileno(), select.POLLIN)
        if poll.poll(0):
            return True
        cycle = self._latest()
        # The first request has not begun, or the head of the next one is incomplete.
        head_expected = cycle is None or cycle.scope is not self.scope
        return head_expected and self.loop.time() < self.server_state.heads_until

    def _body_stalls(self) -> bool:
        """Return whether the client owes a body, and too little of it has arrived of late."""
        now = self.loop.time()
        owed = (
            self._in_body
            and not self.pipeline
            and not self.flow.read_paused
            and not self.cycle.waiting_for_100_continue
        )
        if not owed or self._received_bytes >= self._drain_goal:
            self._drain_goal = self._received_bytes + DRAIN_BODY_BYTES
            self._drain_until = now + DRAIN_BODY_SECONDS
        return now > self._drain_until

    def _latest(self) -> RequestResponseCycle | None:
        return self.cycle  # None before the first request, whatever uvicorn's annotation says
