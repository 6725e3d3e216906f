"""Random trees of dependencies with random parameters get random requests, compiled and not.

An application is described by data, so that Hypothesis can make the smallest that differs.
"""

import inspect
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Literal

import pytest
from fastapi import (
    BackgroundTasks,
    Body,
    Cookie,
    Depends,
    FastAPI,
    Header,
    HTTPException,
    Query,
    Request,
    Response,
    Security,
)
from fastapi.responses import PlainTextResponse
from fastapi.security import SecurityScopes
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field

from bedplate.testing.both_ways import ANY_STATUS, Asked, asked, assert_same
from bedplate.testing.exchanges import Trace


class Model(BaseModel):
    """A model of parameters or of a body."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)
    a: int
    b: list[str] = []
    c_d: date | None = Field(None, alias="other")


class Loose(BaseModel):
    """A model that keeps what it doesn't know."""

    model_config = ConfigDict(extra="allow")
    a: str = "default"


NAMES = ("a", "b", "c_d", "p")
PLACES: dict[str, Callable[..., Any]] = {
    "query": Query, "header": Header, "cookie": Cookie, "body": Body,
}  # fmt: skip
TYPES: dict[str, tuple[Any, Any]] = {
    "int": (int, 5), "str": (str, "s"), "maybe": (int | None, None), "bool": (bool, True),
    "literal": (Literal["1", "x"], "x"), "date": (date, date(2026, 1, 1)),
    "positive": (Annotated[int, Field(gt=0)], 1), "list": (list[int], [1]),
    "set": (set[str], {"s"}), "model": (Model, None), "maybe model": (Model | None, None),
    "loose": (Loose, None),
}  # fmt: skip
"""The types of parameters, each with a default."""

SPECIAL: dict[str, Any] = {
    "request": Request, "response": Response, "tasks": BackgroundTasks, "scopes": SecurityScopes,
}  # fmt: skip


@dataclass(frozen=True)
class Parameter:
    """A parameter: its name, where it's read from, its type, and how it's declared."""

    name: str
    place: str
    kind: str
    has_default: bool
    alias: str | None
    embed: bool


@dataclass(frozen=True)
class Need:
    """A dependency on one of the nodes before, counted from its own; and how it's declared."""

    back: int
    use_cache: bool
    scope: Literal["function", "request"] | None
    security: tuple[str, ...] | None


@dataclass(frozen=True)
class Node:
    """A dependency, or the endpoint: the last node."""

    kind: str
    parameters: tuple[Parameter, ...]
    needs: tuple[Need, ...]
    specials: tuple[str, ...]
    at_exit: str


@dataclass(frozen=True)
class Route:
    """A route: its nodes, those that it needs without a name, and what it answers."""

    nodes: tuple[Node, ...]
    nameless: tuple[Need, ...]
    options: tuple[tuple[str, Any], ...]
    returned: str


PARAMETERS = st.builds(
    Parameter,
    name=st.sampled_from(NAMES),
    place=st.sampled_from(["query", "query", "header", "cookie", "body"]),
    kind=st.sampled_from(sorted(TYPES)),
    has_default=st.booleans(),
    alias=st.sampled_from([None, None, "a", "X-Other", "b"]),
    embed=st.booleans(),
)
NEEDS = st.builds(
    Need,
    back=st.integers(1, 3),
    use_cache=st.sampled_from([True, True, False]),
    scope=st.sampled_from([None, None, "function", "request"]),
    security=st.sampled_from([None, None, (), ("s",), ("t", "s")]),
)
NODES = st.builds(
    Node,
    kind=st.sampled_from(["async", "sync", "yield", "sync yield", "class", "instance"]),
    parameters=st.lists(PARAMETERS, max_size=3, unique_by=lambda each: each.name).map(tuple),
    needs=st.lists(NEEDS, max_size=3).map(tuple),
    specials=st.lists(st.sampled_from(sorted(SPECIAL)), max_size=2, unique=True).map(tuple),
    at_exit=st.sampled_from(["nothing", "nothing", "swallow", "raise", "http"]),
)
ROUTES = st.builds(
    Route,
    nodes=st.lists(NODES, min_size=1, max_size=5).map(tuple),
    nameless=st.lists(NEEDS, max_size=2).map(tuple),
    options=st.sampled_from(
        [
            (),
            (("status_code", 201),),
            (("response_model", None),),
            (("response_model", Loose),),
            (("response_class", PlainTextResponse), ("response_model", None)),
            (("response_model_exclude_unset", True), ("response_model", Loose)),
        ]
    ),
    returned=st.sampled_from(["values", "response", "none", "text"]),
)
TEXTS = st.sampled_from(["1", "-1", "x", "", "true", "2026-01-01", "1.5", "%ff", "9" * 25])
KEYS = st.sampled_from(["a", "b", "c_d", "c-d", "p", "other", "X-Other", "x-other", "more"])
BODIES = st.sampled_from([
    b"", b"{}", b"5", b'"x"', b"[1, 2]", b'{"a": 1}', b'{"a": "x", "b": 1}', b"{", b"null",
    b'{"a": {"a": 1}, "b": [1], "p": 5}', b'{"a": 1, "other": "2026-01-01", "b": ["x"]}',
    b'{"a": {"a": "x", "more": 1}, "c_d": null}', b'{"X-Other": 1, "b": {"a": 2}}', b"\xff",
])  # fmt: skip
REQUESTS = st.builds(
    lambda path, query, headers, cookies, body, fails, kind: asked(
        ANY_STATUS,
        "POST",
        f"/{path}?" + "&".join(f"{key}={value}" for key, value in query),
        *((key.lower(), value) for key, value in headers),
        *([("cookie", "; ".join(f"{key}={value}" for key, value in cookies))] if cookies else []),
        *([("content-type", kind)] if kind else []),
        ("x-fails", fails),
        body=body,
    ),
    path=st.sampled_from(["1", "x", "%20"]),
    query=st.lists(st.tuples(KEYS, TEXTS), max_size=5),
    headers=st.lists(st.tuples(KEYS, TEXTS), max_size=3),
    cookies=st.lists(st.tuples(KEYS, TEXTS), max_size=3),
    body=BODIES,
    fails=st.sampled_from(["", "", "0 http", "1 http", "0 value", "2 value", "1 status"]),
    kind=st.sampled_from(["application/json", "application/json", None, "text/plain"]),
)


def declared(parameter: Parameter) -> inspect.Parameter:
    """Return a parameter as a function declares it."""
    if parameter.name == "p":  # it's in the path
        return inspect.Parameter("p", inspect.Parameter.KEYWORD_ONLY, annotation=str)
    annotation, default = TYPES[parameter.kind]
    model = "model" in parameter.kind or parameter.kind == "loose"
    options: dict[str, Any] = {} if model else {"alias": parameter.alias}
    if parameter.place == "body":
        options = {"embed": parameter.embed}
    elif parameter.place == "cookie" and parameter.kind in {"list", "set"}:
        annotation, default = TYPES["int"]
    has_default = parameter.has_default and (not model or "maybe" in parameter.kind)
    return inspect.Parameter(
        parameter.name,
        inspect.Parameter.KEYWORD_ONLY,
        annotation=Annotated[annotation, PLACES[parameter.place](**options)],
        default=default if has_default else inspect.Parameter.empty,
    )


class Builder:
    """Makes the application of a route."""

    def __init__(self, route: Route, trace: Trace) -> None:
        self.route, self.trace = route, trace
        self.calls: list[Callable[..., Any]] = []
        self.counts: dict[int, int] = {}

    def app(self) -> FastAPI:
        """Return the application."""
        app = FastAPI()
        for number, node in enumerate(self.route.nodes):
            self.calls.append(self.call(number, node))
        nameless = [self.depends(need, len(self.calls) - 1) for need in self.route.nameless]
        app.add_api_route(
            "/{p}",
            self.calls[-1],
            methods=["POST"],
            dependencies=[each for each in nameless if each],
            **dict(self.route.options),
        )
        return app

    def depends(self, need: Need, number: int) -> Any:
        """Return what declares the need of a node by its number; None without such a node."""
        if need.back > number:
            return None
        node = self.route.nodes[number - need.back]
        if need.security is not None:
            return Security(
                self.calls[number - need.back],
                scopes=list(need.security),
                use_cache=need.use_cache,
            )
        # A dependency that is left after the answer can't need one that is left before.
        scope = need.scope if "yield" not in self.route.nodes[number].kind else None
        scope = scope if "yield" in node.kind else None
        return Depends(self.calls[number - need.back], use_cache=need.use_cache, scope=scope)

    def signature(self, number: int, node: Node) -> inspect.Signature:
        """Return the signature of a node's function."""
        parameters = [declared(each) for each in node.parameters]
        for position, need in enumerate(node.needs):
            if (depends := self.depends(need, number)) is not None:
                parameters.append(
                    inspect.Parameter(
                        f"need_{position}",
                        inspect.Parameter.KEYWORD_ONLY,
                        annotation=Annotated[Any, depends],
                    )
                )
        parameters += [
            inspect.Parameter(each, inspect.Parameter.KEYWORD_ONLY, annotation=SPECIAL[each])
            for each in dict.fromkeys(("request", *node.specials))
        ]
        return inspect.Signature(parameters)

    def call(self, number: int, node: Node) -> Callable[..., Any]:
        """Return the function, class or instance of a node."""
        endpoint = number == len(self.route.nodes) - 1
        kind = node.kind
        if endpoint and kind not in {"async", "sync"}:
            kind = "async"
        signature = self.signature(number, node)

        def work(values: dict[str, Any]) -> Any:
            return self.work(number, values, endpoint=endpoint)

        async def asynchronous(**values: Any) -> Any:
            return work(values)

        def synchronous(**values: Any) -> Any:
            return work(values)

        async def opened(**values: Any) -> AsyncIterator[Any]:
            try:
                yield work(values)
            except Exception as error:  # noqa: BLE001
                self.leave(number, node, error)
            else:
                self.leave(number, node, None)

        def opened_in_a_thread(**values: Any) -> Iterator[Any]:
            try:
                yield work(values)
            except Exception as error:  # noqa: BLE001
                self.leave(number, node, error)
            else:
                self.leave(number, node, None)

        class Made:
            def __init__(self, **values: Any) -> None:
                self.result = work(values)

            def __repr__(self) -> str:
                return f"Made({self.result!r})"

        class Instance:
            async def __call__(self, **values: Any) -> Any:
                return work(values)

        functions: dict[str, Any] = {
            "async": asynchronous, "sync": synchronous, "yield": opened,
            "sync yield": opened_in_a_thread, "class": Made, "instance": Instance(),
        }  # fmt: skip
        made = functions[kind]
        made.__signature__ = signature
        made.__name__ = f"node_{number}"
        return made  # type: ignore[no-any-return]

    def work(self, number: int, values: dict[str, Any], *, endpoint: bool) -> Any:
        """Note a call with its arguments, and do what the request wants done."""
        count = self.counts[number] = self.counts.get(number, 0) + 1
        noted = {
            name: type(value).__name__ if name in SPECIAL else repr(value)
            for name, value in values.items()
        }
        self.trace.note(f"{number} {noted}")
        fails = values["request"].headers.get("x-fails", "")
        if fails == f"{number} http":
            raise HTTPException(409, f"node {number}", {"x-node": str(number)})
        if fails == f"{number} value":
            raise ValueError(f"node {number}")
        if (response := values.get("response")) is not None:
            response.headers.append("x-set", str(number))
            if fails == f"{number} status":
                response.status_code = 202
        if (tasks := values.get("tasks")) is not None:
            tasks.add_task(self.trace.note, f"task of {number}")
        scopes = values.get("scopes")
        result = [number, count, scopes and scopes.scopes]
        return self.answer(result) if endpoint else result

    def answer(self, result: Any) -> Any:
        """Return what the endpoint returns."""
        match self.route.returned:
            case "response":
                return PlainTextResponse("ready", 203, {"x-ready": "1"})
            case "none":
                return None
            case "text":
                return "text"
            case _:
                return {"a": str(result), "more": result}

    def leave(self, number: int, node: Node, error: Exception | None) -> None:
        """Note that a dependency is left, and do what it does then."""
        self.trace.note(f"{number} left by {error!r}")
        match node.at_exit:
            case "raise":
                raise KeyError(number)
            case "http":
                raise HTTPException(410, f"exit {number}")
            case "swallow":
                return
            case _:
                if error is not None:
                    raise error


@given(route=ROUTES, requests=st.lists(REQUESTS, min_size=3, max_size=8))
@settings(max_examples=150)
async def test_random_applications_are_served_the_same(route: Route, requests: list[Asked]) -> None:
    """Whatever depends on whatever, every request has the same answer, events and errors."""
    await assert_same(lambda trace: Builder(route, trace).app(), requests)


@pytest.mark.soak
@given(route=ROUTES, requests=st.lists(REQUESTS, min_size=3, max_size=8))
@settings(max_examples=20_000)
async def test_many_random_applications_are_served_the_same(
    route: Route, requests: list[Asked]
) -> None:
    """The same with many more applications."""
    await assert_same(lambda trace: Builder(route, trace).app(), requests)
