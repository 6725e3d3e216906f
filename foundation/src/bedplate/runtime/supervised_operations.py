"""The operations port of several workers: one answer made of all of theirs."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import httptools
import orjson
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from bedplate.lifecycle import Drain

ANSWER_SECONDS = 5.0
"""How long a worker may take to answer; longer than the checks behind /readyz may."""

OK = 200
NOT_FOUND = 404
SERVICE_UNAVAILABLE = 503

NOT_FORWARDED = frozenset((b"connection", b"content-length", b"host", b"transfer-encoding"))


@dataclass(kw_only=True)
class Answer:
    """What a worker said: its status, and its JSON or text."""

    status: int = SERVICE_UNAVAILABLE
    body: bytes = b""

    def content(self) -> object:
        """Return the JSON value of the body, or else its text."""
        try:
            value: object = orjson.loads(self.body)
        except orjson.JSONDecodeError:
            return self.body.decode(errors="replace")
        return value


class SupervisedOperations:
    """ASGI application: /healthz, /readyz and /statusz of all workers, /metrics summed up.

    /readyz and /statusz are 200 only when every worker says 200, and 503 else. The request's
    headers go to the workers, so they decide who sees details.
    """

    def __init__(
        self, drain: Drain, workers: Callable[[], Mapping[int, Path]], metrics_directory: Path
    ) -> None:
        self._drain = drain
        self._workers = workers
        self._metrics_directory = metrics_directory

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
                content = await asyncio.to_thread(sum_of_metrics, self._metrics_directory)
                return Response(content, media_type=CONTENT_TYPE_LATEST)
            case "/readyz" | "/statusz":
                return await self._ask_all(scope)
        return PlainTextResponse("Not Found", NOT_FOUND)

    async def _ask_all(self, scope: Scope) -> Response:
        workers = self._workers()
        answers = await asyncio.gather(*(_ask(path, scope) for path in workers.values()))
        good = not self._drain.draining and all(answer.status == OK for answer in answers)
        content = {
            "status": "ok" if good else "unavailable",
            "workers": [
                {"worker": number, "status": answer.status, "answer": answer.content()}
                for number, answer in zip(workers, answers, strict=True)
            ],
        }
        return _json(OK if good else SERVICE_UNAVAILABLE, content)


def _json(status: int, content: object) -> Response:
    headers = {"cache-control": "no-store"}
    return Response(orjson.dumps(content), status, headers, media_type="application/json")


async def _ask(path: Path, scope: Scope) -> Answer:
    """Return what the worker on that Unix socket answers; a 503 when it does not."""
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            return await _exchange(path, _request(scope))
    except (OSError, TimeoutError, httptools.HttpParserError):
        return Answer()


def _request(scope: Scope) -> bytes:
    target = scope["path"].encode() + (b"?" + scope["query_string"]).rstrip(b"?")
    lines: Iterable[bytes] = (
        name + b": " + value for name, value in scope["headers"] if name not in NOT_FORWARDED
    )
    head = (b"GET " + target + b" HTTP/1.1", b"host: worker", b"connection: close", *lines)
    return b"\r\n".join(head) + b"\r\n\r\n"


async def _exchange(path: Path, request: bytes) -> Answer:
    reader, writer = await asyncio.open_unix_connection(path)
    try:
        writer.write(request)
        return _parse(await reader.read())
    finally:
        writer.close()


def _parse(response: bytes) -> Answer:
    answer = Answer()
    collector = _Body(answer)
    parser = httptools.HttpResponseParser(collector)
    parser.feed_data(response)
    if not collector.complete:
        return Answer()
    answer.status = parser.get_status_code()
    return answer


class _Body:
    """Takes what httptools finds in a response."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self.complete = False

    def on_body(self, body: bytes) -> None:
        self._answer.body += body

    def on_message_complete(self) -> None:
        self.complete = True


def sum_of_metrics(directory: Path) -> bytes:
    """Return the metrics of all workers, dead ones included, in Prometheus' text format."""
    registry = CollectorRegistry()
    MultiProcessCollector(registry, path=str(directory))  # type: ignore[no-untyped-call]
    return generate_latest(registry)


def forget_gauges(pid: int, directory: Path) -> None:
    """Remove what only a living process can mean: the `live…` gauges of a dead one."""
    mark_process_dead(pid, str(directory))  # type: ignore[no-untyped-call]
