"""Answers: models and what of them is sent, classes of responses, statuses, background tasks."""

import dataclasses
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import pytest
from fastapi import APIRouter, BackgroundTasks, Cookie, Depends, FastAPI, Response
from fastapi.exceptions import ResponseValidationError
from fastapi.responses import (
    FileResponse,
    HTMLResponse,
    JSONResponse,
    PlainTextResponse,
    RedirectResponse,
    StreamingResponse,
)
from pydantic import BaseModel, ConfigDict, Field, computed_field, field_serializer
from starlette.background import BackgroundTask
from starlette.background import BackgroundTasks as StarletteTasks
from starlette.requests import Request

from bedplate.testing.both_ways import Cases, asked, assert_same
from bedplate.testing.exchanges import Trace

CASES = Cases()


@pytest.mark.parametrize("name", CASES)
async def test_answers_are_the_same(name: str) -> None:
    """Compiled or not, an answer has the same status, headers, bytes, and what comes after it."""
    await assert_same(*CASES[name])


class Inner(BaseModel):
    """A part of an answer."""

    a: int
    b: str = "default"


class Answer(BaseModel):
    """An answer with members of several kinds."""

    model_config = ConfigDict(populate_by_name=True)
    id: int = Field(alias="identity")
    name: str | None = None
    inner: Inner = Inner(a=1)
    when: datetime | None = None
    secret: str = Field("s", exclude=True)

    @computed_field  # type: ignore[prop-decorator]
    @property
    def double(self) -> int:
        """Return a computed member."""
        return self.id * 2

    @field_serializer("name")
    def loud(self, name: str | None) -> str | None:
        """Return the name as it is sent."""
        return name and name.upper()


class More(Answer):
    """An answer that has more than the model of its route."""

    password: str = "hidden"


@dataclasses.dataclass
class Plain:
    """An answer of a data class."""

    x: int
    y: list[Inner] = dataclasses.field(default_factory=list)


WAYS: dict[str, dict[str, Any]] = {
    "as-it-is": {},
    "include": {"response_model_include": {"id", "inner"}},
    "exclude": {"response_model_exclude": {"inner": {"b"}, "double": True}},
    "names": {"response_model_by_alias": False},
    "set": {"response_model_exclude_unset": True},
    "defaults": {"response_model_exclude_defaults": True},
    "none": {"response_model_exclude_none": True},
    "class": {"response_class": JSONResponse},
    "status": {"status_code": 201},
    "no-model": {"response_model": None},
    "list": {"response_model": list[Answer]},
    "any": {"response_model": Any},
    "dict": {"response_model": dict[str, Any]},
    "union": {"response_model": Inner | Answer | None},
}
VALUES: dict[str, Any] = {
    "model": lambda: Answer(id=1, name="n", when=datetime(2026, 1, 1, tzinfo=UTC)),
    "more": lambda: More(id=2), "dict": lambda: {"identity": 3, "name": None, "extra": 1},
    "by-name": lambda: {"id": 4}, "wrong": lambda: {"identity": "x"}, "none": lambda: None,
    "list": lambda: [Answer(id=5), {"id": "6", "inner": {"a": 1}}], "inner": lambda: Inner(a=1),
    "plain": lambda: Plain(1, [Inner(a=2)]), "text": lambda: "é\ud800", "set": lambda: {1},
    "nan": lambda: {"a": float("nan")}, "object": object, "int": lambda: 10**30,
    "bytes": lambda: b"\xff", "response": lambda: PlainTextResponse("text", 202, {"x-a": "b"}),
}  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
async def test_every_value_in_every_way(way: str) -> None:
    """Whatever an endpoint returns, in whatever way it is to be sent, the answer is the same."""

    def make_app(trace: Trace) -> FastAPI:
        app = FastAPI()
        for name, make in VALUES.items():

            async def endpoint(make: Annotated[Any, Depends(lambda make=make: make)]) -> Any:
                return make()

            def in_a_thread(make: Annotated[Any, Depends(lambda make=make: make)]) -> Any:
                return make()

            options = {"response_model": Answer, **WAYS[way]}
            app.add_api_route(f"/{name}", endpoint, methods=["GET", "HEAD"], **options)
            app.add_api_route(f"/thread/{name}", in_a_thread, **options)
        return app

    requests = [
        asked(0, method, path + name)
        for method, path in (("GET", "/"), ("HEAD", "/"), ("GET", "/thread/"))
        for name in VALUES
    ]
    exchanges = await assert_same(make_app, requests)
    statuses = {each.status for each in exchanges}
    assert statuses >= ({201, 500} if way == "status" else {200})


@CASES.add(*(asked(0, "GET", f"/{number}") for number in range(8)))
def models_by_annotation(trace: Trace) -> FastAPI:
    """The annotation of what is returned is the model, unless it's a response or None."""
    app = FastAPI()

    async def model() -> Answer:
        return More(id=1)

    async def models() -> list[Inner]:
        return [Inner(a=1)]

    async def plain() -> Plain:
        return Plain(1)

    async def nothing() -> None:
        trace.note("nothing")

    async def response() -> Response:
        return Response(b"x", 203, media_type="text/x")

    async def json() -> JSONResponse:
        return JSONResponse({"a": 1})

    async def missing():  # type: ignore[no-untyped-def]  # noqa: ANN202
        return {"a": Inner(a=1), 2: {3}}

    async def wrong() -> int:
        return "x"  # type: ignore[return-value]

    for number, endpoint in enumerate(
        (model, models, plain, nothing, response, json, missing, wrong)
    ):
        app.add_api_route(f"/{number}", endpoint)
    return app


CLASSES: tuple[tuple[str, int], ...] = (
    ("html", 200), ("text", 200), ("redirect", 307), ("file", 200), ("file-missing", 500),
    ("stream", 200), ("own", 200), ("bytes", 200), ("empty", 204),
    ("not-modified", 304), ("inform", 304), ("reset", 205), ("zero", 200), ("router", 200),
    ("route", 200), ("redirect-given", 302), ("in-dependency", 200), ("not-a-response", 500),
)  # fmt: skip


class Loud(JSONResponse):
    """A response of a user's own."""

    media_type = "application/vnd.loud+json"

    def render(self, content: Any) -> bytes:
        """Return the content in capitals."""
        return super().render(content).upper()


@CASES.add(*(asked(status, "GET", f"/{path}") for path, status in CLASSES))
def classes_of_responses(trace: Trace) -> FastAPI:
    """Each class of responses makes of a value what it makes; a ready response stays as it is."""
    app = FastAPI(default_response_class=Loud)
    router = APIRouter(default_response_class=PlainTextResponse)
    here = str(Path(__file__).with_name("test_index.py"))

    async def parts() -> AsyncIterator[str]:
        for each in "ab":
            trace.note(each)
            yield each

    def value(content: Any) -> Any:
        async def endpoint() -> Any:
            return content() if callable(content) else content

        return endpoint

    class Odd:
        def __init__(self, *_: Any, **__: Any) -> None:
            trace.note("odd")

    async def from_dependency(response: Annotated[Response, Depends(lambda: Response("d"))]) -> Any:
        return response

    add = app.add_api_route
    add("/html", value("<p>"), response_class=HTMLResponse)
    add("/text", value("text"), response_class=PlainTextResponse)
    add("/redirect", value("/else where"), response_class=RedirectResponse)
    add("/redirect-given", value("/x"), response_class=RedirectResponse, status_code=302)
    add("/file", value(here), response_class=FileResponse)
    add("/file-missing", value("/no/such/file"), response_class=FileResponse)
    add("/stream", parts, response_class=StreamingResponse)
    add("/own", value({"a": "b"}))
    add("/bytes", value(b"bytes"), response_class=Response)
    add("/empty", value(None), status_code=204, response_model=None)
    add("/not-modified", value({"a": 1}), status_code=304, response_model=None)
    text = PlainTextResponse
    add("/inform", value("x"), status_code=304, response_class=text, response_model=None)
    add("/reset", value(None), status_code=205, response_model=None)
    add("/zero", value(lambda: Response(status_code=200, headers={"x-a": "1"})))
    add("/in-dependency", from_dependency, response_model=None)
    add("/not-a-response", value(1), response_class=Odd)  # type: ignore[arg-type]
    router.add_api_route("/router", value("text"))
    router.add_api_route("/route", value({"a": 1}), response_class=JSONResponse)
    app.include_router(router)
    return app


@CASES.add(
    asked(202, "GET", "/both"), asked(203, "GET", "/status"), asked(200, "GET", "/ready"),
    asked(204, "GET", "/no-content"), asked(418, "GET", "/both?status=418"),
    asked(200, "GET", "/cookies", ("cookie", "a=1")), asked(404, "GET", "/fails"),
    asked(304, "GET", "/both?status=304"), asked(99, "GET", "/both?status=99"),
    asked(200, "GET", "/bare"),
)  # fmt: skip
def the_response_parameter(trace: Trace) -> FastAPI:
    """Headers, cookies and status that dependencies and the endpoint set are all sent, in order."""
    app = FastAPI()

    async def first(response: Response) -> Response:
        response.headers["x-first"] = "1"
        response.set_cookie("a", "1", httponly=True)
        response.headers.append("x-more", "a")
        response.status_code = 201
        return response

    def second(response: Response, first: Annotated[Response, Depends(first)]) -> None:
        trace.note(f"same {response is first} {response.status_code} {response.headers.items()}")
        response.headers["x-first"] = "2"
        response.headers.append("x-more", "b")

    dependencies = [Depends(first), Depends(second)]

    @app.get("/both", dependencies=dependencies)
    async def both(response: Response, status: int = 202) -> Any:
        response.status_code = status
        response.headers["content-type"] = "text/odd"
        response.headers["x-endpoint"] = "é"
        return {"a": 1}

    @app.get("/status", dependencies=dependencies, status_code=207)
    async def status(response: Response) -> Any:
        response.status_code = 203
        return None

    @app.get("/ready", dependencies=dependencies)
    async def ready() -> Any:
        return PlainTextResponse("what was set is not sent")

    @app.get("/no-content", dependencies=dependencies, status_code=201)
    async def no_content(response: Response) -> Any:
        response.status_code = 204
        return {"ignored": True}

    @app.get("/cookies")
    async def cookies(response: Response, a: Annotated[str, Cookie()]) -> str:
        response.set_cookie("b", f"{a}; ü", max_age=5, samesite="strict", path="/x")
        response.set_cookie("c", "")
        return a

    @app.get("/fails", dependencies=dependencies)
    async def fails() -> None:
        from fastapi import HTTPException  # noqa: PLC0415

        raise HTTPException(404, headers={"x-of-error": "1"})

    @app.get("/bare")
    async def bare(response: Response) -> Any:
        trace.note(f"{response.status_code} {response.headers.items()} {response.body!r}")
        response.background = BackgroundTask(trace.note, "never")
        return 1

    return app


@CASES.add(
    asked(200, "GET", "/all"), asked(200, "GET", "/own"), asked(200, "GET", "/ready"),
    asked(200, "GET", "/fails"), asked(500, "GET", "/error"), asked(200, "GET", "/stream"),
    asked(200, "GET", "/injected"), asked(204, "GET", "/empty"), asked(200, "HEAD", "/all"),
)  # fmt: skip
def background_tasks(trace: Trace) -> FastAPI:
    """Tasks of dependencies and endpoint are one list, that runs after the answer, in its order."""
    app = FastAPI()

    async def later(name: str) -> None:
        trace.note(f"task {name}")

    def later_in_a_thread(name: str) -> None:
        trace.note(f"thread {name}")

    async def first(tasks: BackgroundTasks) -> BackgroundTasks:
        tasks.add_task(later, "first")
        return tasks

    async def opened(tasks: BackgroundTasks) -> AsyncIterator[None]:
        tasks.add_task(later_in_a_thread, "opened")
        yield
        trace.note("closed")
        tasks.add_task(later, "too late")

    both = [Depends(first), Depends(opened)]

    @app.api_route("/all", methods=["GET", "HEAD"], dependencies=both)
    async def everything(
        tasks: BackgroundTasks, same: Annotated[BackgroundTasks, Depends(first)]
    ) -> bool:
        tasks.add_task(later, name="endpoint")
        return tasks is same

    @app.get("/own")
    async def own(tasks: StarletteTasks) -> str:
        tasks.add_task(later, "own")
        return type(tasks).__name__

    @app.get("/ready", dependencies=both)
    async def ready() -> Response:
        return Response("r", background=BackgroundTask(later, "of the response"))

    @app.get("/injected", dependencies=both)
    async def injected() -> Response:
        return Response("r")

    @app.get("/fails", dependencies=both)
    async def fails(tasks: BackgroundTasks) -> str:
        def failing() -> None:
            raise KeyError("task")

        tasks.add_task(failing)
        tasks.add_task(later, "not any more")
        return "sent"

    @app.get("/error", dependencies=both)
    async def error() -> None:
        raise ValueError("endpoint")

    @app.get("/stream", dependencies=both)
    async def stream() -> StreamingResponse:
        return StreamingResponse(iter(["a", "b"]))

    @app.get("/empty", dependencies=both, status_code=204)
    async def empty() -> None:
        trace.note("endpoint")

    return app


@CASES.add(asked(501, "GET", "/async"), asked(501, "GET", "/sync"), asked(501, "GET", "/list"))
def answers_that_break_their_model(trace: Trace) -> FastAPI:
    """The error of an answer that isn't one names the endpoint, and has the body and all errors."""
    app = FastAPI()

    @app.exception_handler(ResponseValidationError)
    async def handle(request: Request, error: ResponseValidationError) -> Response:
        trace.note(f"{error.body!r} {error.errors()!r}")
        trace.note(str(error))
        return PlainTextResponse(f"{error.endpoint_function} {error.endpoint_path}", 501)

    @app.get("/async", response_model=Answer)
    async def in_the_loop() -> Any:
        return {"inner": {"a": "x"}, "when": "never"}

    @app.get("/sync", response_model=Answer)
    def in_a_thread() -> Any:
        return Inner(a=1)

    @app.get("/list", response_model=list[int], response_class=JSONResponse)
    async def in_a_list() -> Any:
        return [1, "x", None]

    return app
