"""Forms and files: urlencoded and multipart, models, unions, limits, and broken ones."""

from typing import Annotated, Any

import pytest
from fastapi import APIRouter, Depends, FastAPI, File, Form, Request, UploadFile
from pydantic import BaseModel, ConfigDict, Json

from bedplate.testing.both_ways import ANY_STATUS, Cases, asked, assert_same
from bedplate.testing.exchanges import Trace

CASES = Cases()
URLENCODED = ("content-type", "application/x-www-form-urlencoded")
MULTIPART = ("content-type", "multipart/form-data; boundary=x")


def part(name: str, content: bytes, filename: str | None = None, kind: str = "text/plain") -> bytes:
    """Return a part of a multipart form."""
    disposition = f'form-data; name="{name}"'
    if filename is not None:
        disposition += f'; filename="{filename}"\r\nContent-Type: {kind}'
    return f"--x\r\nContent-Disposition: {disposition}\r\n\r\n".encode() + content + b"\r\n"


def multipart(*parts: bytes) -> bytes:
    """Return a multipart form."""
    return b"".join(parts) + b"--x--\r\n"


class Fields(BaseModel):
    """A model of a form."""

    model_config = ConfigDict(extra="forbid")
    name: str
    numbers: list[int] = []


class Numbered(BaseModel):
    """A model of a form beside another."""

    name: str
    number: int = 3


class Loose(BaseModel):
    """A model of a form that keeps what it doesn't know."""

    model_config = ConfigDict(extra="allow")
    title: str = "none"


FORMS = {
    "fields": "name=a&number=1", "twice": "name=a&name=b&number=1&number=2", "empty": "",
    "blank": "name=&number=", "wrong": "number=x", "numbers": "name=a&numbers=1&numbers=x",
    "extra": "name=a&more=1&more=2", "percent": "name=%ff%00&number=%",
    "plus": "name=a+b%2B&number=1",
    "json": "name=a&data=%5B1%2C2%5D", "title": "title=t&x=1",
    "list": "name=a&numbers=1&numbers=2",
}  # fmt: skip
FILES = {
    "one": multipart(part("file", b"content", "a.txt")),
    "two": multipart(part("file", b"1", "a"), part("file", b"2", "b"), part("files", b"3", "c")),
    "bytes": multipart(part("raw", b"\x00\xff", "a"), part("file", b"", "")),
    "empty": multipart(part("file", b"", "")),
    "text": multipart(part("file", b"no file"), part("name", b"a"), part("number", b"1")),
    "named": multipart(part("name", b"a", "a.txt"), part("number", b"1")),
    "many": multipart(*(part("files", str(number).encode(), "f") for number in range(30))),
    "fields": multipart(part("name", "\xe9".encode()), part("number", b"1")),
    "cut": part("file", b"content", "a.txt"),
    "large": multipart(part("file", b"z" * 70_000, "z", "image/png")),
    "nothing": multipart(),
    "broken": b"--y\r\n\r\n",
    "file": multipart(part("file", b"1", "f"), part("name", b"a"), part("number", b"1")),
    "raw": multipart(part("raw", b"1", "f"), part("file", b"2", "g"), part("file", b"3", "h")),
    "unnamed": b"--x\r\nContent-Disposition: form-data\r\n\r\n1\r\n--x--\r\n",
}


def forms(trace: Trace) -> FastAPI:
    """Return an application with a route for each kind of form."""
    app = FastAPI()

    @app.post("/fields")
    async def fields(name: Annotated[str, Form()], number: Annotated[int, Form()] = 7) -> Any:
        trace.note("fields")
        return [name, number]

    @app.post("/model")
    async def model(fields: Annotated[Fields, Form()]) -> Any:
        return fields

    @app.post("/maybe")
    async def maybe(fields: Annotated[Fields | None, Form()] = None) -> Any:
        return fields

    @app.post("/union")
    async def union(fields: Annotated[Fields | Loose, Form()]) -> Any:
        return fields

    @app.post("/lists")
    async def lists(
        name: Annotated[list[str], Form()] = [],  # noqa: B006
        numbers: Annotated[set[int] | None, Form()] = None,
        data: Annotated[Json[list[int]] | None, Form()] = None,
    ) -> Any:
        return [name, numbers and sorted(numbers), data]

    @app.post("/file")
    async def file(file: UploadFile, request: Request) -> Any:
        form = await request.form()
        return [
            file.filename,
            file.content_type,
            file.size,
            (await file.read())[:9].hex(),
            len(form),
        ]

    @app.post("/files")
    async def files(
        files: list[UploadFile], file: Annotated[UploadFile | None, File()] = None
    ) -> Any:
        return [[each.filename for each in files], file and file.filename]

    @app.post("/raw")
    async def raw(
        raw: Annotated[bytes, File()], file: Annotated[list[bytes] | None, File()] = None
    ) -> Any:
        return [raw.hex(), file and [each.hex() for each in file]]

    async def fields_again(name: Annotated[str, Form()]) -> str:
        return name

    @app.post("/mixed")
    def mixed(
        file: UploadFile,
        again: Annotated[str, Depends(fields_again)],
        name: Annotated[str, Form()],
        number: Annotated[int | None, Form()] = None,
    ) -> Any:
        return [file.file.read()[:9].hex(), again, name, number]

    @app.post("/sum")
    async def both(fields: Annotated[Numbered, Form()], loose: Annotated[Loose, Form()]) -> Any:
        return [fields, loose]

    return app


PATHS = ("fields", "model", "maybe", "union", "lists", "file", "files", "raw", "mixed", "sum")


# Starlette forgets the file of a form that breaks off within it.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("path", PATHS)
async def test_every_form_at_every_route(path: str) -> None:
    """Compiled or not, each form gives the same values or errors, and closes its files."""
    form = FILES["fields"]
    sent = [(URLENCODED[1], each.encode()) for each in FORMS.values()]
    sent += [(MULTIPART[1], each) for each in FILES.values()]
    sent += [(kind, form) for kind in ("multipart/form-data", "application/json", "text/plain")]
    requests = [
        asked(ANY_STATUS, "POST", f"/{path}", ("content-type", kind), body=body)
        for kind, body in sent
    ]
    parts = [form[:40], form[40:]]
    requests += [
        asked(ANY_STATUS, "POST", f"/{path}", MULTIPART, body=parts, slow=True),
        asked(ANY_STATUS, "POST", f"/{path}", MULTIPART, body=parts, leaves="in the body"),
        asked(None, "POST", f"/{path}", MULTIPART, body=parts, slow=True, cancelled="receive 0"),
    ]
    exchanges = await assert_same(forms, requests)
    assert {each.status for each in exchanges} >= {None, 200}


@CASES.add(
    asked(400, "POST", "/limited", MULTIPART, body=multipart(part("name", b"a"), part("b", b"b"))),
    asked(200, "POST", "/limited", MULTIPART, body=multipart(part("name", b"a"))),
    asked(400, "POST", "/in/limited", MULTIPART, body=multipart(part("name", b"abcdef"))),
    asked(200, "POST", "/in/limited", MULTIPART, body=multipart(part("name", b"abc"))),
)
def limits_of_forms(trace: Trace) -> FastAPI:
    """Limits of forms of a route and of a router hold."""
    app = FastAPI()
    router = APIRouter(form_limits={"max_part_size": 5})

    @app.post("/limited", form_limits={"max_fields": 1})
    async def limited(name: Annotated[str, Form()]) -> str:
        return name

    @router.post("/limited")
    async def limited_by_router(name: Annotated[str, Form()]) -> str:
        return name

    app.include_router(router, prefix="/in")
    return app


@pytest.mark.parametrize("name", CASES)
async def test_limits_hold_the_same(name: str) -> None:
    """Compiled or not, a form beyond its limits gets the same refusal."""
    await assert_same(*CASES[name])
