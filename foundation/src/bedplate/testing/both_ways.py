"""Compares an application whose routes are compiled with the same one as plain FastAPI serves it.

What must not differ: status, headers and their order, bytes, where the body is cut into messages,
errors, and the order of all that the application notes.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from fastapi import FastAPI, routing

from bedplate.routing import compile_routes
from bedplate.testing.exchanges import Exchange, RawHeaders, RawRequest, Trace, exchange
from bedplate.testing.lifespan import running

MakeApp = Callable[[Trace], FastAPI]
"""Makes an application that notes its events. It is called once for each way."""


ANY_STATUS = 0
"""Of a request that may have any status, as long as it has the same both ways."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request, and the status that it is to have both ways; None: no answer at all."""

    status: int | None
    request: RawRequest


def asked(
    status: int | None,
    method: str,
    target: str,
    *headers: tuple[str, str],
    body: bytes | Sequence[bytes] = b"",
    **options: object,
) -> Asked:
    """Return a request with its status: `asked(404, "GET", "/notes/7", ("accept", "*/*"))`.

    A body in several parts is sent in several messages. `options` are those of `RawRequest`.
    """
    raw: RawHeaders = tuple((name.encode(), value.encode("latin-1")) for name, value in headers)
    chunks = (body,) if isinstance(body, bytes) else tuple(body)
    return Asked(status, RawRequest(method, target, raw, chunks, **options))  # type: ignore[arg-type]


class Cases(dict[str, tuple[MakeApp, tuple[Asked, ...]]]):
    """Small applications by name, each with the requests that are sent to it both ways."""

    def add(self, *requests: Asked) -> Callable[[MakeApp], MakeApp]:
        """Return a decorator that adds what makes an application, under its own name."""

        def add(make_app: MakeApp) -> MakeApp:
            if make_app.__name__ in self:
                raise ValueError(f"There are two cases {make_app.__name__}.")
            self[make_app.__name__] = make_app, requests
            return make_app

        return add


async def assert_same(make_app: MakeApp, requests: Sequence[Asked]) -> list[Exchange]:
    """Send requests, one after the other, both ways; return what came of them.

    Raises `AssertionError` at the first that differs, or that has another status than it is to.
    """
    # FastAPI keeps where an endpoint stands by its address, which may have been another's.
    routing._endpoint_context_cache.clear()  # noqa: SLF001
    plain_trace, compiled_trace = Trace(), Trace()
    plain, compiled = make_app(plain_trace), make_app(compiled_trace)
    compile_routes(compiled)
    exchanges = []
    async with running(plain) as plain_state, running(compiled) as compiled_state:
        for each in requests:
            expected = await exchange(plain, each.request, trace=plain_trace, state=plain_state)
            actual = await exchange(
                compiled, each.request, trace=compiled_trace, state=compiled_state
            )
            said = f"{each.request}\n"
            if expected != actual:
                raise AssertionError(said + difference(expected, actual))
            if each.status not in {ANY_STATUS, expected.status}:
                raise AssertionError(f"{said}{expected}")
            exchanges.append(expected)
    return exchanges


def difference(expected: Exchange, actual: Exchange) -> str:
    """Return what two exchanges differ in, for a person."""
    lines: list[str] = []
    for name in ("status", "headers", "body", "error", "events", "messages"):
        before, after = getattr(expected, name), getattr(actual, name)
        if before != after and not (name == "messages" and lines):
            lines.append(f"{name}\n  plain:    {before!r}\n  compiled: {after!r}")
    return "\n".join(lines)
