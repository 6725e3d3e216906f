"""Two instances on one database, and what compares counters with the answers that are stored."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from sqlalchemy import func, select

from bedplate.database import Database
from bedplate.testing.client import Client, client
from live.models.responses import Response
from live.responses.service import recount

if TYPE_CHECKING:
    from backends.live.tests.conftest import MakeApp

Activity = dict[str, Any]
Check = Callable[[Activity], Awaitable[int]]


@pytest.fixture
async def other_api(make_app: "MakeApp") -> AsyncIterator[Client]:
    """Give a client of a second instance on the same database."""
    async with client(make_app()) as opened:
        yield opened


@pytest.fixture
def check(database: Database) -> Check:
    """Give what compares an activity's counters with its answers, and returns how many these are.

    The answers of all rounds are counted.
    """

    async def check(activity: Activity) -> int:
        activity_id = UUID(activity["id"])
        async with database.write() as session:
            found = await recount(session, activity_id, repair=False)
        assert [each for each in found if not each.is_right] == []
        number = select(func.count()).where(Response.activity_id == activity_id)
        async with database.engine.connect() as connection:
            rows = int(await connection.scalar(number) or 0)
        assert rows == sum(each.stored[1] for each in found)
        return rows

    return check
