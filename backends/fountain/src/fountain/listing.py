"""Lists without a bound, as the contracts have them, sent in parts.

A list of 100,000 would take the event loop for seconds and memory several times its size. It is
read and sent a part at a time instead, between which others have their turn.
"""

from collections.abc import AsyncIterator, Callable
from typing import Any, Final, TypeVar, cast

from pydantic_core import to_json
from sqlalchemy import BigInteger, Select, bindparam
from starlette.responses import StreamingResponse

from bedplate.contracts import ContractModel
from bedplate.database import ReadSession, Row, Statement

PART: Final = 500
"""How many are read by one statement."""

Item = TypeVar("Item", bound=ContractModel)


def part_of(query: Select[*tuple[Any, ...]]) -> Statement:
    """Return what reads a part of the rows, for `in_parts`; their first column is the `id`."""
    identifier = query.selected_columns[0]
    after = identifier > bindparam("after", type_=BigInteger)
    most = bindparam("most", type_=BigInteger)
    return Statement(query.where(after).order_by(identifier).limit(most))


async def in_parts(
    session: ReadSession, statement: Statement, **parameters: Any
) -> AsyncIterator[list[Row]]:
    """Yield the rows of a statement in parts, at least one part, in the order of their `id`.

    The statement, made by `part_of`, takes `after`, the `id` before the first it returns, and
    `most`, their number.
    """
    rows = await session.all(statement, after=0, most=PART, **parameters)
    while len(rows) == PART:
        yield rows
        rows = await session.all(statement, after=rows[-1]["id"], most=PART, **parameters)
    yield rows


async def listed(parts: AsyncIterator[list[Row]], shown: Callable[[Row], Item]) -> list[Item]:
    """Return a response with all rows as a JSON array.

    The first part is read at once, so an outage is still a 503; when a later one can't be read the
    connection is closed, and the client sees that the array isn't whole. FastAPI passes a response
    on as it is: the type is what the contract says of its body.
    """
    first = await anext(parts)
    body = StreamingResponse(_array(first, parts, shown), media_type="application/json")
    return cast("list[Item]", body)


async def _array(
    first: list[Row], others: AsyncIterator[list[Row]], shown: Callable[[Row], Item]
) -> AsyncIterator[bytes]:
    yield b"[" + _members(first, shown)
    async for part in others:
        if part:
            yield b"," + _members(part, shown)
    yield b"]"


def _members(rows: list[Row], shown: Callable[[Row], Item]) -> bytes:
    return to_json([shown(row) for row in rows])[1:-1]
