"""Secret ballots and anonymous answers: what the tables themselves give away."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from pydantic import SecretStr
from sqlalchemy import Connection, inspect, text

from bedplate.database import Database
from bedplate.testing.clock import SettableClock
from bedplate.testing.databases import TemplateDatabase, TemplateFile
from bedplate.testing.problems import ProblemOf
from live.activities import repository as activities
from live.activities.schemas import Policy
from live.activity_type import all_types
from live.models.responses import Response
from live.participants import repository as participants
from live.responses.service import Responses
from live.security import Member
from live.sessions import repository as sessions
from live.sessions.schemas import SessionSettings
from live.settings import LiveSettings

if TYPE_CHECKING:
    from backends.live.tests.conftest import Evening

Dump = dict[str, list[tuple[Any, ...]]]

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
SESSION, ACTIVITY, HOST = UUID(int=1), UUID(int=2), UUID(int=3)
PEOPLE = [UUID(int=100 + place) for place in (3, 0, 4, 1, 2)]
ORDERS = ["abcab", "baacb", "cbaba"]
"""Votes of five people, one after the other, that sum up to the same: two a, two b, one c."""


class Databases:
    """Makes as many migrated databases of a kind as a test needs."""

    def __init__(self, kind: str, request: pytest.FixtureRequest, folder: Path) -> None:
        self._kind = kind
        self._request = request
        self._folder = folder
        self._urls: list[str] = []

    def new(self) -> str:
        """Return the URL of a new one."""
        if self._kind == "sqlite":
            file: TemplateFile = self._template("template_file_of")
            folder = self._folder / str(len(self._urls))
            folder.mkdir()
            self._urls.append(file.clone(folder))
        else:
            server: TemplateDatabase = self._template("template_database_of")
            self._urls.append(server.clone())
        return self._urls[-1]

    def close(self) -> None:
        """Drop those of the server."""
        if self._kind != "sqlite":
            for url in self._urls:
                self._template("template_database_of").drop(url)

    def _template(self, fixture: str) -> Any:
        """Return the migrated database to copy."""
        migrate = self._request.getfixturevalue("migrate_database")
        return self._request.getfixturevalue(fixture)(migrate)


@pytest.fixture(params=["sqlite", "postgresql"])
def databases(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Databases]:
    """Give what makes migrated databases."""
    made = Databases(request.param, request, tmp_path)
    yield made
    made.close()


async def vote(url: str, votes: Sequence[str], policy: Policy) -> Dump:
    """Let five people vote one after the other, and return all that is stored then."""
    kind = all_types()["poll"]
    config = kind.parse_config({"options": [{"text": each} for each in "123"]})
    async with Database.open(LiveSettings(database_url=SecretStr(url))) as database:
        async with database.write() as session:
            fields = {
                "id": SESSION, "code": "BCDFGHJ", "title": "T", "description": None,
                "max_participants": 9, "settings": SessionSettings().model_dump(),
            }  # fmt: skip
            await sessions.add(session, HOST, fields, NOW)
            await sessions.start(session, SESSION, NOW)
            await participants.add(session, [_participant(each) for each in PEOPLE])
            fields = {
                "id": ACTIVITY, "type": "poll", "title": "T", "notes": None, "seconds": None,
                "config": config.model_dump(mode="json"), "policy": policy.model_dump(),
            }  # fmt: skip
            await activities.add(session, SESSION, fields, 0, NOW)
            await activities.open_(session, ACTIVITY, now=NOW, until=None)
        async with Responses(database) as responses:
            for who, choice in zip(PEOPLE, votes, strict=True):
                await responses.put(Member(who, SESSION), ACTIVITY, {"choices": [choice]})
        async with database.engine.connect() as connection:
            return await connection.run_sync(dump)


def _participant(who: UUID) -> dict[str, Any]:
    name = str(who.int)
    return {
        "id": who, "session_id": SESSION, "nickname": name, "folded": name, "base": name,
        "state": "joined", "join_key": None, "time_factor": 1.0, "joined_at": NOW, "seen_at": NOW,
    }  # fmt: skip


def dump(connection: Connection) -> Dump:
    """Return all tables as they are stored, in the order in which they are stored.

    On PostgreSQL with which transactions wrote and locked each row: as ranks, since their numbers
    differ from database to database.
    """
    on_postgresql = connection.dialect.name == "postgresql"
    hidden = "xmin::text::bigint, xmax::text::bigint, " if on_postgresql else ""
    order = "ORDER BY ctid" if on_postgresql else ""
    rows = {
        table: [
            tuple(row)
            for row in connection.execute(text(f'SELECT {hidden}* FROM "{table}" {order}'))
        ]
        for table in sorted(inspect(connection).get_table_names())
        if table.startswith("live_")
    }
    if not on_postgresql:
        return rows
    numbers = sorted({number for each in rows.values() for row in each for number in row[:2]})
    rank = {number: place for place, number in enumerate(numbers)}
    return {
        table: [(rank[row[0]], rank[row[1]], *row[2:]) for row in each]
        for table, each in rows.items()
    }


async def test_a_secret_ballot_has_no_link(databases: Databases, clock: SettableClock) -> None:
    """Three evenings in which the same people vote otherwise, with the same sum: equal tables.

    So nothing that is stored tells who voted what: no column, no order of rows, and on PostgreSQL
    no transaction that wrote one. Where it isn't secret the tables differ.
    """
    clock.set(NOW)
    secret = [await vote(databases.new(), order, Policy(secret=True)) for order in ORDERS]
    assert len(secret[0]["live_response"]) == 5
    assert len(secret[0]["live_counter"]) == 3
    assert secret[0] == secret[1] == secret[2]
    open_ = [await vote(databases.new(), order, Policy()) for order in ORDERS[:2]]
    assert open_[0] != open_[1]


async def test_anonymous_answers_have_no_time_and_no_order(
    databases: Databases, clock: SettableClock
) -> None:
    """No time stands beside an answer, and five who come one after the other stand by their ids."""
    clock.set(NOW)
    tables = await vote(databases.new(), "abcab", Policy(anonymous=True))
    rows = tables["live_response"]
    assert all(row[-2:] == (None, None) for row in rows)
    if len(rows[0]) == len(Response.__table__.c):  # on SQLite, which has no hidden columns
        assert [UUID(row[2]) for row in rows] == sorted(PEOPLE)


async def test_a_secret_vote_is_one_vote(evening: "Evening", problem_of: "ProblemOf") -> None:
    """It can't be read, repeated, changed or taken back, and the voter learns that."""
    ann = await evening.join("Ann")
    poll = await evening.add_open("poll", policy={"secret": True})
    stored = await evening.answer(ann, poll, choices=["a"])
    assert (stored["status"], stored["answer"], stored["secret"]) == ("stored", None, True)
    path = evening.responses(poll)
    for choice in ("a", "b"):
        again = await evening.api.put(
            path, json={"answer": {"choices": [choice]}}, headers=ann.headers
        )
        assert problem_of(again, 409)["code"] == "already_answered"
    gone = await evening.api.delete(path, headers=ann.headers)
    assert problem_of(gone, 409)["code"] == "already_answered"
    own = (await evening.api.get(path, headers=ann.headers)).json()
    assert own["answer"] is None
