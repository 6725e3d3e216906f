"""Serves each request by two applications that ought to do the same, and compares what they do."""

import asyncio
import re
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, closing
from contextvars import ContextVar
from dataclasses import replace
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

from bedplate import ids
from bedplate.testing.both_ways import difference
from bedplate.testing.clock import SettableClock
from bedplate.testing.contracts import schemathesis_failures
from bedplate.testing.exchanges import Exchange, RawRequest, exchange
from bedplate.testing.lifespan import running
from bedplate.testing.oddities import odd_variants

Normalise = Callable[[Exchange], Exchange]
"""Replaces what differs by design."""

_MAX_DIFFERENCES = 20
_LEAST_ODD = 500
_ACCEPTED = 202
_WORK_SECONDS = 10.0
_POLL_SECONDS = 0.005
_randomness: ContextVar[Random] = ContextVar("_randomness")
"""That of the request which is served, or of what runs beside requests in one application."""


class Mirrored:
    """An ASGI application that sends each request to two others, and answers as the first does.

    Both see the same time, which passes by a second with each request, and draw the same random
    ids. Work that one accepts (202) has ended before the next request. They start from equal states
    that they don't share: each needs a database of its own.

    compared      how many requests were
    differences   what was different: the request, then both answers
    """

    def __init__(
        self,
        plain: ASGIApp,
        compiled: ASGIApp,
        *,
        normalise: Normalise = lambda each: each,
    ) -> None:
        """Take two applications, and what replaces that which differs by design."""
        self._apps = (plain, compiled)
        self._states: tuple[Mapping[str, Any], ...] = ({}, {})
        self._normalise = normalise
        self._clock = SettableClock()
        self._turn = asyncio.Lock()
        self._kinds: dict[object, RawRequest] = {}
        self.compared = 0
        self.statuses: dict[int | None, int] = {}
        self.differences: list[str] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection, or run both lifespans."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        chunks = []
        while True:
            message = await receive()
            chunks.append(message.get("body", b""))
            if not message.get("more_body"):
                break
        raw = scope.get("raw_path") or scope["path"].encode()
        query = scope["query_string"].decode("latin-1")
        request = RawRequest(
            method=scope["method"],
            target=raw.partition(b"?")[0].decode("latin-1") + (f"?{query}" if query else ""),
            headers=tuple((bytes(name), bytes(value)) for name, value in scope["headers"]),
            chunks=tuple(chunks),
        )
        for message in (await self.compare(request)).messages:
            await send(message)

    async def compare(self, request: RawRequest) -> Exchange:
        """Send one request to both; return the answer of the first."""
        async with self._turn:
            self.compared += 1
            self._clock.advance(seconds=1)
            exchanges = [
                self._normalise(await self._send(request, app, state))
                for app, state in zip(self._apps, self._states, strict=True)
            ]
            for each, app, state in zip(exchanges, self._apps, self._states, strict=True):
                if each.status == _ACCEPTED:
                    await self._wait(each, request, app, state)
        expected, actual = exchanges
        self.statuses[expected.status] = self.statuses.get(expected.status, 0) + 1
        if expected != actual and len(self.differences) < _MAX_DIFFERENCES:
            self.differences.append(f"{request}\n{difference(expected, actual)}")
        shape = re.sub(r"[0-9a-f-]{8,}|\d+", "N", request.target.partition("?")[0])
        if shape.count("/") == len(re.findall(r"/[\w.~:-]+", shape)):
            self._kinds.setdefault((request.method, shape, expected.status), request)
        return expected

    async def compare_odd_ones(self, limit: int | None = None) -> None:
        """Send odd variants of one request of each kind that was sent: all, or at most `limit`.

        A kind is a method, the form of a path, and a status.
        """
        odd = [each for request in self._kinds.values() for each in odd_variants(request)]
        if limit is not None and limit < len(odd):
            chosen = Random(0).sample(range(len(odd)), limit)  # noqa: S311 - the same each time
            odd = [odd[each] for each in sorted(chosen)]
        for request in odd:
            await self.compare(request)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run both lifespans, with the clock and the ids that both share."""
        previous = ids.use(lambda size: _randomness.get().randbytes(size))
        try:
            async with AsyncExitStack() as stack:
                stack.enter_context(self._clock)
                states = []
                for app in self._apps:
                    # Its tasks get a copy of the context, and so a source of their own.
                    _randomness.set(Random(0))  # noqa: S311 - tests want the same ids each time
                    states.append(await stack.enter_async_context(running(app)))
                self._states = tuple(states)
                yield
        finally:
            ids.use(previous)

    async def _send(self, request: RawRequest, app: ASGIApp, state: Mapping[str, Any]) -> Exchange:
        token = _randomness.set(Random(self.compared))  # noqa: S311
        try:
            return await exchange(app, request, state=state)
        finally:
            _randomness.reset(token)

    async def _wait(
        self, accepted: Exchange, request: RawRequest, app: ASGIApp, state: Mapping[str, Any]
    ) -> None:
        """Wait until accepted work (202) has ended, as its Location says."""
        location = dict(accepted.headers).get(b"location", b"").decode("latin-1")
        headers = tuple(each for each in request.headers if not each[0].startswith(b"content-"))
        look = RawRequest("GET", location, headers)
        ends = time.monotonic() + _WORK_SECONDS
        while location and time.monotonic() < ends:
            if b'"running"' not in (await self._send(look, app, state)).body:
                return
            await asyncio.sleep(_POLL_SECONDS)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        async with self.running():
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await send({"type": "lifespan.shutdown.complete"})


def normalising(*patterns: str, headers: Iterable[str] = ()) -> Normalise:
    """Return what replaces the parts of bodies that match regular expressions, and some headers.

    The length of a body that is changed is replaced, too.
    """
    wanted = [re.compile(each.encode()) for each in patterns]
    replaced = {each.encode() for each in headers}

    def normalise(exchange: Exchange) -> Exchange:
        body = exchange.body
        for each in wanted:
            body = each.sub(b"*", body)
        names = replaced if body == exchange.body else {*replaced, b"content-length"}
        if not exchange.messages or not names:
            return exchange
        start, *parts = exchange.messages
        kept = [(name, b"*" if name in names else value) for name, value in start["headers"]]
        sent = (
            {**start, "headers": kept},
            *({**each, "body": b"", "more_body": True} for each in parts),
        )
        return replace(exchange, messages=(*sent, {"type": "http.response.body", "body": body}))

    return normalise


def copy_sqlite(url: str, name: str = "mirrored") -> str:
    """Copy a SQLite database to a file beside it, and return the URL of the copy."""
    prefix, _, path = url.partition(":///")
    target = Path(path).with_name(f"{name}.db")
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(target)) as copy:
        source.backup(copy)
    return f"{prefix}:///{target}"


async def assert_mirrored(
    mirrored: Mirrored,
    headers: Mapping[str, str],
    *,
    configuration: Path,
    examples: int,
    requests: int | None = None,
    binary: Iterable[str] = (),
) -> None:
    """Send what Schemathesis generates, and odd variants. Raises AssertionError for a difference.

    examples    requests per operation and phase
    requests    as many must be compared, at least; None: all odd variants

    `headers`, `configuration` and `binary` are those of `schemathesis_failures`.
    """
    await asyncio.to_thread(
        partial(schemathesis_failures, mirrored, headers),
        configuration=configuration,
        examples=examples,
        binary=binary,
    )
    generated = mirrored.compared
    async with mirrored.running():
        await mirrored.compare_odd_ones(requests and max(requests - generated, _LEAST_ODD))
    if mirrored.differences:
        raise AssertionError("\n\n".join(mirrored.differences))
    if mirrored.compared < (requests or 0):
        raise AssertionError(f"{generated} generated requests, {mirrored.compared} in all: few.")
