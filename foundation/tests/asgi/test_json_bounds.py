"""No JSON that nests too deep gets in."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from fastapi import FastAPI, Request
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp

from bedplate.asgi import JSONBounds
from bedplate.asgi.json_bounds import depth, has_lone_surrogate, has_non_finite_number

Call = Callable[..., Any]
JSON = [(b"content-type", b"application/json")]


@pytest.fixture
def app() -> FastAPI:
    """Give an application that answers with the JSON it is sent."""
    app = FastAPI()
    app.add_middleware(JSONBounds, max_depth=4)

    @app.post("/")
    async def echo(request: Request) -> Any:
        return await request.json()

    return app


async def post(call: Call, app: ASGIApp, *bodies: bytes, **scope: Any) -> Any:
    """Send a JSON body in these pieces."""
    messages = [
        {"type": "http.request", "body": body, "more_body": index < len(bodies)}
        for index, body in enumerate(bodies, 1)
    ]
    return await call(app, *messages, **{"headers": JSON, "method": "POST", **scope})


@pytest.mark.parametrize(
    "body",
    [
        b"[[[[1]]]]",
        b'{"a":{"b":{"c":{}}}}',
        b"[" + b"[]," * 500 + b"[]]",
        b'["[[[[[[[[[[", "{{{{{{", "\\"[[[[[[[", "\\\\"]',
        b"1",
    ],
)
async def test_bounded(call: Call, app: FastAPI, body: bytes) -> None:
    """JSON within the limit gets in whole: many brackets, and brackets in strings, are no depth."""
    exchange = await post(call, app, body)
    assert json.loads(exchange.body) == json.loads(body)


@pytest.mark.parametrize(
    "body",
    [
        b"[[[[[1]]]]]",
        b'{"a":' * 5 + b"1" + b"}" * 5,
        b"[" * 100_000,
        b'["\\\\", [[[[1]]]]]',
        b'["\\"", [[[[1]]]]]',
    ],
)
async def test_too_deep(call: Call, app: FastAPI, body: bytes) -> None:
    """JSON that nests deeper is answered 400, with a code of its own."""
    exchange = await post(call, app, body)
    assert exchange.status == 400
    assert json.loads(exchange.body)["code"] == "json_too_deep"


def _object(count: int) -> bytes:
    return json.dumps({f'"{number}:': ":" for number in range(count)}).encode()


@pytest.mark.parametrize("body", [_object(11), b"[" + b",".join([_object(4)] * 3) + b"]"])
async def test_too_many_members(call: Call, app: FastAPI, body: bytes) -> None:
    """More members than are allowed in all are answered 400: each may become an error."""
    limited = JSONBounds(app, max_members=10)
    exchange = await post(call, limited, body)
    assert exchange.status == 400
    assert json.loads(exchange.body)["code"] == "json_too_many_members"


async def test_colons_in_strings_are_no_members(call: Call, app: FastAPI) -> None:
    """As many members as are allowed get in, however many colons their texts have."""
    exchange = await post(call, JSONBounds(app, max_members=10), _object(10))
    assert exchange.status == 200


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-16", "utf-32"])
async def test_other_encodings(call: Call, app: FastAPI, encoding: str) -> None:
    """JSON in another encoding than UTF-8 could hide its brackets from us, and is refused."""
    exchange = await post(call, app, '["\\u0022", [[[[1]]]]]'.encode(encoding))
    assert exchange.status == 400
    assert json.loads(exchange.body)["code"] == "json_not_utf8"


async def test_pieces(call: Call, app: FastAPI) -> None:
    """A body in pieces is judged as a whole, and handed on as one."""
    assert (await post(call, app, b"[[", b"1", b"]]")).body == b"[[1]]"
    assert (await post(call, app, b"[[[", b"[[", b"")).status == 400


async def test_disconnect(call: Call, app: FastAPI) -> None:
    """A client that goes in the middle of its body is seen to go by the application."""
    half = {"type": "http.request", "body": b"[", "more_body": True}
    with pytest.raises(ClientDisconnect):
        await call(app, half, headers=JSON, method="POST")


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        (b"application/vnd.api+json; charset=utf-8", 400),
        (b"Application/JSON", 400),
        (b"text/plain", 422),
    ],
)
async def test_content_types(call: Call, app: FastAPI, content_type: bytes, status: int) -> None:
    """Every JSON type is judged, and nothing else."""
    headers = [(b"content-type", content_type)]

    @app.post("/typed")
    async def typed(body: dict[str, int]) -> None: ...

    exchange = await post(call, app, b"[[[[[[]]]]]]", headers=headers, path="/typed")
    assert exchange.status == status


async def test_endless_number(call: Call) -> None:
    """A number too long to convert is FastAPI's 400 without us."""
    app = FastAPI()
    app.add_middleware(JSONBounds)

    @app.post("/")
    async def take(numbers: list[int]) -> None: ...

    assert (await post(call, app, b"[" + b"1" * 5000 + b"]")).status == 400


def nesting(value: object) -> int:
    """Return how deep a value nests."""
    if isinstance(value, dict):
        value = list(value.values())
    return 1 + max(map(nesting, value), default=0) if isinstance(value, list) else 0


@given(
    st.recursive(
        st.text() | st.integers() | st.none(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=40,
    ),
    st.booleans(),
)
def test_depth_is_the_depth(value: object, ascii_only: bool) -> None:
    """The depth of a text is that of the value it stands for."""
    text = json.dumps(value, ensure_ascii=ascii_only)
    assert depth(text.encode("utf-8", "surrogatepass")) == nesting(value)


def test_limit_of_nothing() -> None:
    """A limit below one is refused when it is declared."""
    with pytest.raises(ValueError, match="at least 1"):
        JSONBounds(FastAPI(), max_depth=0)


def _holds_surrogate(value: object) -> bool:
    """Whether a parsed JSON string is none that UTF-8 could hold."""
    try:
        str(value).encode()
    except UnicodeEncodeError:
        return True
    return False


@given(
    st.lists(
        st.sampled_from(["\\ud83d", "\\ude00", "\\uD83D", "\\uDE00", "\\\\", "\\n", "\\u0041", "u"])
    )
)
def test_half_of_a_surrogate_pair_is_found(parts: list[str]) -> None:
    """Half of an escaped pair is found exactly where the parser would let it in."""
    body = '"' + "".join(parts) + '"'
    assert has_lone_surrogate(body.encode()) == _holds_surrogate(json.loads(body))


NO_NUMBERS = ("NaN", "Infinity", "-Infinity")


@given(
    st.recursive(
        st.sampled_from(
            [*NO_NUMBERS, "1", "null", '"NaN"', '"\\"Infinity"', '"\\\\"', r'"\u0041"']
        ),
        lambda inner: st.lists(inner).map(lambda texts: f"[{','.join(texts)}]"),
    )
)
def test_what_is_no_number_is_found(text: str) -> None:
    """NaN and Infinity are found where the parser would take them, and not within strings."""
    named: list[str] = []
    json.loads(text, parse_constant=named.append)
    assert has_non_finite_number(text.encode()) == bool(named)


def test_the_worst_text_is_read_once() -> None:
    """Quotation marks that end no string are not each taken for the beginning of one."""
    assert has_non_finite_number(b'NaN"' + b'\\"' * 400_000)
    assert not has_non_finite_number(b'"NaN' + b'\\"' * 400_000 + b"\\")


@pytest.mark.parametrize("text", NO_NUMBERS)
async def test_no_number_is_refused(call: Call, app: FastAPI, text: str) -> None:
    """Where any JSON is welcome, too, what isn't JSON is a 400."""
    exchange = await post(call, app, f'{{"a": [{text}]}}'.encode())
    assert (exchange.status, json.loads(exchange.body)["code"]) == (400, "json_non_finite_number")
