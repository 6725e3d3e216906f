"""How a backend types: mypy reads this file, and nothing runs it.

A line with `type: ignore` must be an error: mypy fails on an ignore that isn't needed.
"""

import contextlib
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends, Path
from pydantic import BaseModel, Field
from sqlalchemy import bindparam, insert, select
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from bedplate import database
from bedplate.backend import Backend
from bedplate.clients import service_client
from bedplate.clients.client import ServiceClient
from bedplate.conditional import IfNoneMatch
from bedplate.database import Database, Row, Statement
from bedplate.database.dependencies import Autocommit, ReadSession, WriteSession
from bedplate.database_state import DatabaseState
from bedplate.openapi import errors
from bedplate.problems import Conflict, NotFound, ProblemError
from bedplate.rate_limits import Budget, RateLimit
from bedplate.schemas import Int64Id, Schema, SingleLineStr, Timestamp, WholeNumber
from bedplate.settings import DatabaseSettings, WebURL
from bedplate.state import from_state, opened


class NotesSettings(DatabaseSettings, env_prefix="NOTES_"):
    """A setting has the type that it is declared with."""

    archive_url: WebURL | None = None
    notes_per_page: int = Field(20, ge=1)


def plain_types(settings: NotesSettings) -> tuple[str | None, int]:
    """The types of the house are Python's own to a type checker."""
    pages: str = settings.notes_per_page  # type: ignore[assignment]
    del pages
    return settings.archive_url, settings.notes_per_page


class NoteNotFound(NotFound):
    """An error needs a code, and a sentence where it is always the same."""

    code = "note_not_found"
    detail = "There is no such note."


class NoteLocked(Conflict):
    """The status belongs to the class."""

    code = 409  # type: ignore[assignment]


def raise_errors(title: str) -> ProblemError:
    """Members are free, headers are text."""
    if not title:
        raise NoteNotFound
    NoteLocked(f"{title} is locked.", headers={"Retry-After": "1"}, note=title)
    NoteLocked(headers={"Retry-After": 1})  # type: ignore[dict-item]
    return NoteNotFound()


class Base(DeclarativeBase):
    """The tables of the backend."""


class Note(Base):
    """One table."""

    __tablename__ = "notes"

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]


class Index:
    """Something that a backend opens."""

    def find(self, word: str) -> list[int]:
        """Return the ids of notes."""
        raise NotImplementedError(word)


@contextlib.asynccontextmanager
async def open_index(settings: NotesSettings, database: Database) -> AsyncIterator[Index]:
    """Yield the index; the parameters are earlier fields of the state."""
    del settings, database
    yield Index()


class NotesState(DatabaseState):
    """A field has the type that its opener yields."""

    settings: NotesSettings
    index: Index = opened(open_index)
    archive: ServiceClient = opened(service_client("archive", url="archive_url"))
    words: list[str] = opened(open_index)  # type: ignore[arg-type]


CurrentIndex = Annotated[Index, from_state(Index)]
NoteId = Annotated[Int64Id, Path(description="Its number")]
rate_limit = RateLimit(read=Budget(100), write=Budget(30, 60))


class NoteOut(BaseModel):
    """What a client receives."""

    id: int
    title: str
    created_at: Timestamp


class NoteNew(Schema):
    """What a client sends."""

    title: Annotated[str, SingleLineStr(200)]
    importance: Annotated[int, WholeNumber(1, 9)] = 1


def plain_schema(note: NoteNew) -> None:
    """Annotated types are text and numbers."""
    note.title.upper()
    note.importance.bit_length()
    note.importance.upper()  # type: ignore[attr-defined]


_ALL = Statement(select(Note.id, Note.title))
_ADD = Statement(insert(Note).values(title=bindparam("title")).returning(Note.id))


async def statements(read: database.ReadSession, write: database.WriteSession) -> Row:
    """What a session returns; one that reads has no `one`, since a row may be missing."""
    rows: list[Row] = await read.all(_ALL)
    row = await read.one_or_none(_ALL)
    row["title"]  # type: ignore[index]
    await read.one(_ADD, title="New")  # type: ignore[attr-defined]
    await read.all(select(Note.id))  # type: ignore[arg-type]
    del rows
    return await write.one(_ADD, title="New")


router = APIRouter(prefix="/notes", dependencies=[Depends(rate_limit)])


@router.get("/{note_id}", responses=errors(NoteNotFound))
async def get_note(
    note_id: NoteId, session: ReadSession, index: CurrentIndex, condition: IfNoneMatch
) -> None:
    """Aliases of dependencies are the types that they stand for."""
    note_id.bit_length()
    index.find("word").append(note_id)
    index.search("word")  # type: ignore[attr-defined]
    condition.not_modified("etag").bit_length()
    await session.all(_ALL)


@router.post("", responses=errors(NoteNotFound("No class.")))  # type: ignore[arg-type]
async def add_note(new: NoteNew, session: WriteSession) -> None:
    """A transaction."""
    await session.one(_ADD, title=new.title)


@router.put("")
async def touch_notes(session: Autocommit) -> None:
    """One statement that writes."""
    await session.one(_ADD, title="New")


backend = Backend(
    name="notes",
    title="Notes",
    settings=NotesSettings,
    state=NotesState,
    routers=[router],
    metadata=Base.metadata,
    rate_limit=rate_limit,
)

Backend(name="notes", title="Notes")  # type: ignore[call-arg]
Backend(name="notes", title="Notes", settings=NotesSettings())  # type: ignore[arg-type]
Backend(name="notes", title="Notes", settings=NotesSettings, state=Index)  # type: ignore[arg-type]
Backend(name="notes", title="Notes", settings=NotesSettings, routers=router)  # type: ignore[arg-type]
backend.name = "others"  # type: ignore[misc]
