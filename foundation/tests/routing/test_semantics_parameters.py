"""Parameters of path, query, headers and cookies: of every type, name and default."""

import datetime as dt
from decimal import Decimal
from enum import IntEnum, StrEnum
from typing import Annotated, Any, Literal
from uuid import UUID

import pytest
from fastapi import Cookie, Depends, FastAPI, Header, Path, Query
from pydantic import AfterValidator, AliasChoices, AliasPath, BaseModel, ConfigDict, Field, Json

from bedplate.testing.both_ways import ANY_STATUS, Asked, Cases, asked, assert_same
from bedplate.testing.exchanges import Trace

CASES = Cases()


@pytest.mark.parametrize("name", CASES)
async def test_parameters_are_read_the_same(name: str) -> None:
    """Compiled or not, a parameter has the same value, or the same errors in the same order."""
    await assert_same(*CASES[name])


class Colour(StrEnum):
    """A choice of texts."""

    RED = "red"
    BLUE = "blue"


class Size(IntEnum):
    """A choice of numbers."""

    SMALL = 1


def even(value: int) -> int:
    """Refuse odd numbers."""
    if value % 2:
        raise ValueError("odd")
    return value


TYPES: dict[str, Any] = {
    "int": int, "float": float, "bool": bool, "str": str, "bytes": bytes, "uuid": UUID,
    "date": dt.date, "datetime": dt.datetime, "time": dt.time, "delta": dt.timedelta,
    "decimal": Decimal, "colour": Colour, "size": Size, "literal": Literal["a", "b"],
    "even": Annotated[int, AfterValidator(even)], "short": Annotated[str, Field(max_length=3)],
    "choice": int | str, "maybe": int | None, "any": Any,
}  # fmt: skip
VALUES = (
    "1", "0", "-7", "1.5", "abc", "", "true", "red", "a", "NaN", "inf", "1e400", "9" * 4301,
    "99999999999999999999", "%00", "%ff", "%C3%A9", "%F0%9F%90%98", "a%2Fb", "1%0A", "+1", "%201",
    "2026-01-31", "2026-01-31T12:00:00Z", "12:30", "P3D", "8c2f1c7e-93a8-4a3c-9a57-0d0a6f1f9d53",
)  # fmt: skip


def tell(value: Any) -> Any:
    """Return what an endpoint answers of a value."""
    return [type(value).__name__, repr(value)]


def of_types(where: Any) -> FastAPI:
    """Return an application with one route for each type."""
    app = FastAPI()
    for name, kind in TYPES.items():

        async def endpoint(value: Any) -> Any:
            return tell(value)

        endpoint.__annotations__["value"] = Annotated[kind, where]
        path = f"/{name}/{{value}}" if isinstance(where, type(Path())) else f"/{name}"
        app.add_api_route(path, endpoint)
    return app


@pytest.mark.parametrize("name", TYPES)
@pytest.mark.parametrize("where", ["path", "query", "header", "cookie"])
async def test_every_type_with_every_value(name: str, where: str) -> None:
    """Each type in each place takes and refuses the same texts, with the same words."""
    places: dict[str, Any] = {
        "path": Path(), "query": Query(), "header": Header(), "cookie": Cookie(),
    }  # fmt: skip
    requests = []
    for value in VALUES:
        plain = "".join(letter for letter in value if letter > " ")
        match where:
            case "path":
                requests.append(asked(ANY_STATUS, "GET", f"/{name}/{value}"))
            case "query":
                requests.append(asked(ANY_STATUS, "GET", f"/{name}?value={value}"))
            case "header":
                requests.append(asked(ANY_STATUS, "GET", f"/{name}", ("value", plain)))
            case _:
                requests.append(asked(ANY_STATUS, "GET", f"/{name}", ("cookie", f"value={plain}")))
    requests.append(asked(ANY_STATUS, "GET", f"/{name}"))
    requests.append(
        asked(ANY_STATUS, "GET", f"/{name}?value=1&value=2", ("cookie", "value=1; value=2"))
    )
    exchanges = await assert_same(lambda _: of_types(places[where]), requests)
    assert {each.status for each in exchanges} & {200, 422}


QUERY = Annotated[int, Query(alias="other", ge=1)]


@CASES.add(
    asked(200, "GET", "/aliases?item-query=1&b=2&c2=3"),
    asked(422, "GET", "/aliases?a=1&b=2&c=3"),
    asked(422, "GET", "/aliases?item-query=1&b2=2&c1=3&c2=4"),
    asked(
        200, "GET", "/headers",
        ("x-token", "t"), ("strange_header", "s"), ("x-a", "1"), ("x-a", "2"),
    ),
    asked(422, "GET", "/headers", ("x_token", "t"), ("strange-header", "s")),
    asked(200, "GET", "/headers", ("x-token", "\xe9"), ("strange_header", ""), ("x-b", "1, 2")),
    asked(200, "GET", "/cookies", ("cookie", 'a=1; b="q;r"; __Host-c=3; a=9; =x; y')),
    asked(200, "GET", "/cookies", ("cookie", "b=2"), ("cookie", "a=3")),
    asked(422, "GET", "/cookies", ("cookie", "; ;")),
)  # fmt: skip
def names(trace: Trace) -> FastAPI:
    """A parameter is found by its alias, its validation alias, or its name with hyphens."""
    app = FastAPI()

    @app.get("/aliases")
    async def aliases(
        a: Annotated[int, Query(alias="item-query")],
        b: Annotated[int, Query(validation_alias="b", serialization_alias="b2")],
        c: Annotated[int, Query(validation_alias=AliasChoices("c1", "c2"))],
        d: Annotated[int, Query(validation_alias=AliasPath("d", 0))] = 4,
    ) -> Any:
        return [a, b, c, d]

    @app.get("/headers")
    async def headers(
        x_token: Annotated[str, Header()],
        strange_header: Annotated[str, Header(convert_underscores=False)],
        x_a: Annotated[list[str] | None, Header()] = None,
        first: Annotated[str | None, Header(alias="X-A")] = None,
        x_b: Annotated[set[str], Header()] = frozenset(),  # type: ignore[assignment]
    ) -> Any:
        return [x_token, strange_header, x_a, first, sorted(x_b)]

    @app.get("/cookies")
    async def cookies(
        a: Annotated[int, Cookie()],
        b: Annotated[str | None, Cookie()] = None,
        c: Annotated[str | None, Cookie(alias="__Host-c")] = None,
    ) -> Any:
        return [a, b, c]

    return app


LISTS = (
    "", "?a=1", "?a=1&a=2&a=1", "?a=", "?a=x&a=1&a=y", "?b=1&b=2", "?c=1&c=2&c=3", "?d=1&d=x",
    "?e=r", "?f=[1,2]", "?f=1", "?f=[1,2]&f=[3]", "?a=1&a[]=2", "?a=1,2", "?A=1", "?&&a=1&=2&",
    "?a=1;a=2", "?a=%zz", "?a=1#x", "?g=1&g=x",
)  # fmt: skip


@CASES.add(*(asked(ANY_STATUS, "GET", f"/{query}") for query in LISTS))
def lists(trace: Trace) -> FastAPI:
    """Lists, sets and tuples take every value of a name, the rest the last one."""
    app = FastAPI()

    @app.get("/")
    async def endpoint(
        g: Annotated[int, Query(default_factory=lambda: 3)],
        a: Annotated[list[int], Query()] = [7],  # noqa: B006
        b: Annotated[set[int] | None, Query()] = None,
        c: Annotated[tuple[int, int] | None, Query()] = None,
        d: Annotated[list[str | int], Query(max_length=2)] = [],  # noqa: B006
        e: str = "default",
        f: Annotated[Json[list[int]] | None, Query()] = None,
    ) -> Any:
        trace.note(repr(a))
        a.append(99)  # the next request gets its own default
        return [a, b and sorted(b), c, d, e, f, g]

    return app


class Filters(BaseModel):
    """A model of query parameters."""

    model_config = ConfigDict(extra="forbid")
    limit: int = Field(100, gt=0, le=100)
    order_by: Literal["created_at", "updated_at"] = "created_at"
    tags: list[str] = []
    other: int | None = Field(None, alias="other-name")


class Loose(BaseModel):
    """A model that keeps what it doesn't know."""

    model_config = ConfigDict(extra="allow", populate_by_name=True)
    x_token: str = Field("none", alias="X-Own")
    if_match: list[str] = []
    save_data: bool


class Crumbs(BaseModel):
    """A model of cookies."""

    session: str
    theme: Colour = Colour.RED


MODELS: tuple[Asked, ...] = (
    *(
        asked(ANY_STATUS, "GET", f"/query{query}")
        for query in (
            "", "?limit=0", "?limit=5&tags=a&tags=b", "?order_by=x&limit=x", "?more=1",
            "?other-name=5", "?other=5", "?tags=", "?limit=1&limit=2", "?more=1&more=2&limit=101",
        )
    ),
    asked(422, "GET", "/headers"),
    asked(200, "GET", "/headers", ("save-data", "on"), ("if-match", "a"), ("if-match", "b")),
    asked(200, "GET", "/headers", ("save-data", "0"), ("x-own", "1"), ("x-more", "2")),
    asked(ANY_STATUS, "GET", "/headers", ("save_data", "1"), ("x-token", "1"), ("x_token", "2")),
    asked(422, "GET", "/cookies", ("cookie", "theme=green")),
    asked(200, "GET", "/cookies", ("cookie", "session=s; theme=blue; more=1")),
    asked(200, "GET", "/maybe"),
    asked(422, "GET", "/maybe?limit=x"),
    asked(200, "GET", "/maybe?limit=3"),
    asked(ANY_STATUS, "GET", "/two?limit=3&save_data=1&more=2"),
)  # fmt: skip


@CASES.add(*MODELS)
def models(trace: Trace) -> FastAPI:
    """Models take all parameters of a place, and refuse or keep what they don't know."""
    app = FastAPI()

    @app.get("/query")
    async def query(filters: Annotated[Filters, Query()]) -> Any:
        return [filters, sorted(filters.model_fields_set)]

    @app.get("/headers")
    async def headers(loose: Annotated[Loose, Header()]) -> Any:
        return [loose, loose.model_extra]

    @app.get("/cookies")
    async def cookies(crumbs: Annotated[Crumbs, Cookie()]) -> Any:
        return crumbs

    @app.get("/maybe")
    async def maybe(filters: Annotated[Filters | None, Query()] = None) -> Any:
        return filters

    async def filters(filters: Annotated[Filters, Query()]) -> Filters:
        return filters

    @app.get("/two")
    async def two(
        a: Annotated[Filters, Depends(filters)], b: Annotated[Loose, Query()], more: int = 0
    ) -> Any:
        return [a, b, more]

    return app


@CASES.add(
    asked(422, "GET", "/x?q=x&n=1", ("h", "x"), ("cookie", "c=x")),
    asked(422, "POST", "/x?q=x", ("content-type", "application/json"), body=b'{"a": "x", "b": []}'),
    asked(422, "POST", "/1"),
)
def errors_in_their_order(trace: Trace) -> FastAPI:
    """All errors are reported: of dependencies, then path, query, headers, cookies and the body."""
    app = FastAPI()

    class Body(BaseModel):
        a: int
        b: dict[str, int]
        c: str

    async def deep(c: Annotated[int, Cookie()], q: int) -> None:
        trace.note("deep")

    async def middle(deep: Annotated[None, Depends(deep)], n: Annotated[int, Query(gt=5)]) -> None:
        trace.note("middle")

    @app.get("/{p}")
    async def get(
        c: Annotated[int, Cookie()],
        h: Annotated[int, Header()],
        q: int,
        p: int,
        middle: Annotated[None, Depends(middle)],
        again: Annotated[None, Depends(deep)],
    ) -> None:
        trace.note("endpoint")

    @app.post("/{p}")
    async def post(body: Body, q: int, p: int, h: Annotated[str, Header()]) -> None:
        trace.note("endpoint")

    return app


@CASES.add(
    asked(200, "GET", "/default"),
    asked(200, "GET", "/default?a=5"),
    asked(200, "GET", "/validated?a=5"),
    asked(422, "GET", "/validated"),
    asked(200, "GET", "/old?a=1"),
    asked(422, "GET", "/old"),
)
def defaults(trace: Trace) -> FastAPI:
    """A default is taken as it is, made anew for each request, or validated when it's to be."""
    app = FastAPI()
    made = 0

    def make() -> list[int]:
        nonlocal made
        made += 1
        return [made]

    @app.get("/default")
    async def default(a: Annotated[list[int], Query(default_factory=make)]) -> Any:
        return a

    @app.get("/validated")
    async def validated(a: Annotated[int, Query(validate_default=True)] = "x") -> Any:  # type: ignore[assignment]
        return a

    @app.get("/old")
    async def old(a: int = Query(), b: int = Query(2, lt=5), c: str | None = Header(None)) -> Any:
        return [a, b, c]

    return app
