"""A provider that is worse than broken: endless text, redirects, and text that isn't text."""

import gzip
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from bedplate.testing.client import Client
from bedplate.testing.problems import ProblemOf

Answer = Callable[[Any], Awaitable[None]]

CHAT = "/api/v1/openai/chat"
INSIGHTS = "/api/v1/audits/insights"
MEGABYTE = 1 << 20


def response(text: object, **changes: Any) -> dict[str, Any]:
    """Return an answer of the Responses API with this text."""
    content = {"type": "output_text", "text": text, "annotations": []}
    message = {"id": "m", "type": "message", "role": "assistant", "content": [content]}
    whole = {"id": "r", "object": "response", "created_at": 1, "model": "m\nodel\x00"}
    return {**whole, "status": "completed", "output": [message], **changes}


def answering(body: Any, status: int = 200, **headers: str) -> Answer:
    """Return an answer with JSON."""

    async def answer(exchange: Any) -> None:
        await exchange.json(status, body, **headers)

    return answer


async def events_unasked(exchange: Any) -> None:
    """Answer with events where JSON was asked for."""
    await exchange.events({"type": "response.output_text.delta", "delta": "x"})


def insights_text(**changes: Any) -> str:
    """Return a reading as the model writes it."""
    return json.dumps({"summary": "s", "risk": "low", "anomalies": [], **changes})


BOMB = gzip.compress(b'{"a": "' + b"x" * (64 * MEGABYTE) + b'"}')


@pytest.mark.parametrize(
    "answer",
    [
        events_unasked,
        answering(response("\ud800")),
        answering(response(5)),
        answering(response(None)),
        answering(response("x", output=None)),
        answering(response("x", output=[5])),
        answering(response("x", output=[{"type": "message", "content": [None]}])),
        answering(response("x", output=[{"type": "message", "content": 5}])),
        answering(b"null"),
        answering(b"[]"),
        answering(b'"x"'),
        answering(b"[" * 100_000),
        answering(b'{"output": ' + b"[" * 100_000),
        answering(BOMB, content_encoding="gzip"),
        answering(b"no gzip", content_encoding="gzip"),
        answering(b" " * (16 * MEGABYTE)),
        answering(b"{}", content_type="text/event-stream"),
    ],
    ids=lambda answer: getattr(answer, "__name__", ""),
)
@pytest.mark.parametrize("path", [CHAT, INSIGHTS])
@pytest.mark.parametrize("stream", [False, True])
async def test_an_answer_that_is_none_is_a_502(
    reading: Client, provider: Any, problem_of: ProblemOf, answer: Answer, path: str, stream: bool
) -> None:
    """Whatever the provider sends, a client gets a problem document, or an event that says so."""
    provider.answers = [answer]
    body = {"message": "m"} if path == CHAT else {}
    with reading.expecting(502):
        refused = await reading.post(path, json={**body, "stream": stream})
    if refused.status_code == 200 and stream:
        assert "event: error" in refused.text
        return
    problem_of(refused, 502)


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        '{"summary": "s", "risk": "low", "anomalies": ' + "[" * 5000 + "]" * 5000 + "}",
        insights_text(summary="\ud800"),
        insights_text(anomalies=[{"record_ids": 5, "explanation": "", "severity": "low"}]),
        insights_text(anomalies=[{"record_ids": {}, "explanation": 5, "severity": "low"}]),
        insights_text(summary=10**400),
        "NaN",
        "9" * 5000,
    ],
)
async def test_a_reading_that_is_none_is_a_502(
    reading: Client, provider: Any, problem_of: ProblemOf, text: str
) -> None:
    """Deep JSON, half characters and wrong types in the model's text."""
    provider.answers = [answering(response(text))]
    with reading.expecting(502):
        refused = await reading.post(INSIGHTS, json={})
    problem = problem_of(refused, 502)
    assert problem["code"] == "language_model_answer_broken"


async def test_a_redirect_is_not_followed(
    reading: Client, provider: Any, problem_of: ProblemOf
) -> None:
    """What is sent stays with the provider of the settings."""
    elsewhere = f"http://localhost:{provider.port}/elsewhere"
    provider.answers = [answering({}, 307, location=elsewhere), answering(response("x"))]
    with reading.expecting(503):
        problem_of(await reading.post(CHAT, json={"message": "m"}), 503)
    assert len(provider.requests) == 1
