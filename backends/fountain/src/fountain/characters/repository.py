"""The statements on each kind of thing and on its paraphrases. Only here is SQL written."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

from sqlalchemy import bindparam, insert, select

from bedplate.database import ReadSession, Row, Statement, WriteSession, any_of
from fountain.characters.models import (
    Action,
    ActionParaphrase,
    Character,
    CharacterParaphrase,
    SpokenWord,
    SpokenWordParaphrase,
)
from fountain.listing import in_parts, part_of


class Kind:
    """One kind of thing, its paraphrases, and the statements on both, compiled once."""

    def __init__(self, name: str, model: Any, paraphrase: Any) -> None:
        self.name = name
        table, paraphrases = model.__table__, paraphrase.__table__
        this = table.c.id == bindparam("identifier")
        self.everything = part_of(select(table))
        self.one = Statement(select(table).where(this))
        self.several = Statement(select(table).where(any_of(table.c.id, "identifiers")))
        self.adding = Statement(_insert(table))
        self.paraphrases = part_of(
            select(paraphrases).where(paraphrases.c.original_id == bindparam("identifier"))
        )
        self.one_paraphrase = Statement(
            select(paraphrases).where(
                paraphrases.c.original_id == bindparam("identifier"),
                paraphrases.c.id == bindparam("paraphrase_id"),
            )
        )
        self.paraphrasing = Statement(_insert(paraphrases))


def _insert(table: Any) -> Any:
    written: dict[str, Any] = {column.name: bindparam(f"new_{column.name}") for column in table.c}
    del written["id"]
    return insert(table).values(written).returning(*table.c)


CHARACTERS = Kind("character", Character, CharacterParaphrase)
ACTIONS = Kind("action", Action, ActionParaphrase)
SPOKEN_WORDS = Kind("spoken word", SpokenWord, SpokenWordParaphrase)


def everything(session: ReadSession, kind: Kind) -> AsyncIterator[list[Row]]:
    """Yield every thing of a kind in parts, in the order of their identifiers."""
    return in_parts(session, kind.everything)


async def get(session: ReadSession, kind: Kind, identifier: int) -> Row | None:
    """Return one thing, or None."""
    return await session.one_or_none(kind.one, identifier=identifier)


async def several(session: ReadSession, kind: Kind, identifiers: Sequence[int]) -> list[Row]:
    """Return those of the identified things that there are, in any order."""
    return await session.all(kind.several, identifiers=list(identifiers))


async def add(session: WriteSession, kind: Kind, **fields: str) -> Row:
    """Store a thing and return it."""
    return (await session.alone(kind.adding, **_new(fields)))[0]


def paraphrases(session: ReadSession, kind: Kind, identifier: int) -> AsyncIterator[list[Row]]:
    """Yield every paraphrase of a thing in parts, the oldest first."""
    return in_parts(session, kind.paraphrases, identifier=identifier)


async def get_paraphrase(
    session: ReadSession, kind: Kind, identifier: int, paraphrase_id: int
) -> Row | None:
    """Return one paraphrase of a thing, or None."""
    return await session.one_or_none(
        kind.one_paraphrase, identifier=identifier, paraphrase_id=paraphrase_id
    )


async def paraphrase(
    session: WriteSession, kind: Kind, identifier: int, *, text: str, commentary: str
) -> Row:
    """Store a paraphrase and return it. Raises `ForeignKeyViolation` for an unknown original."""
    fields = {"original_id": identifier, "text": text, "commentary": commentary}
    return (await session.alone(kind.paraphrasing, **_new(fields)))[0]


def _new(fields: dict[str, Any]) -> dict[str, Any]:
    return {f"new_{name}": value for name, value in fields.items()}
