from collections.abc import AsyncIterator, Sequence
from typing import Any

from sqlalchemy import bindparam, insert, select

from bedplate.database import AnyOf, ReadSession, Row, Statement, WriteSession
from fountain.characters import models
from fountain.common import repository as common
from fountain.common.repository import part_statement, read_parts


class Kind:
    """One kind of original, its paraphrases, and the statements on both."""

    def __init__(self, name: str, model: Any, paraphrase: Any) -> None:
        self.name = name
        table, paraphrases = model.__table__, paraphrase.__table__
        of_original = paraphrases.c.original_id == bindparam("identifier")
        this_paraphrase = paraphrases.c.id == bindparam("paraphrase_id")
        self.list = part_statement(select(table))
        self.get = Statement(select(table).where(table.c.id == bindparam("identifier")))
        self.look_up = Statement(select(table).where(AnyOf(table.c.id, "identifiers")))
        self.add = Statement(_insert(table))
        self.list_paraphrases = part_statement(select(paraphrases).where(of_original))
        self.get_paraphrase = Statement(select(paraphrases).where(of_original, this_paraphrase))
        self.add_paraphrase = Statement(_insert(paraphrases))


def _insert(table: Any) -> Any:
    columns: dict[str, Any] = {column.name: bindparam(f"new_{column.name}") for column in table.c}
    del columns["id"]
    return insert(table).values(columns).returning(*table.c)


CHARACTERS = Kind("character", models.Character, models.CharacterParaphrase)
ACTIONS = Kind("action", models.Action, models.ActionParaphrase)
SPOKEN_WORDS = Kind("spoken word", models.SpokenWord, models.SpokenWordParaphrase)


def originals(session: ReadSession, kind: Kind) -> AsyncIterator[list[Row]]:
    """Yield all originals of a kind in parts, in the order of their identifiers."""
    return read_parts(session, kind.list)


async def get(session: ReadSession, kind: Kind, identifier: int) -> Row | None:
    """Return an original, or None."""
    return await session.one_or_none(kind.get, identifier=identifier)


async def look_up(session: ReadSession, kind: Kind, identifiers: Sequence[int]) -> list[Row]:
    """Return originals in the order of `identifiers`, without the unknown."""
    return await common.look_up(session, kind.look_up, identifiers)


async def add(session: WriteSession, kind: Kind, **fields: str) -> Row:
    """Store an original and return it."""
    return await session.one(kind.add, **_new(fields))


def paraphrases(session: ReadSession, kind: Kind, identifier: int) -> AsyncIterator[list[Row]]:
    """Yield all paraphrases of an original in parts, the oldest first."""
    return read_parts(session, kind.list_paraphrases, identifier=identifier)


async def get_paraphrase(
    session: ReadSession, kind: Kind, identifier: int, paraphrase_id: int
) -> Row | None:
    """Return a paraphrase of an original, or None."""
    return await session.one_or_none(
        kind.get_paraphrase, identifier=identifier, paraphrase_id=paraphrase_id
    )


async def add_paraphrase(
    session: WriteSession, kind: Kind, identifier: int, *, text: str, commentary: str
) -> Row:
    """Store a paraphrase and return it. Raises `ForeignKeyViolation` for an unknown original."""
    fields = {"original_id": identifier, "text": text, "commentary": commentary}
    return await session.one(kind.add_paraphrase, **_new(fields))


def _new(fields: dict[str, Any]) -> dict[str, Any]:
    return {f"new_{name}": value for name, value in fields.items()}
