"""Calls to another backend: answers, refusals, bounds, repetitions, a bad network."""

import asyncio
import gzip
from collections.abc import Callable
from typing import Any

import pytest
from fastapi import Response
from fastapi.responses import JSONResponse, RedirectResponse
from opentelemetry import propagate, trace  # noqa: F401 - as FastAPI imports both
from structlog.contextvars import bound_contextvars

from bedplate.clients import UpstreamRefused, UpstreamUnavailable
from bedplate.clients.client import MAX_PAUSE_SECONDS, ServiceClient, pause
from bedplate.observability.logs import EventDict
from bedplate.testing.proxy import FaultProxy

Connect = Callable[..., ServiceClient]

LONG = 20.0


async def test_json_goes_there_and_back(connect: Connect, other: Any) -> None:
    """Query and body arrive, and the answer comes back as JSON; no body is None."""
    client = connect()
    assert await client.get("/echo", a=1, b="ä b") == {
        "query": {"a": "1", "b": "ä b"},
        "body": None,
    }
    body = {"text": "Wörter", "number": 2**60, "list": [None, True, 1.5]}
    assert (await client.post("/echo", body))["body"] == body
    other.answers = [Response(status_code=204)]
    assert await client.get("/echo") is None


async def test_the_request_id_goes_along(connect: Connect, other: Any) -> None:
    """The other side gets the id of the request that is being served, if one is."""
    client = connect()
    with bound_contextvars(request_id="abc-1"):
        await client.get("/echo")
    await client.get("/echo")
    sent = [request.headers.get("x-request-id") for request in other.requests]
    assert sent == ["abc-1", None]


async def test_the_trace_goes_along(connect: Connect, other: Any) -> None:
    """The other side continues the trace of the request that is being served, if one is traced."""
    client = connect()
    span = trace.NonRecordingSpan(trace.SpanContext(0xABC, 0xDEF, is_remote=True))
    with trace.use_span(span):
        await client.get("/echo")
    await client.get("/echo")
    sent = [request.headers.get("traceparent") for request in other.requests]
    assert sent == [f"00-{0xABC:032x}-{0xDEF:016x}-00", None]


async def test_a_cookie_of_one_answer_is_not_sent_with_the_next_call(
    connect: Connect, other: Any
) -> None:
    """Calls for different users share the client: what one's answer sets is never another's."""
    client = connect()
    setting = JSONResponse(None)
    setting.set_cookie("session", "of-ada")
    other.answers = [setting]
    await client.get("/echo")
    await client.call("GET", "/echo", headers={"Authorization": "Bearer of-grace"})
    sent = other.requests[1].headers
    assert (sent.get("cookie"), sent["authorization"]) == (None, "Bearer of-grace")


async def test_null_can_be_told_from_no_body(connect: Connect, other: Any) -> None:
    """Where `null` has a meaning, an answer without a body can't be used."""
    client = connect()
    other.answers = [JSONResponse(None)]
    assert await client.call("GET", "/echo", body_required=True) is None
    other.answers = [Response(status_code=204)]
    with pytest.raises(UpstreamUnavailable):
        await client.call("GET", "/echo", body_required=True)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (JSONResponse({"message": "No such script."}, 404), "No such script."),
        (JSONResponse({"detail": "There is none."}, 404), "There is none."),
        (JSONResponse({"detail": [1]}, 404), None),
        (JSONResponse([], 404), None),
        (Response("Not here", 404), None),
    ],
)
async def test_a_refusal_says_why(
    connect: Connect, other: Any, answer: Response, reason: str | None
) -> None:
    """A 4xx is raised with its status and its sentence, and isn't tried again."""
    other.answers = [answer]
    with pytest.raises(UpstreamRefused) as refusal:
        await connect().get("/echo")
    assert (refusal.value.answered, refusal.value.reason) == (404, reason)
    assert refusal.value.status == 503
    assert len(other.requests) == 1


@pytest.mark.parametrize("status", [502, 503, 504])
async def test_what_passes_is_tried_again(connect: Connect, other: Any, status: int) -> None:
    """A call that may be repeated gets the answer of a later attempt."""
    client = connect()
    other.answers = [Response(status_code=status), Response(status_code=status)]
    assert (await client.get("/echo"))["body"] is None
    other.answers = [Response(status_code=status)]
    assert (await client.post("/echo", 1, repeatable=True))["body"] == 1
    other.answers = [Response(status_code=status)]
    assert (await client.call("PUT", "/echo", body=2))["body"] == 2
    assert len(other.requests) == 7


async def test_what_may_not_be_repeated_is_not(connect: Connect, other: Any) -> None:
    """A POST is not sent a second time on a 503, nor anything on a 500 or 429."""
    client = connect()
    other.answers = [
        Response(status_code=503),
        Response(status_code=500),
        Response(status_code=429),
    ]
    with pytest.raises(UpstreamUnavailable):
        await client.post("/echo", 1)
    for _ in range(2):
        with pytest.raises(UpstreamUnavailable):
            await client.get("/echo")
    assert len(other.requests) == 3


@pytest.mark.parametrize(
    ("sent", "passed_on"),
    [("7", 7), ("0", 1), ("99999999999", 60), ("soon", 2), ("-1", 2)],
)
@pytest.mark.parametrize("header", ["Retry-After", "X-Retry-After"])
async def test_attempts_are_bounded(
    connect: Connect,
    other: Any,
    captured_logs: list[EventDict],
    header: str,
    sent: str,
    passed_on: int,
) -> None:
    """After the last it is a 503 that passes a sensible Retry-After on, and one log line."""
    answers = [Response(status_code=503, headers={header: sent}) for _ in range(9)]
    other.answers = answers
    with pytest.raises(UpstreamUnavailable) as failure:
        await connect(attempts=3).get("/echo")
    assert failure.value.headers == {"Retry-After": str(passed_on)}
    assert failure.value.detail == "other can't be used just now; try again."
    assert len(other.requests) == 3
    logged = [log for log in captured_logs if log["event"] == "upstream_unavailable"]
    assert [(item["service"], item["reason"], item["attempts"]) for item in logged] == [
        ("other", "status 503", 3)
    ]


@pytest.mark.parametrize(
    "answer",
    [
        Response("<html>", media_type="text/html"),
        Response(b'{"a": 1'),
        Response(b"NaN"),
        RedirectResponse("/elsewhere"),
        Response(gzip.compress(b"{}"), headers={"Content-Encoding": "gzip"}),
        Response(b" " * 1001),
    ],
)
async def test_an_answer_that_is_none_is_a_503(
    connect: Connect, other: Any, answer: Response
) -> None:
    """What is not JSON, encoded unasked, too large, or leads elsewhere can't be used."""
    other.answers = [answer]
    with pytest.raises(UpstreamUnavailable) as failure:
        await connect(max_answer_bytes=1000).get("/echo")
    assert not isinstance(failure.value, UpstreamRefused)
    assert len(other.requests) == 1


async def test_the_largest_answer_is_read(connect: Connect, other: Any) -> None:
    """An answer of exactly the bound is taken."""
    other.answers = [Response(b'"' + b"x" * 998 + b'"')]
    assert await connect(max_answer_bytes=1000).get("/echo") == "x" * 998


async def test_a_slow_answer_is_a_503(connect: Connect, other: Any) -> None:
    """Each attempt ends when its time is up; when the other is quick again, all is well."""
    other.go_on.clear()
    client = connect(timeout=0.5, attempts=2)
    with pytest.raises(UpstreamUnavailable):
        await client.get("/echo")
    with pytest.raises(UpstreamUnavailable):
        await client.post("/echo", 1)
    assert len(other.requests) == 3
    other.go_on.set()
    assert await ServiceClient.get(connect(), "/echo") == {"query": {}, "body": None}


async def test_who_stops_waiting_stops_the_work_in_process(near: Connect, other: Any) -> None:
    """When the caller is cancelled, what runs for it in this process is cancelled too."""
    other.go_on.clear()
    async with asyncio.timeout(LONG):
        waiting = asyncio.create_task(near().get("/echo"))
        await other.arrived.wait()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
    assert other.cancelled == 1


async def test_a_refused_connection_is_tried_again(
    far: Connect, other: Any, proxy: FaultProxy
) -> None:
    """Nothing was sent, so even a POST is tried again, and arrives once when the other is back."""
    await proxy.refuse()
    async with asyncio.timeout(LONG):
        calling = asyncio.create_task(far(attempts=30).post("/echo", 1))
        await asyncio.sleep(0.05)
        assert not calling.done()
        await proxy.heal()
        assert (await calling)["body"] == 1
    assert len(other.requests) == 1


async def test_a_refused_connection_is_a_503(far: Connect, other: Any, proxy: FaultProxy) -> None:
    """While the other is down every call is a 503; the first one afterwards succeeds."""
    client = far(attempts=2)
    await client.get("/echo")
    await proxy.refuse()
    async with asyncio.timeout(LONG):
        for _ in range(2):
            with pytest.raises(UpstreamUnavailable):
                await client.get("/echo")
    await proxy.heal()
    await client.post("/echo", 1)
    assert len(other.requests) == 2


async def test_a_hanging_network_is_a_503(far: Connect, other: Any, proxy: FaultProxy) -> None:
    """While nothing comes through, every call ends in bounded time; then all is well again."""
    client = far(timeout=1.0, attempts=2)
    await client.get("/echo")
    await proxy.hang()
    async with asyncio.timeout(LONG):
        calls = [client.get("/echo") for _ in range(10)]
        results = await asyncio.gather(*calls, return_exceptions=True)
    assert {type(result) for result in results} == {UpstreamUnavailable}
    await proxy.heal()
    await client.post("/echo", 1)


async def test_a_connection_that_is_cut(far: Connect, other: Any, proxy: FaultProxy) -> None:
    """A call whose connection is cut is sent again if that is safe, else it is a 503."""
    other.go_on.clear()
    async with asyncio.timeout(LONG):
        reading = asyncio.create_task(far().get("/echo"))
        await other.arrived.wait()
        other.arrived.clear()
        await proxy.cut()
        await other.arrived.wait()
        other.go_on.set()
        assert (await reading)["body"] is None
        other.go_on.clear()
        other.arrived.clear()
        writing = asyncio.create_task(far().post("/echo", 1))
        await other.arrived.wait()
        await proxy.cut()
        with pytest.raises(UpstreamUnavailable):
            await writing
    assert len(other.requests) == 3


async def test_an_idle_connection_that_was_cut_harms_nobody(
    far: Connect, other: Any, proxy: FaultProxy
) -> None:
    """A kept connection that the other side closed is replaced, and the POST arrives once."""
    client = far()
    await client.get("/echo")
    await proxy.cut()
    await client.post("/echo", 1, repeatable=True)
    assert other.requests[-1].method == "POST"


def test_pauses_are_random_and_bounded() -> None:
    """The bound doubles up to a longest pause, and two pauses differ."""
    for attempt, bound in ((1, 0.1), (2, 0.2), (3, 0.4), (50, MAX_PAUSE_SECONDS)):
        pauses = {pause(attempt) for _ in range(20)}
        assert len(pauses) == 20
        assert all(0 <= item < bound for item in pauses)
