"""Answers of a real application are held against its contract."""

import json
from typing import Any

import httpx2
import pytest
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from bedplate.contracts import Contract
from bedplate.testing.client import Client
from bedplate.testing.conformance import ConformanceJudge, Judged

CONTENT = {"application/json": {"schema": {"type": "integer"}}}
FOUND = {"description": "The number.", "content": CONTENT}
BARE: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "Numbers", "version": "1"},
    "paths": {"/number": {"get": {"operationId": "getNumber", "responses": {"200": FOUND}}}},
}
OVERLAY: dict[str, Any] = {
    "overlay": "1.0.0",
    "info": {"title": "More", "version": "1"},
    "actions": [
        {"target": "$.paths[*].get.responses", "update": {"404": {"description": "None."}}},
        {"target": "$.paths", "update": {"/last": {"get": BARE["paths"]["/number"]["get"]}}},
        {"target": "$.paths['/last'].get", "update": {"operationId": "getLast"}},
    ],
}


def answering(response: Response) -> ASGIApp:
    """Return an application with one answer."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await response(scope, receive, send)

    return app


@pytest.mark.parametrize(
    ("path", "status", "body", "wrong"),
    [
        ("/number", 200, 7, []),
        ("/number", 200, "7", ["getNumber 200: body: '7' is not of type 'integer'"]),
        ("/number", 404, None, []),
        ("/number", 409, 7, ["getNumber 409: the contract documents no such status."]),
        ("/last", 200, True, ["getLast 200: body: True is not of type 'integer'"]),
        ("/elsewhere", 409, "7", []),
    ],
)
async def test_every_answer_is_judged(
    path: str, status: int, body: object, wrong: list[str]
) -> None:
    """The bare contract judges what it documents, its additions the rest; others are let be."""
    content = b"" if body is None else json.dumps(body).encode()
    app = answering(Response(content, status, media_type="application/json"))
    judged = Judged(app, ConformanceJudge(Contract(BARE, [OVERLAY])))
    async with Client(transport=httpx2.ASGITransport(judged), base_url="http://test") as client:
        for _ in range(2):
            answer = await client.get(path)
    assert (answer.status_code, answer.content) == (status, content)
    assert list(judged.violations) == wrong


async def test_another_content_type_is_wrong() -> None:
    """An answer in a format that the contract doesn't name is a violation."""
    app = answering(PlainTextResponse("7"))
    judged = Judged(app, ConformanceJudge(Contract(BARE)))
    async with Client(transport=httpx2.ASGITransport(judged), base_url="http://test") as client:
        await client.get("/number")
    assert list(judged.violations) == ["getNumber 200: the contract documents no text/plain."]
