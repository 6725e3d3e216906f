"""The operations port of several workers: one response made of all of theirs."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import orjson
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.core import Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector
from prometheus_client.samples import Sample
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from bedplate.lifecycle import Drain
from bedplate.runtime.worker_socket import (
    CLIENT_HEADER,
    SERVICE_UNAVAILABLE,
    WorkerResponse,
    forwarded_client,
    request_worker,
)

ANSWER_SECONDS = 5.0
"""How long a worker may take to answer; longer than the checks behind /readyz may."""

OK = 200
_NO_STORE = {"cache-control": "no-store"}
_NOT_FORWARDED = {CLIENT_HEADER, b"accept-encoding", b"connection", b"host"}
_NOT_FORWARDED |= {b"content-length", b"transfer-encoding"}


@dataclass
class SupervisedOperations:
    """ASGI application: /healthz, /readyz, /statusz and /metrics of all workers.

    workers: the socket of each worker's operations application, by the worker's number.

    /readyz and /statusz are 200 when every worker says 200, else 503. The workers get the request's
    headers and client, so they decide who sees details. /metrics shows every worker that answers in
    time, with its number in the label `worker`.
    """

    drain: Drain
    workers: Mapping[int, Path]
    answer_seconds: float = ANSWER_SECONDS

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        response: Response = PlainTextResponse("Not Found", 404)
        match scope["path"]:
            case "/healthz":
                response = JSONResponse({"status": "ok"}, headers=_NO_STORE)
            case "/metrics":
                response = await self._metrics(scope)
            case "/readyz" | "/statusz":
                response = await self._states(scope)
        await response(scope, receive, send)

    async def _states(self, scope: Scope) -> Response:
        headers = [header for header in scope["headers"] if header[0] not in _NOT_FORWARDED]
        responses = await self._ask_all(scope, [*headers, forwarded_client(scope)])
        ok = not self.drain.draining and all(r.status == OK for r in responses.values())
        content = {
            "status": "ok" if ok else "unavailable",
            "workers": [
                {"worker": number, "status": response.status, "answer": _content(response.body)}
                for number, response in responses.items()
            ],
        }
        return JSONResponse(content, OK if ok else SERVICE_UNAVAILABLE, _NO_STORE)

    async def _metrics(self, scope: Scope) -> Response:
        responses = await self._ask_all(scope, ())  # without Accept: plain text, not compressed
        texts = {n: r.body.decode() for n, r in responses.items() if r.status == OK}
        content = await asyncio.to_thread(merge_metrics, texts)
        status = OK if texts else SERVICE_UNAVAILABLE
        return Response(content, status, {"content-type": CONTENT_TYPE_PLAIN_0_0_4})

    async def _ask_all(
        self, scope: Scope, headers: Iterable[tuple[bytes, bytes]]
    ) -> dict[int, WorkerResponse]:
        target = scope["path"].encode() + b"?" + scope["query_string"]
        ask = partial(request_worker, target=target, headers=headers, seconds=self.answer_seconds)
        responses = await asyncio.gather(*map(ask, self.workers.values()))
        return dict(zip(self.workers, responses, strict=True))


def _content(body: bytes) -> object:
    """Return a body's JSON value, else its text."""
    try:
        value: object = orjson.loads(body)
    except orjson.JSONDecodeError:
        return body.decode(errors="replace")
    return value


def merge_metrics(texts: Mapping[int, str]) -> bytes:
    """Return the metrics of workers as one text (Prometheus' format 0.0.4), labelled by `worker`.

    An existing label of that name becomes `exported_worker`, as Prometheus itself renames labels.
    Raises ValueError for a text that isn't in the format.
    """
    families: dict[str, Metric] = {}
    for worker, text in texts.items():
        for family in text_string_to_metric_families(text):
            empty = Metric(family.name, family.documentation, family.type)
            samples = families.setdefault(family.name, empty).samples
            samples.extend(_labelled(worker, sample) for sample in family.samples)
    return generate_latest(_Families(families))


class _Families(Collector):
    def __init__(self, families: Mapping[str, Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        return self._families.values()


def _labelled(worker: int, sample: Sample) -> Sample:
    labels = {"exported_worker" if k == "worker" else k: v for k, v in sample.labels.items()}
    return sample._replace(labels={**labels, "worker": str(worker)})
