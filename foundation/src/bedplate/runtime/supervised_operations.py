"""The operations port of several workers: one answer made of all of theirs."""

import asyncio
from collections.abc import Iterable, Mapping
from pathlib import Path

import orjson
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from bedplate.lifecycle import Drain
from bedplate.runtime import merged_metrics
from bedplate.runtime.forwarded_client import HEADER, forwarded_client
from bedplate.runtime.inquiry import SERVICE_UNAVAILABLE, Answer, ask

ANSWER_SECONDS = 5.0
"""How long a worker may take to answer; longer than the checks behind /readyz may."""

OK = 200
NOT_FOUND = 404

NOT_FORWARDED = frozenset(
    (b"accept-encoding", b"connection", b"content-length", b"host", b"transfer-encoding", HEADER)
)


class SupervisedOperations:
    """ASGI application: /healthz, /readyz, /statusz and /metrics of all workers.

    workers: where each worker serves its operations application, by the worker's number.

    /readyz and /statusz are 200 only when every worker says 200, and 503 else. The workers get the
    request's headers and client, so they decide who sees details. /metrics shows every worker that
    answers in time, told apart by the label `worker`.
    """

    def __init__(
        self, drain: Drain, workers: Mapping[int, Path], *, answer_seconds: float = ANSWER_SECONDS
    ) -> None:
        self._drain = drain
        self._workers = workers
        self._answer_seconds = answer_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        response = await self._respond(scope)
        await response(scope, receive, send)

    async def _respond(self, scope: Scope) -> Response:
        match scope["path"]:
            case "/healthz":
                return _json(OK, {"status": "ok"})
            case "/metrics":
                return await self._metrics(scope)
            case "/readyz" | "/statusz":
                return await self._states(scope)
        return PlainTextResponse("Not Found", NOT_FOUND)

    async def _states(self, scope: Scope) -> Response:
        headers = [header for header in scope["headers"] if header[0] not in NOT_FORWARDED]
        answers = await self._ask_all(scope, [*headers, forwarded_client(scope)])
        good = not self._drain.draining and all(answer.status == OK for answer in answers.values())
        content = {
            "status": "ok" if good else "unavailable",
            "workers": [
                {"worker": number, "status": answer.status, "answer": _content(answer)}
                for number, answer in answers.items()
            ],
        }
        return _json(OK if good else SERVICE_UNAVAILABLE, content)

    async def _metrics(self, scope: Scope) -> Response:
        answers = await self._ask_all(scope, ())  # without Accept: plain text, not compressed
        found = {n: answer.body.decode() for n, answer in answers.items() if answer.status == OK}
        content = await asyncio.to_thread(merged_metrics.merge, found)
        status = OK if found else SERVICE_UNAVAILABLE
        return Response(content, status, {"content-type": merged_metrics.CONTENT_TYPE})

    async def _ask_all(
        self, scope: Scope, headers: Iterable[tuple[bytes, bytes]]
    ) -> dict[int, Answer]:
        target = scope["path"].encode() + b"?" + scope["query_string"]
        questions = (
            ask(path, target, headers, seconds=self._answer_seconds)
            for path in self._workers.values()
        )
        return dict(zip(self._workers, await asyncio.gather(*questions), strict=True))


def _json(status: int, content: object) -> Response:
    headers = {"cache-control": "no-store"}
    return Response(orjson.dumps(content), status, headers, media_type="application/json")


def _content(answer: Answer) -> object:
    """Return the JSON value of an answer, or else its text."""
    try:
        value: object = orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        return answer.body.decode(errors="replace")
    return value
