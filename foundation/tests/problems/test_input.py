"""Input that is refused: what the problem document contains, and what it never does."""

from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import Annotated, Any, Literal
from uuid import UUID

import pytest
from fastapi import APIRouter, Body, FastAPI, Header, Query
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import Base64Str, BaseModel, ConfigDict, Discriminator, Field, Tag, field_validator
from pydantic_core import PydanticCustomError

from bedplate.problems import ProblemPolicy
from bedplate.schemas import SingleLineStr
from bedplate.testing.client import Client, client


class Colour(StrEnum):
    """Two colours."""

    RED = "red"
    BLUE = "blue"


class Cat(BaseModel):
    """One side of a union."""

    kind: Literal["cat"]
    lives: int


class Dog(BaseModel):
    """The other side."""

    kind: Literal["dog"]
    tricks: list[UUID]


def _kind_of(value: Any) -> str:
    return str(value.get("kind")) if isinstance(value, dict) else "none"


class Note(BaseModel):
    """A body that can be wrong in many ways."""

    model_config = ConfigDict(extra="forbid")

    title: Annotated[str, SingleLineStr(20)] = "x"
    colour: Colour = Colour.RED
    count: Annotated[int, Field(ge=0, le=3)] = 0
    pattern: Annotated[str, Field(pattern="^[0-9]$")] = "1"
    pet: Annotated[Cat | Dog, Field(discriminator="kind")] | None = None
    guest: (
        Annotated[Annotated[Cat, Tag("cat")] | Annotated[Dog, Tag("dog")], Discriminator(_kind_of)]
        | None
    ) = None
    choice: int | UUID | None = None
    data: Base64Str | None = None
    scores: dict[UUID, int] = {}
    quoting: str | None = None
    custom: str | None = None

    @field_validator("quoting")
    @classmethod
    def _quote(cls, value: str) -> str:
        raise ValueError(f"I don't like {value}")

    @field_validator("custom")
    @classmethod
    def _custom(cls, value: str) -> str:
        raise PydanticCustomError("unit", "no unit {unit}", {"unit": value[-3:]})


def _routes() -> APIRouter:
    router = APIRouter()

    @router.post("/notes")
    async def write(note: Note) -> Note:
        return note

    @router.get("/notes/{note_id}")
    async def read(
        note_id: UUID,
        page: Annotated[int, Query(le=9)] = 1,
        colour: Colour = Colour.RED,
        x_kind: Annotated[Literal["a"], Header()] = "a",
    ) -> str:
        return "note"

    @router.delete("/notes/{note_id}")
    async def delete(note_id: UUID) -> str:
        return "gone"

    @router.post("/any")
    async def take(value: Annotated[Any, Body()]) -> str:
        return "taken"

    @router.post("/form")
    async def upload(name: Annotated[UUID, Body()], size: Annotated[int, Body()]) -> str:
        return "uploaded"

    return router


MakeApp = Callable[..., FastAPI]
ProblemOf = Callable[[Any], dict[str, Any]]


@pytest.fixture
def routes() -> APIRouter:
    """The routes of the application."""
    return _routes()


@pytest.mark.parametrize("status", [400, 422])
async def test_the_policy_decides_on_the_status_of_refused_input(
    status: int, problem_of: ProblemOf, make_app: MakeApp
) -> None:
    """For a body, a query, a path, a header and malformed JSON alike."""
    async with client(make_app(_routes(), ProblemPolicy(validation_status=status))) as one:
        responses = [
            await one.post("/api/notes", json={"count": 9}),
            await one.post("/api/notes", content=b"{", headers={"content-type": "text/json"}),
            await one.post("/api/notes", content=b"{", headers=_JSON),
            await one.get(f"/api/notes/{UUID(int=1)}?page=10"),
            await one.get("/api/notes/x"),
            await one.get(f"/api/notes/{UUID(int=1)}", headers={"X-Kind": "b"}),
        ]
    assert [problem_of(response)["status"] for response in responses] == [status] * 6
    assert {response.json()["code"] for response in responses} == {"invalid_input"}


_JSON = {"content-type": "application/json"}


async def test_each_refused_field_is_named(caller: Client, problem_of: ProblemOf) -> None:
    """With a message for a person and a code for a program."""
    body = {"count": 9, "pet": {"kind": "cat", "lives": "many"}, "extra": 1}
    document = problem_of(await caller.post("/api/notes", json=body))
    assert document["errors"] == [
        {
            "field": "count",
            "message": "Input should be less than or equal to 3",
            "code": "less_than_equal",
        },
        {
            "field": "pet.cat.lives",
            "message": "Input should be a valid integer, unable to parse string as an integer",
            "code": "int_parsing",
        },
        {
            "field": "extra",
            "message": "Extra inputs are not permitted",
            "code": "extra_forbidden",
        },
    ]


async def test_a_validator_s_own_sentence_stays_unchanged(
    caller: Client, problem_of: ProblemOf
) -> None:
    """Without Pydantic's "Value error" in front of it."""
    document = problem_of(await caller.post("/api/notes", json={"title": "  "}))
    assert document["errors"] == [
        {
            "field": "title",
            "message": "Text should have at least one visible character",
            "code": "value_error",
        }
    ]


async def test_a_missing_or_malformed_body_is_named_as_such(
    caller: Client, problem_of: ProblemOf
) -> None:
    """There is no field to name."""
    for content in (b"", b"{", b"[1"):
        document = problem_of(await caller.post("/api/notes", content=content, headers=_JSON))
        assert document["errors"][0]["field"] == "body"


async def test_the_number_of_reported_errors_is_bounded(
    caller: Client, problem_of: ProblemOf
) -> None:
    """A small body can't ask for a huge answer, neither by many fields nor by a long name."""
    many = await caller.post("/api/notes", json={f"x{number}": 1 for number in range(5000)})
    assert len(problem_of(many)["errors"]) == 100
    long = await caller.post("/api/notes", json={"x" * 100_000: 1})
    assert len(long.content) < 2000


SECRET = "xq7ZkSecretw9"
_SECRETS = st.from_regex(r"xq7Zk[0-9a-zA-Z]{3,20}w9", fullmatch=True)


def _wrong_bodies(secret: str) -> Iterator[Any]:
    yield secret
    yield [secret]
    for field in Note.model_fields:
        for value in (secret, [secret], {"kind": secret}, {"kind": "dog", "tricks": [secret]}):
            yield {field: value}
    yield {"scores": {secret: 1}}
    yield {"scores": {str(UUID(int=1)): secret}}
    yield {"title": secret * 10}


@given(secret=_SECRETS)
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_a_refused_value_is_never_repeated(
    caller: Client, secret: str, problem_of: ProblemOf
) -> None:
    """Not from a body, a query, a path or a header; neither whole nor in part."""
    responses = [await caller.post("/api/notes", json=body) for body in _wrong_bodies(secret)]
    known = str(UUID(int=1))
    responses += [
        await caller.post("/api/notes", content=f'{{"title": {secret}'.encode(), headers=_JSON),
        await caller.get(f"/api/notes/{secret}"),
        await caller.get(f"/api/notes/{known}?page={secret}&colour={secret}"),
        await caller.get(f"/api/notes/{known}", headers={"X-Kind": secret}),
        await caller.post("/api/form", json={"name": secret, "size": secret}),
    ]
    refused = [response for response in responses if response.status_code != 200]
    assert len(refused) > 40
    for response in refused:
        problem_of(response)
        folded = response.text.casefold()
        assert secret.casefold() not in folded
        assert secret[:5].casefold() not in folded
        assert secret[-3:].casefold() not in folded


HOSTILE = {
    "deep array": b"[" * 100_000,
    "deep object": b'{"a":' * 100_000,
    "huge integer": b'{"count": ' + b"9" * 100_000 + b"}",
    "beyond 64 bits": b'{"count": 36893488147419103232, "choice": 36893488147419103232}',
    "not a number": b'{"count": NaN, "choice": NaN}',
    "infinity": b'{"count": 1e999, "choice": -Infinity}',
    "lone surrogate": b'{"title": "\\ud800", "pattern": "\\udfff"}',
    "lone surrogate as a name": b'{"\\ud800": 1}',
    "zero": b'{"title": "\\u0000"}',
    "zero byte": b'{"title": "\x00"}',
    "not UTF-8": b'{"title": "\xff\xfe"}',
    "UTF-16": '{"count": 9}'.encode("utf-16"),
    "empty": b" ",
    "null": b"null",
    "true": b'{"count": true, "title": true}',
    "many names alike": b'{"count": 9, "count": 9}',
}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("path", ["notes", "form"])
async def test_hostile_json_is_refused_and_never_a_server_error(
    caller: Client, name: str, path: str, problem_of: ProblemOf
) -> None:
    """The application stands alone here, without limits of depth and size around it."""
    response = await caller.post(f"/api/{path}", content=HOSTILE[name], headers=_JSON)
    if name == "true" and path == "notes":
        assert response.status_code in {200, 422}
    else:
        assert 400 <= response.status_code < 500
        problem_of(response)


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/xml", "multipart/form-data", "", "\xff", 'a/b; c="']
)
async def test_a_wrong_content_type_is_refused(
    caller: Client, content_type: str, problem_of: ProblemOf
) -> None:
    """Also one that can't be parsed."""
    headers = [(b"content-type", content_type.encode("latin-1"))]
    response = await caller.post("/api/notes", content=b'{"count": 1}', headers=headers)
    assert 400 <= response.status_code < 500
    problem_of(response)
