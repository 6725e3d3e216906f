"""Bodies of JSON: models, several at once, media types, and all that isn't JSON."""

import dataclasses
from typing import Annotated, Any, Literal, NotRequired
from uuid import UUID

import pytest
from fastapi import Body, Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Discriminator, Field, Json, Tag, model_validator
from typing_extensions import TypedDict

from bedplate.testing.both_ways import ANY_STATUS, Asked, Cases, asked, assert_same
from bedplate.testing.exchanges import Trace

CASES = Cases()
JSON = ("content-type", "application/json")


@pytest.mark.parametrize("name", CASES)
async def test_bodies_are_read_the_same(name: str) -> None:
    """Compiled or not, a body becomes the same value, or the same errors in the same order."""
    await assert_same(*CASES[name])


class Item(BaseModel):
    """A body with members of several kinds."""

    model_config = ConfigDict(extra="forbid")
    name: str = Field(min_length=1)
    price: float = 1
    number: int | None = Field(None, alias="no")
    tags: set[str] = set()
    id: UUID | None = None

    @model_validator(mode="after")
    def cheap(self) -> "Item":
        """Refuse what costs too much."""
        if self.price > 100:
            raise ValueError("too much")
        return self


class Cat(BaseModel):
    """One of two bodies."""

    kind: Literal["cat"]
    lives: int


class Dog(BaseModel):
    """The other of two bodies."""

    kind: Literal["dog"]
    name: str


@dataclasses.dataclass
class Point:
    """A data class as a body."""

    x: int
    y: int = 0


class Pair(TypedDict):
    """A typed dict as a body."""

    left: int
    right: NotRequired[str]


TEXTS: tuple[bytes, ...] = (
    b"", b" ", b"{}", b"[]", b"null", b"1", b'"x"', b"true", b'{"name": "a"}', b'{"name": ""}',
    b'{"name": "a", "name": 1}', b'{"name": 1, "price": "x", "more": null, "no": 1.5}',
    b'{"name": "a", "price": NaN}', b'{"name": "a", "price": -Infinity}',
    b'{"name": "a", "price": 1e999}',
    b'{"name": "a", "price": 101}', b'{"name": "a", "no": %s}' % (b"9" * 400),
    b'{"name": "a", "no": %s}' % (b"9" * 5000), b'{"name": "a", "no": 7, "number": 8}',
    b'{"name": "a", "id": "8c2f1c7e-93a8-4a3c-9a57-0d0a6f1f9d53", "tags": ["b", "b"]}',
    b'{"name": "a"', b"{'name': 'a'}", b'{"name": "a",}', b'{"name": "a"} x', b"nul", b"\xff\xfe{}",
    b'{"name": "\xe9"}', b'{"name": "\\ud800"}', b'{"name": "\\u0000"}',
    b'\xef\xbb\xbf{"name": "a"}',
    b'{"name": "a", "x": %s1%s}' % (b"[" * 500, b"]" * 500), b"[" * 100_000,
    '{"name": "a"}'.encode("utf-16"), '{"name": "a"}'.encode("utf-32-le"),
    b'{"x": 1, "y": "2"}', b'{"x": "z"}',
    b'{"left": "1"}', b'{"right": 2}', b'{"kind": "cat", "lives": 9}',
    b'{"kind": "dog", "lives": 9}',
    b'{"kind": "cow"}', b'{"name": "a", "kind": null}', b'[{"name": "a"}, {"name": 2}, 3]',
    b'{"item": {"name": "a"}, "other": {"x": 1}, "number": 5}', b'{"item": null, "number": "x"}',
    b'{"item": {"name": "a", "no": "x"}, "other": [], "number": 5}', b'{"item": {"name": "b"}}',
)  # fmt: skip
"""Bodies that are sent to every route."""

TYPES: tuple[str | None, ...] = (
    "application/json", "application/json; charset=latin-1", "application/vnd.api+json",
    "APPLICATION/JSON", "text/plain", "application/octet-stream", "text/json", "", None,
    "application/x-www-form-urlencoded", "application", "application/geo+json-seq",
    "json", ";", "a/b/c",
    'application/json; boundary="x', "application/json, text/plain", "\xe9/\xff",
)  # fmt: skip


def bodies(app: FastAPI, trace: Trace) -> FastAPI:
    """Add a route for each kind of body."""
    discriminated = Annotated[Cat | Dog, Field(discriminator="kind")]
    tagged = Annotated[
        Annotated[Cat, Tag("cat")] | Annotated[Item, Tag("item")],
        Discriminator(
            lambda value: "cat" if isinstance(value, dict) and "kind" in value else "item"
        ),
    ]
    kinds: dict[str, Any] = {
        "model": Item, "maybe": Item | None, "union": Cat | Dog | Point, "dict": dict[str, Any],
        "list": list[Item], "dataclass": Point, "typeddict": Pair, "either": discriminated,
        "tagged": tagged, "scalar": Annotated[int, Body()], "bytes": Annotated[bytes, Body()],
        "text": Annotated[str, Body(min_length=2)], "any": Annotated[Any, Body()],
        "embed": Annotated[Item, Body(embed=True, alias="item")],
        "json": Annotated[Json[int], Body()],
        "strict": Annotated[int, Body(strict=True)], "tuple": tuple[int, str],
    }  # fmt: skip
    for name, kind in kinds.items():

        async def endpoint(body: Any) -> Any:
            trace.note(type(body).__name__)
            return repr(body)

        endpoint.__annotations__["body"] = kind
        app.add_api_route(f"/{name}", endpoint, methods=["POST"])

        async def optional(body: Any = None) -> Any:
            return repr(body)

        optional.__annotations__["body"] = kind
        app.add_api_route(f"/optional/{name}", optional, methods=["POST", "GET"])

    async def other(other: Annotated[Point, Body()]) -> Point:
        trace.note("other")
        return other

    @app.post("/several")
    async def several(
        item: Item, other: Annotated[Point, Depends(other)], number: Annotated[int, Body(gt=1)] = 2
    ) -> Any:
        return [item, other, number]

    @app.post("/shared")
    async def shared(other: Point, again: Annotated[Point, Depends(other)]) -> Any:
        return [other, again, other is again]

    @app.post("/none")
    async def none(request: Request) -> Any:
        return repr(await request.body())

    @app.post("/itself")
    async def itself(request: Request, item: Item | dict[str, Any] | None = None) -> Any:
        return [repr(await request.body()), repr(await request.json()), repr(item)]

    return app


KINDS = (
    "model", "maybe", "union", "dict", "list", "dataclass", "typeddict", "either", "tagged",
    "scalar", "bytes", "text", "any", "embed", "json", "strict", "tuple", "several", "shared",
    "none", "itself",
)  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
async def test_every_kind_with_every_text(kind: str) -> None:
    """Whatever is sent as JSON to whatever kind of body, the answer is the same."""
    required = kind in {"several", "shared", "none", "itself"}
    paths = [f"/{kind}"] if required else [f"/{kind}", f"/optional/{kind}"]
    requests = [
        asked(ANY_STATUS, "POST", path, JSON, body=text) for path in paths for text in TEXTS
    ]
    requests += [asked(ANY_STATUS, "GET", path) for path in paths]
    exchanges = await assert_same(lambda trace: bodies(FastAPI(), trace), requests)
    assert {each.status for each in exchanges} >= {200, 405 if required else 422}


@pytest.mark.parametrize("strict", [True, False])
async def test_every_media_type(strict: bool) -> None:
    """Which media types are read as JSON, and whether none is, is as in FastAPI."""
    requests = []
    for kind in ("model", "optional/model", "any", "bytes", "several", "none", "dict"):
        for media_type in TYPES:
            headers = [] if media_type is None else [("content-type", media_type)]
            twice = [JSON, *headers]
            requests += [
                *(
                    asked(ANY_STATUS, "POST", f"/{kind}", *headers, body=text)
                    for text in (b'{"name": "a"}', b"{", b"", b"\xff")
                ),
                asked(ANY_STATUS, "POST", f"/{kind}", *twice, body=b'{"name": "a"}'),
            ]
    exchanges = await assert_same(
        lambda trace: bodies(FastAPI(strict_content_type=strict), trace), requests
    )
    assert {each.status for each in exchanges} >= {200, 422}


IN_PARTS: tuple[Asked, ...] = (
    asked(200, "POST", "/model", JSON, body=[b'{"na', b'me": ', b'"a"}']),
    asked(200, "POST", "/model", JSON, body=[b"", b'{"name": "a"}', b""], slow=True),
    asked(400, "POST", "/model", JSON, body=[b'{"na', b'me": "a"}'], leaves="in the body"),
    asked(400, "POST", "/several", JSON, leaves="in the body"),
    asked(ANY_STATUS, "POST", "/none", JSON, body=[b"a", b"b"], leaves="in the body"),
    asked(
        None, "POST", "/model", JSON, body=[b'{"na', b'me": "a"}'], cancelled="receive 0", slow=True
    ),
    asked(ANY_STATUS, "POST", "/itself", JSON, body=[b'{"name":', b' "a"}'], slow=True),
    asked(422, "POST", "/model", JSON, body=b"{" * 70_000),
)


@CASES.add(*IN_PARTS)
def in_parts(trace: Trace) -> FastAPI:
    """Bodies come in parts, slowly, or not in full; then nobody gets the error."""
    return bodies(FastAPI(), trace)


@CASES.add(
    asked(422, "POST", "/model", JSON, body=b'{"name": 1}'),
    asked(422, "POST", "/model", JSON, body=b"{x"),
    asked(422, "POST", "/model", ("content-type", "text/plain"), body=b"text"),
    asked(422, "POST", "/several", JSON, body=b"[]"),
    asked(422, "POST", "/model"),
)
def what_a_handler_gets(trace: Trace) -> FastAPI:
    """The error of invalid input has FastAPI's body, errors, and the place of the endpoint."""
    app = bodies(FastAPI(), trace)

    @app.exception_handler(RequestValidationError)
    async def handle(request: Request, error: RequestValidationError) -> JSONResponse:
        trace.note(repr(error.body))
        trace.note(str(error))
        trace.note(f"{error.__cause__!r} {error.__context__!r}")
        return JSONResponse(
            [repr(error.errors()), error.endpoint_function, error.endpoint_path], 422
        )

    return app


@CASES.add(
    asked(413, "POST", "/small", JSON, body=b'{"name": "abcdefgh"}'),
    asked(413, "POST", "/small", JSON, ("content-length", "90"), body=b'{"name": "abcdefgh"}'),
    asked(200, "POST", "/small", JSON, body=b'{"a":1}'),
    asked(413, "POST", "/small", JSON, body=[b'{"name":', b' "a"}']),
    asked(413, "POST", "/in/router", JSON, body=b'{"name": "abcdefgh"}'),
)
def limits_of_bodies(trace: Trace) -> FastAPI:
    """Limits of a route and of a router hold."""
    from fastapi import APIRouter  # noqa: PLC0415

    app = FastAPI()
    router = APIRouter(max_body_size=10)

    @app.post("/small", max_body_size=10)
    async def small(body: dict[str, Any]) -> Any:
        trace.note("endpoint")
        return body

    @router.post("/router")
    async def in_router(body: dict[str, Any]) -> Any:
        return body

    app.include_router(router, prefix="/in")
    return app
