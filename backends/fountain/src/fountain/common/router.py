"""Lists without a limit, as the contracts have them, sent in parts.

A list of 100,000 would block the event loop for seconds and take several times its size in memory.
So it is read and sent in parts, between which other requests are served.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any, TypeVar, cast

from pydantic_core import to_json
from starlette.responses import Response, StreamingResponse

from bedplate.contracts import ContractModel
from bedplate.database import Row
from fountain.common import chunks

Item = TypeVar("Item", bound=ContractModel)


async def json_array(parts: AsyncIterator[list[Row]], to_item: Callable[[Row], Item]) -> list[Item]:
    """Return a response with all rows as a JSON array.

    The first part is read before, so an outage is still a 503. When a later part can't be read the
    connection is closed, and the client sees an incomplete array. FastAPI passes a response on
    unchanged: the return type is the contract's type of its body.
    """
    first = await anext(parts)

    def members(rows: list[Row]) -> bytes:
        return to_json([to_item(row) for row in rows])[1:-1]

    async def array() -> AsyncIterator[bytes]:
        yield b"[" + members(first)
        async for part in parts:
            if part:
                yield b"," + members(part)
        yield b"]"

    return cast("list[Item]", StreamingResponse(array(), media_type="application/json"))


async def known_rows(rows: Sequence[Row], members: Callable[[Row], dict[str, Any]]) -> Any:
    """Return a response with rows that were read already as a JSON array of their members."""
    return json_response(await chunks.json_array(rows, members))


def json_response(content: bytes) -> Any:
    """Return a response of JSON. FastAPI passes it on, whatever type the contract has."""
    return Response(content, media_type="application/json")
