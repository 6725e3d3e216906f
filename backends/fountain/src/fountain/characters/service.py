"""The rules: the same for characters, actions and spoken words. Nothing here knows HTTP."""

from collections.abc import AsyncIterator, Sequence

from bedplate.database import ForeignKeyViolation, ReadSession, Row, WriteSession
from bedplate.schemas import MAX_INT64
from fountain.characters import repository
from fountain.characters.exceptions import OriginalNotFound, OriginalsDiffer, ParaphraseNotFound
from fountain.characters.repository import Kind
from fountain.characters.schemas import ParaphraseCreateRequest


async def get(session: ReadSession, kind: Kind, identifier: int) -> Row:
    """Return one thing. Raises `OriginalNotFound`."""
    found = await repository.get(session, kind, identifier)
    if found is None:
        raise _unknown(kind)
    return found


async def several(session: ReadSession, kind: Kind, identifiers: Sequence[int]) -> list[Row]:
    """Return the identified things in the order asked for; unknown ones are left out."""
    wanted = [one for one in dict.fromkeys(identifiers) if 0 < one <= MAX_INT64]
    found = {row["id"]: row for row in await repository.several(session, kind, wanted)}
    return [found[identifier] for identifier in wanted if identifier in found]


async def paraphrases(
    session: ReadSession, kind: Kind, identifier: int
) -> AsyncIterator[list[Row]]:
    """Return every paraphrase of a thing, in parts. Raises `OriginalNotFound`."""
    await get(session, kind, identifier)
    return repository.paraphrases(session, kind, identifier)


async def get_paraphrase(
    session: ReadSession, kind: Kind, identifier: int, paraphrase_id: int
) -> Row:
    """Return one paraphrase of a thing. Raises `ParaphraseNotFound`."""
    found = await repository.get_paraphrase(session, kind, identifier, paraphrase_id)
    if found is None:
        raise ParaphraseNotFound
    return found


async def paraphrase(
    session: WriteSession, kind: Kind, identifier: int, new: ParaphraseCreateRequest
) -> Row:
    """Store a paraphrase. Raises `OriginalsDiffer` and `OriginalNotFound`."""
    if new.original_id != identifier:
        raise OriginalsDiffer("The path and originalId don't name the same original.")
    try:
        return await repository.paraphrase(
            session, kind, identifier, text=new.text, commentary=new.commentary
        )
    except ForeignKeyViolation:
        raise _unknown(kind) from None


def _unknown(kind: Kind) -> OriginalNotFound:
    return OriginalNotFound(f"No such {kind.name}.")
