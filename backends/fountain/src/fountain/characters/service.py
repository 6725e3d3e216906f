"""The rules, the same for each kind of original: characters, actions and spoken words."""

from collections.abc import AsyncIterator

from bedplate.database import ForeignKeyViolation, ReadSession, Row, WriteSession
from fountain.characters import repository
from fountain.characters.exceptions import OriginalNotFound, OriginalsDiffer, ParaphraseNotFound
from fountain.characters.repository import Kind
from fountain.characters.schemas import ParaphraseCreateRequest


async def get(session: ReadSession, kind: Kind, identifier: int) -> Row:
    """Return an original. Raises `OriginalNotFound`."""
    original = await repository.get(session, kind, identifier)
    if original is None:
        raise _not_found(kind)
    return original


async def paraphrases(
    session: ReadSession, kind: Kind, identifier: int
) -> AsyncIterator[list[Row]]:
    """Return all paraphrases of an original, in parts. Raises `OriginalNotFound`."""
    await get(session, kind, identifier)
    return repository.paraphrases(session, kind, identifier)


async def get_paraphrase(
    session: ReadSession, kind: Kind, identifier: int, paraphrase_id: int
) -> Row:
    """Return a paraphrase of an original. Raises `ParaphraseNotFound`."""
    paraphrase = await repository.get_paraphrase(session, kind, identifier, paraphrase_id)
    if paraphrase is None:
        raise ParaphraseNotFound
    return paraphrase


async def add_paraphrase(
    session: WriteSession, kind: Kind, identifier: int, new: ParaphraseCreateRequest
) -> Row:
    """Store a paraphrase and return it. Raises `OriginalsDiffer` and `OriginalNotFound`."""
    if new.original_id != identifier:
        raise OriginalsDiffer
    try:
        return await repository.add_paraphrase(
            session, kind, identifier, text=new.text, commentary=new.commentary
        )
    except ForeignKeyViolation:
        raise _not_found(kind) from None


def _not_found(kind: Kind) -> OriginalNotFound:
    return OriginalNotFound(f"No such {kind.name}.")
