"""The client of another service, with limits on time, attempts and size; needs httpx2."""

import asyncio
import contextlib
import sys
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from http import HTTPStatus
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, Self

import orjson
import structlog
from structlog.contextvars import get_contextvars

from bedplate import __version__, ids
from bedplate.clients.exceptions import UpstreamRefused, UpstreamUnavailable
from bedplate.clients.registry import LocalServices
from bedplate.tracing import Attributes, client_span

try:
    import httpx2

    from bedplate.tls import trusted
except ImportError as error:  # pragma: no cover - the workspace has the extra
    raise ImportError(
        "Calling another backend needs httpx2: pip install 'bedplate[clients]'"
    ) from error

FIRST_PAUSE_SECONDS = 0.1
MAX_PAUSE_SECONDS = 1.0
RETRY_AFTER_SECONDS = 2
MAX_RETRY_AFTER_SECONDS = 60
# RFC 9110, section 9.2.2.
_IDEMPOTENT = frozenset({"GET", "HEAD", "PUT", "DELETE", "OPTIONS"})
_PASSING = frozenset({502, 503, 504})
_UNSENT = (httpx2.ConnectError, httpx2.ConnectTimeout)
_HEADERS = {
    "Accept": "application/json",
    # Uncompressed, so that a small response can't expand into a large one.
    "Accept-Encoding": "identity",
    "User-Agent": f"bedplate/{__version__}",
}


@dataclass(eq=False)
class _Failure(Exception):
    """One attempt failed. `unsent`: the service certainly never received it."""

    reason: str
    unsent: bool = False
    passing: bool = False
    retry_after: int = RETRY_AFTER_SECONDS


@dataclass(eq=False)
class ServiceClient:
    """Calls another service with JSON; a field of the backend's state (`service_client`).

    timeout           seconds for one attempt, including reading the whole response
    attempts          maximum number of attempts, with random pauses between them
    max_answer_bytes  maximum size of a response
    """

    name: str
    client: httpx2.AsyncClient
    _: KW_ONLY
    timeout: float = 3.0
    attempts: int = 3
    max_answer_bytes: int = 33_554_432

    @classmethod
    def at(cls, name: str, url: str, **options: Any) -> Self:
        """Return the client of a service at a URL."""
        # Not through the proxies of the environment: the service is internal.
        client = httpx2.AsyncClient(
            base_url=url,
            headers=_HEADERS,
            cookies=_no_cookies(),
            timeout=None,
            trust_env=False,
            verify=trusted(),
        )
        return cls(name, client, **options)

    @classmethod
    def beside(cls, name: str, local_services: LocalServices, **options: Any) -> Self:
        """Return the client of a backend that runs in this process."""
        app = local_services.application(name)
        transport = httpx2.ASGITransport(app, raise_app_exceptions=False)
        client = httpx2.AsyncClient(
            base_url=f"http://{name}",
            headers=_HEADERS,
            cookies=_no_cookies(),
            timeout=None,
            transport=transport,
        )
        return cls(name, client, **options)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.client.aclose()

    async def get(self, path: str, **query: str | int) -> Any:
        """Return the JSON response of a GET. Raises as `call` does."""
        return await self.call("GET", path, query=query)

    async def post(self, path: str, body: Any, *, repeatable: bool = False) -> Any:
        """Return the JSON response of a POST of JSON. Raises as `call` does."""
        return await self.call("POST", path, body=body, repeatable=repeatable)

    async def call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str | int] | None = None,
        body: Any = None,
        repeatable: bool | None = None,
        headers: Mapping[str, str] | None = None,
        body_required: bool = False,
    ) -> Any:
        """Return the JSON of a 2xx response, None if it has no body.

        With `body_required` a response without one can't be used, where `null` has a meaning.

        A call that was never sent is retried. A call that was cut off, took too long or got a 502,
        503 or 504 is retried if it is `repeatable`, that is, if doing it twice has the effect of
        doing it once; by default that depends on the method. The id of the current request is sent
        along.

        Raises `UpstreamRefused` for a 4xx, else `UpstreamUnavailable`, after at most `attempts`
        times `timeout` seconds, and the pauses.
        """
        retry = method in _IDEMPOTENT if repeatable is None else repeatable
        content = None if body is None else orjson.dumps(body)
        request = self.client.build_request(
            method,
            path,
            params=query,
            content=content,
            headers={**_request_headers(content), **(headers or {})},
        )
        for attempt in range(1, self.attempts + 1):
            try:
                return await self._once(request, body_required=body_required)
            except _Failure as failure:
                last = attempt == self.attempts
                if last or not (failure.unsent or (retry and failure.passing)):
                    raise self._unavailable(failure, attempt) from failure.__cause__
            await asyncio.sleep(pause(attempt))
        raise AssertionError("a call has one attempt at least")  # pragma: no cover

    def _unavailable(self, failure: _Failure, attempts: int) -> UpstreamUnavailable:
        structlog.get_logger("bedplate.clients").warning(
            "upstream_unavailable", service=self.name, reason=failure.reason, attempts=attempts
        )
        return UpstreamUnavailable(
            f"{self.name} can't be used just now; try again.", retry_after=failure.retry_after
        )

    async def _once(self, request: httpx2.Request, *, body_required: bool) -> Any:
        try:
            async with asyncio.timeout(self.timeout):
                response = await self._send(request)
                async with contextlib.aclosing(response):
                    content = await self._read(response)
        except TimeoutError as error:
            raise _Failure(f"no answer within {self.timeout} s", passing=True) from error
        except httpx2.HTTPError as error:
            unsent = isinstance(error, _UNSENT)
            raise _Failure(type(error).__name__, unsent=unsent, passing=True) from error
        return self._judge(response, content, body_required=body_required)

    async def _send(self, request: httpx2.Request) -> httpx2.Response:
        """Return the response as far as its headers; the other service continues the trace."""
        attributes: Attributes = {
            "http.request.method": request.method,
            "server.address": request.url.host,
            "url.path": request.url.path,
            "peer.service": self.name,
        }
        with client_span(request.method, attributes) as span:
            # Loaded when `OTEL_ENABLED` is set.
            if (propagate := sys.modules.get("opentelemetry.propagate")) is not None:
                propagate.inject(request.headers)
            response = await self.client.send(request, stream=True)
            span.set_attribute("http.response.status_code", response.status_code)
        return response

    async def _read(self, response: httpx2.Response) -> bytes:
        if response.headers.get("content-encoding", "identity") != "identity":
            raise _Failure("a content encoding that wasn't asked for")
        content = bytearray()
        async for chunk in response.aiter_raw():
            content += chunk
            if len(content) > self.max_answer_bytes:
                raise _Failure(f"an answer of more than {self.max_answer_bytes} bytes")
        return bytes(content)

    def _judge(self, response: httpx2.Response, content: bytes, *, body_required: bool) -> Any:
        status = response.status_code
        if response.is_success:
            if not content and not body_required:
                return None
            try:
                return orjson.loads(content)
            except orjson.JSONDecodeError as error:
                raise _Failure("an answer that is not JSON") from error
        if response.is_client_error and status != HTTPStatus.TOO_MANY_REQUESTS:
            raise UpstreamRefused(self.name, status, _reason(content))
        raise _Failure(
            f"status {status}", passing=status in _PASSING, retry_after=_retry_after(response)
        )


def _no_cookies() -> CookieJar:
    """Return a jar that keeps nothing: a cookie in one user's answer is never sent for another."""
    return CookieJar(DefaultCookiePolicy(allowed_domains=()))


def pause(attempt: int) -> float:
    """Return the seconds to wait after an attempt, the first being 1.

    They are random, below a bound that doubles: clients that fail together don't retry together.
    """
    bound = min(FIRST_PAUSE_SECONDS * 2.0 ** (attempt - 1), MAX_PAUSE_SECONDS)
    return bound * int(ids.token(4), 16) / 2**32


def _request_headers(content: bytes | None) -> dict[str, str]:
    headers = {} if content is None else {"Content-Type": "application/json"}
    if request_id := get_contextvars().get("request_id"):
        headers["X-Request-ID"] = request_id
    return headers


def _reason(content: bytes) -> str | None:
    """Return the text of an error: a contract's `message`, or a problem document's `detail`."""
    try:
        body = orjson.loads(content)
    except orjson.JSONDecodeError:
        return None
    reason = (body.get("message") or body.get("detail")) if isinstance(body, dict) else None
    return reason if isinstance(reason, str) else None


def _retry_after(response: httpx2.Response) -> int:
    headers = response.headers
    # better-auth's limit says it with an X.
    seconds = headers.get("retry-after", headers.get("x-retry-after", ""))
    if not (seconds.isascii() and seconds.isdigit()):
        return RETRY_AFTER_SECONDS
    return min(max(1, int(seconds[:9])), MAX_RETRY_AFTER_SECONDS)
