"""uvicorn's HTTP/1.1, taught to bound heads, and to leave no request unanswered when it leaves."""

import asyncio
import select
from typing import cast

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from bedplate.problems import ProblemError
from bedplate.runtime.connection_state import ConnectionState
from bedplate.runtime.error_responses import HeadTooLarge, HeadTooLate, NotHTTP, refusal

MAX_HEAD_BYTES = 64 * 1024
"""Bytes that may come in a row without a complete head, or without a byte of a body.

What is read at once (256 KiB at most) is judged at its end.
"""

SLOWEST_HEAD_SECONDS = 30.0
"""How long the head of a request may take from its first bytes to its end."""

HEAD_SECONDS = 1.0
"""How long the head of a request may take to arrive on an open connection when the server closes.

A new connection has that time to send its first request.
"""


class DrainingHttpProtocol(HttpToolsProtocol):
    """HTTP/1.1; `shutdown` may be called again and again until the connection is gone.

    uvicorn's own closes a connection that has not sent its first request yet, or whose next
    request has arrived but was not read: that request would be reset.
    """

    server_state: ConnectionState
    _idle_bytes = 0
    _head_timer: asyncio.TimerHandle | None = None
    _in_body = False
    _resuming = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take a connection over; it may be idle before its first request as long as later."""
        super().connection_made(cast("asyncio.Transport", transport))
        self.timeout_keep_alive_task = self.loop.call_later(
            self.timeout_keep_alive, self.timeout_keep_alive_handler
        )

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._unset_keepalive_if_required()
        self._note_progress()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse what came, and bound what comes in a row without completing anything."""
        self._unset_keepalive_if_required()
        self._idle_bytes += len(data)
        try:
            self._parse(data)
        except httptools.HttpParserError:
            self._refuse(NotHTTP())
        else:
            if self._idle_bytes:
                self._bound_head()

    def _parse(self, data: bytes) -> None:
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            if self._should_upgrade():
                self.handle_websocket_upgrade()
            else:
                self._ignore_upgrade(data[upgrade.args[0] :])

    def _should_upgrade(self) -> bool:
        # A handshake is a GET (RFC 6455, section 4.1).
        return self.scope["method"] == "GET" and super()._should_upgrade()

    def _ignore_upgrade(self, rest: bytes) -> None:
        """Go on as if no upgrade had been offered (RFC 9110, section 7.8).

        The parser takes the end of the head for the end of HTTP, but a body may follow: Java's
        HttpClient sends one with `Upgrade: h2c`. A new parser is told how the body is framed.
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
        if rest:
            self._parse(rest)

    def on_headers_complete(self) -> None:
        """Begin a request; its response says `Connection: close` when the server is leaving."""
        self._note_progress()
        self._in_body = True
        if self._resuming:
            return
        super().on_headers_complete()
        if self.server_state.announce_close:
            self.announce_close()

    def on_body(self, body: bytes) -> None:
        """Hand on a part of a body."""
        self._note_progress()
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Hand on the end of a body."""
        self._note_progress()
        self._in_body = False
        super().on_message_complete()

    def _note_progress(self) -> None:
        self._idle_bytes = 0
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _bound_head(self) -> None:
        """Refuse a head (or what frames a body) that is too large, and begin to time a head."""
        if self._idle_bytes > MAX_HEAD_BYTES:
            self._refuse(HeadTooLarge(f"A head may have at most {MAX_HEAD_BYTES} bytes."))
        elif self._head_timer is None and not self._in_body:
            late = HeadTooLate(f"A head may take at most {SLOWEST_HEAD_SECONDS:g} seconds.")
            self._head_timer = self.loop.call_later(SLOWEST_HEAD_SECONDS, self._refuse, late)

    def _refuse(self, error: ProblemError) -> None:
        """Answer with an error and close; where an earlier answer is under way, close after it."""
        if self.transport.is_closing():
            return
        cycle = self._latest()
        if cycle is not None and not cycle.response_complete and not self._in_body:
            self.flow.pause_reading()
            cycle.keep_alive = False
            return
        if cycle is None or cycle.response_complete or not cycle.response_started:
            headers = self.server_state.default_headers
            self.transport.write(refusal(error, headers, self.client))
        self.transport.close()

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
