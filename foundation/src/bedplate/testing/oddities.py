"""Odd requests, made of ordinary ones: what careless clients, proxies and attackers send."""

from collections.abc import Iterator
from dataclasses import replace

from bedplate.testing.exchanges import RawHeaders, RawRequest

_HEADERS: tuple[tuple[str, bytes], ...] = (
    ("accept", b"text/html"), ("accept", b"*/*;q=0, \xff"), ("accept-encoding", b"gzip, br"),
    ("origin", b"https://example.org"), ("origin", b"null"), ("origin", b""),
    ("if-match", b"*"), ("if-match", b'"x", W/"y"'), ("if-match", b"no tag"), ("if-match", b'"1"'),
    ("if-none-match", b"*"), ("if-none-match", b'W/"1", "x"'), ("if-none-match", b","),
    ("if-modified-since", b"yesterday"), ("range", b"bytes=0-1"), ("range", b"bytes=9-1,x"),
    ("idempotency-key", b"a-key-of-the-corpus-1"), ("idempotency-key", b""),
    ("idempotency-key", b"\xe9" * 300), ("authorization", b"Bearer wrong"),
    ("authorization", b"Basic dTpw"), ("authorization", b"\xff"), ("x-api-key", b"wrong"),
    ("x-request-id", b"of-the-client"), ("x-request-id", b"a\x00b" * 50),
    ("x-forwarded-for", b"1.2.3.4, 5.6.7.8"), ("forwarded", b"for=1.2.3.4;host=x"),
    ("cookie", b"a=1; ;=;\xff"), ("host", b"example.org:99999"), ("host", b""),
    ("expect", b"100-continue"), ("content-length", b"7"), ("content-encoding", b"gzip"),
    ("traceparent", b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
    ("user-agent", b""), ("x-long", b"z" * 5000), ("transfer-encoding", b"chunked"),
    ("content-type", b"text/plain"), ("content-type", b"application/json; charset=utf-16"),
    ("content-type", b"application/problem+json"), ("content-type", b"\xff/\xff"),
    ("content-type", b"application/x-www-form-urlencoded"),
    ("content-type", b"multipart/form-data; boundary=x"), ("content-type", b"application/zip"),
)  # fmt: skip
"""Headers that take the place of those of the same name."""

_BODIES: tuple[bytes, ...] = (
    b"", b"null", b"[]", b"{}", b'"text"', b"true", b"NaN", b'{"a": Infinity}', b"{", b"\xff\xfe",
    b'{"\\u0000": "\\u0000"}', b'{"title": "\\ud800", "name": "\\udfff"}', b"[" * 3000,
    b'{"a":' * 500 + b"1" + b"}" * 500, b'{"a": %s}' % (b"9" * 5000), b"\xef\xbb\xbf{}",
    '{"title": "x"}'.encode("utf-16"), b'{"title": "a", "title": 1, "__proto__": {}}',
    b"x" * 70_000,
)  # fmt: skip
"""Bodies of any request."""

_TARGETS: tuple[str, ...] = (
    "{path}/", "{path}//", "/{path}", "{path}/x", "{path}%2F", "{path}%00", "{path}/..", "{upper}",
    "{path}?{query}&x=1&x=2", "{path}?limit=0&limit=x", "{path}?limit=99999999999999999999",
    "{path}?cursor=x&sort=-nothing&page=0&offset=-1", "{path}?%ff=%ff&=&&a",
    "{path}?q=%00&filter[a]=1",
    "{path};a=b",
)  # fmt: skip
"""Paths and queries that nearly are those of a request."""


def odd_variants(request: RawRequest) -> Iterator[RawRequest]:
    """Yield requests that differ from one in one way each, about a hundred, always the same."""
    yield request
    for method in ("HEAD", "OPTIONS", "GET", "POST", "PUT", "PATCH", "DELETE", "TRACE", "BREW"):
        if method != request.method:
            yield replace(request, method=method)
    for name, value in _HEADERS:
        yield replace(request, headers=_with(request.headers, name, value))
    yield from _cross_origin(request)
    kept = tuple(each for each in request.headers if each[0] in {b"host", b"content-type"})
    yield replace(request, headers=kept)
    yield replace(request, headers=request.headers + request.headers)
    yield replace(request, headers=tuple(reversed(request.headers)))
    path, _, query = request.target.partition("?")
    for target in _TARGETS:
        changed = target.format(path=path, query=query, upper=path.upper())
        yield replace(request, target=changed)
    if request.method not in {"GET", "HEAD", "OPTIONS", "TRACE"}:
        yield from _bodies(request)
    yield replace(request, leaves="at the answer")
    yield replace(request, spec="2.4", leaves="at the answer")


def _cross_origin(request: RawRequest) -> Iterator[RawRequest]:
    """Yield what a browser asks before it sends a request of another origin."""
    origin = _with(request.headers, "origin", b"https://example.org")
    for wanted in (request.method.encode(), b"BREW", b""):
        headers = _with(origin, "access-control-request-method", wanted)
        yield replace(request, method="OPTIONS", headers=headers)
        named = _with(headers, "access-control-request-headers", b"authorization, x-odd")
        yield replace(request, method="OPTIONS", headers=named)


def _bodies(request: RawRequest) -> Iterator[RawRequest]:
    """Yield a request with other bodies, and with its own in other ways."""
    own = b"".join(request.chunks)
    half = len(own) // 2
    for body in (*_BODIES, own[:half], own + own, own.replace(b"{", b'{"more": 1, ', 1)):
        yield replace(request, chunks=(body,))
    parts = (own[:half], b"", own[half:], b"")
    yield replace(request, chunks=parts)
    yield replace(request, chunks=parts, slow=True)
    yield replace(request, chunks=parts, leaves="in the body")
    yield replace(request, chunks=parts, slow=True, cancelled="receive 0")
    yield replace(request, chunks=parts, slow=True, leaves="receive 0")


def _with(headers: RawHeaders, name: str, value: bytes) -> RawHeaders:
    """Return headers with another value of a name, in its place or at the end."""
    key = name.encode()
    changed = tuple((key, value) if each == key else (each, old) for each, old in headers)
    return changed if any(each == key for each, _ in headers) else (*headers, (key, value))
