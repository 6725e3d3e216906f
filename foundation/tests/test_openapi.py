"""The OpenAPI document of an application with every kind of route."""

import json
from collections.abc import Iterator
from typing import Annotated, Any

import pytest
import schemathesis
from fastapi import APIRouter, Depends, FastAPI, Query, Security
from fastapi.openapi.models import SecurityBase
from pydantic import BaseModel, Field
from starlette.responses import JSONResponse

from bedplate.auth import SESSION_COOKIE, Guard, session_cookie
from bedplate.backend import Backend
from bedplate.conditional import IfNoneMatch
from bedplate.openapi import errors, headers, install_openapi
from bedplate.problems import (
    MEDIA_TYPE,
    Conflict,
    NotFound,
    ProblemPolicy,
    UnprocessableContent,
    install_problems,
)
from bedplate.rate_limits import Budget, RateLimit
from bedplate.schemas import Int64Id, QueryInt64, StrictInt64Id
from bedplate.settings import Settings

GUARD = Guard(alternatives={"cookie": SESSION_COOKIE})


class NoteLocked(Conflict):
    """A second reason for a 409."""

    title = "Note Locked"


class Note(BaseModel):
    """A body and an answer."""

    text: str


def _router() -> APIRouter:
    router = APIRouter()

    @router.get("/health")
    async def health() -> str:
        return "up"

    @router.get("/notes/{note_id}", responses=errors(NotFound), dependencies=[Depends(GUARD)])
    async def read(
        note_id: Int64Id, limit: Annotated[QueryInt64, Query(ge=1, le=1000)] = 9
    ) -> Note:
        return Note(text="x")

    @router.post("/notes", status_code=201, responses=errors(Conflict, NoteLocked))
    async def write(note: Note) -> Note:
        return note

    @router.put("/notes", responses=errors(UnprocessableContent))
    async def replace(note: Note) -> Note:
        return note

    @router.delete("/notes", responses={410: {"description": "Gone"}})
    async def delete() -> None: ...

    return router


def _app(*routers: APIRouter, **policies: Any) -> FastAPI:
    policies = {"auth": GUARD, "rate_limit": RateLimit(read=Budget(9), write=None), **policies}
    backend = Backend(name="notes", title="Notes", settings=Settings, routers=[], **policies)
    app = FastAPI(title="Notes")
    for router in routers or (_router(),):
        app.include_router(router)
    install_problems(app, backend.problems)
    install_openapi(app, backend)
    return app


def _responses(document: dict[str, Any], method: str, path: str) -> dict[str, Any]:
    found: dict[str, Any] = document["paths"][path][method]["responses"]
    return found


def _references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            yield part["$ref"]
        for item in part.values():
            yield from _references(item)
    elif isinstance(part, list):
        for item in part:
            yield from _references(item)


@pytest.mark.parametrize(
    ("method", "path", "statuses"),
    [
        ("get", "/health", ["200", "429", "503", "504"]),
        ("get", "/notes/{note_id}", ["200", "400", "401", "404", "429", "503", "504"]),
        ("post", "/notes", ["201", "400", "409", "413", "429", "503", "504"]),
        ("put", "/notes", ["200", "400", "413", "422", "429", "503", "504"]),
        ("delete", "/notes", ["200", "410", "429", "503", "504"]),
    ],
)
def test_an_operation_shows_what_it_may_answer(method: str, path: str, statuses: list[str]) -> None:
    """Its own errors, and those of any route: with the status that refused input gets."""
    document = _app(problems=ProblemPolicy(validation_status=400)).openapi()
    assert list(_responses(document, method, path)) == statuses


def test_what_cannot_be_parsed_is_a_400_whatever_a_refused_value_gets() -> None:
    """A body that is not JSON, and a condition that is none."""
    router = APIRouter()

    @router.get("/notes")
    async def read(condition: IfNoneMatch) -> Note:
        return Note(text="x")

    assert "400" in _responses(_app(router).openapi(), "get", "/notes")
    document = _app().openapi()
    assert {"400", "422"} <= _responses(document, "post", "/notes").keys()
    assert "400" not in _responses(document, "get", "/notes/{note_id}")


def test_a_role_that_a_route_asks_for_is_shown_with_its_403() -> None:
    """Under every scheme of the guard."""
    router = APIRouter()

    @router.delete("/notes", dependencies=[Security(GUARD.requiring("admin"), scopes=["admin"])])
    async def delete() -> None: ...

    document = _app(router).openapi()
    assert {"401", "403"} <= _responses(document, "delete", "/notes").keys()
    security = document["paths"]["/notes"]["delete"]["security"]
    assert security == [{"session": ["admin"]}, {"cookie": ["admin"]}]


def test_headers_are_shown_with_the_answer_they_come_with() -> None:
    """Beside its body, and on a status that has none; only `Link` may be missing."""
    router = APIRouter()

    @router.get("/notes", responses={**headers(200, "ETag", "Link"), **headers(304, "ETag")})
    async def read() -> Note:
        return Note(text="x")

    shown = _responses(_app(router).openapi(), "get", "/notes")
    required = {name: header.get("required") for name, header in shown["200"]["headers"].items()}
    assert required == {"ETag": True, "Link": None}
    assert shown["200"]["content"].keys() == {"application/json"}
    assert shown["200"]["description"] == "Successful Response"
    assert shown["304"]["headers"].keys() == {"ETag"}
    assert (shown["304"]["description"], "content" in shown["304"]) == ("Not Modified", False)


def test_the_422_that_is_sent_is_shown() -> None:
    """As a problem; FastAPI's own shape is nowhere in the document."""
    document = _app().openapi()
    assert "422" in _responses(document, "post", "/notes")
    assert "422" not in _responses(document, "get", "/health")
    assert "HTTPValidationError" not in json.dumps(document)
    assert "ValidationError" not in document["components"]["schemas"]


def test_a_limit_that_is_not_declared_is_not_shown() -> None:
    """Nor is a 401 where nothing asks for a proof."""
    document = _app(rate_limit=None).openapi()
    assert "429" not in _responses(document, "post", "/notes")
    assert "401" not in _responses(document, "post", "/notes")


def test_every_error_is_a_problem_and_every_reference_leads_somewhere() -> None:
    """Also of a route that only gave a description."""
    document = _app().openapi()
    for path in document["paths"].values():
        for operation in path.values():
            for status, response in operation["responses"].items():
                if status >= "400":
                    schema = response["content"][MEDIA_TYPE]["schema"]
                    assert schema == {"$ref": "#/components/schemas/Problem"}
    for reference in _references(document):
        assert reference.removeprefix("#/components/schemas/") in document["components"]["schemas"]


def test_two_errors_of_one_status_are_both_described() -> None:
    """OpenAPI has room for one response a status."""
    response = _responses(_app().openapi(), "post", "/notes")["409"]
    assert response["description"] == "Conflict or Note Locked"


def test_every_scheme_of_the_guard_is_shown_as_an_alternative() -> None:
    """Either will do, where the guard stands, and nowhere else."""
    document = _app().openapi()
    security = document["paths"]["/notes/{note_id}"]["get"]["security"]
    assert security == [{"session": []}, {"cookie": []}]
    assert document["components"]["securitySchemes"]["cookie"] == {
        "type": "apiKey",
        "in": "cookie",
        "name": "better-auth.session_token",
    }
    assert "security" not in document["paths"]["/notes"]["post"]


def test_the_schemes_may_depend_on_the_settings() -> None:
    """The document names the cookie that this server looks for."""

    def schemes(settings: Settings) -> dict[str, SecurityBase]:
        return {"cookie": session_cookie("my_session")} if settings.debug else {}

    guard = Guard(alternatives=schemes)
    backend = Backend(name="notes", title="Notes", settings=Settings, routers=[], auth=guard)
    named = {}
    for debug in (True, False):
        app = FastAPI(title="Notes")
        app.add_api_route("/notes", lambda: None, dependencies=[Depends(guard)])
        install_openapi(app, backend, Settings(_env_file=None, debug=debug))
        named[debug] = app.openapi()["components"]["securitySchemes"]
    assert named[True]["cookie"]["name"] == "my_session"
    assert "cookie" not in named[False]


def test_bounds_have_the_keywords_of_json_schema() -> None:
    """Pydantic writes `ge` where a bound follows a validator, which no client understands."""
    parameters = _app().openapi()["paths"]["/notes/{note_id}"]["get"]["parameters"]
    limit = next(found for found in parameters if found["name"] == "limit")["schema"]
    assert (limit["minimum"], limit["maximum"]) == (1, 1000)
    assert "ge" not in limit


def test_bounds_of_integers_are_integers() -> None:
    """FastAPI writes those of a body as floats, whose shortest digits are another number."""
    router = APIRouter()

    class Ids(BaseModel):
        ids: list[StrictInt64Id]

    @router.post("/ids")
    async def write(ids: Ids) -> None: ...

    document = _app(router).openapi()
    items = document["components"]["schemas"]["Ids"]["properties"]["ids"]["items"]
    assert items == {"type": "integer", "minimum": 1, "exclusiveMaximum": 2**63}
    assert "e+" not in json.dumps(items)


def test_fields_with_such_names_stay() -> None:
    """Only keywords of numbers are translated."""

    class Range(BaseModel):
        ge: int = Field(0, ge=2)
        type: str = "integer"

    router = APIRouter()

    @router.get("/range")
    async def read() -> Range:
        return Range()

    schema = _app(router).openapi()["components"]["schemas"]["Range"]
    assert set(schema["properties"]) == {"ge", "type"}
    assert schema["properties"]["ge"]["minimum"] == 2


def test_a_schema_of_the_same_name_as_fastapi_s_own_stays_when_it_is_used() -> None:
    """A backend may have its own `ValidationError`."""

    class ValidationError(BaseModel):
        reason: str

    router = APIRouter()

    @router.get("/last")
    async def read(page: int) -> ValidationError:
        return ValidationError(reason=str(page))

    document = _app(router).openapi()
    for reference in _references(document):
        assert reference.removeprefix("#/components/schemas/") in document["components"]["schemas"]


def test_the_document_is_made_once_and_stays_the_same() -> None:
    """Asking twice changes nothing, and costs nothing."""
    app = _app()
    first = app.openapi()
    text = json.dumps(first)
    assert app.openapi() is first
    assert json.dumps(app.openapi()) == text
    assert json.dumps(_app().openapi()) == text


def test_a_route_that_is_added_later_is_completed_too() -> None:
    """FastAPI makes the document anew then, also where `Problem` is in it already."""
    app = _app()
    app.openapi()

    @app.get("/later", responses=errors(NotFound))
    async def later(page: int) -> str:
        return "later"

    assert {"404", "422", "503"} <= _responses(app.openapi(), "get", "/later").keys()


def test_a_backend_keeps_its_own_error_shape() -> None:
    """Only the 422 that isn't sent goes."""
    policy = ProblemPolicy(render=lambda _, error: JSONResponse({"error": error.code}))
    document = _app(problems=policy).openapi()
    assert list(_responses(document, "put", "/notes")) == ["200", "422"]
    assert list(_responses(document, "get", "/health")) == ["200"]


def test_an_application_without_models_has_a_document() -> None:
    """Nothing but a route."""
    router = APIRouter()
    router.add_api_route("/", lambda: None)
    assert "Problem" in _app(router).openapi()["components"]["schemas"]


async def test_the_document_is_valid_and_can_be_used() -> None:
    """By a tool that reads it as clients do: schemathesis finds every operation."""
    schema = schemathesis.openapi.from_dict(_app().openapi())
    schema.validate()
    assert [type(found).__name__ for found in schema.get_all_operations()] == ["Ok"] * 5
