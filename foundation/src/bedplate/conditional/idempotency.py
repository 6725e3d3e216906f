"""`Idempotency-Key` on unsafe methods (draft-ietf-httpapi-idempotency-key-header).

The key is inserted in the same transaction as the work it stands for. A second request with the
same key waits at the unique index until the first has committed, and then replays its answer; if
the first fails or its process dies, nothing is left and the second does the work: in any number of
instances, for the database orders them.
"""

import contextlib
import hashlib
import hmac
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any, Self

import orjson
from fastapi import Header, Request
from sqlalchemy import (
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    bindparam,
    delete,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.dml import ReturningInsert
from starlette.responses import Response

from bedplate import clock
from bedplate.database import Database, LockTimeout, Statement, UTCDateTime, WriteSession
from bedplate.jobs.background import Jobs
from bedplate.problems import BadRequest, Conflict, UnprocessableContent

KEPT = timedelta(hours=24)
_WAIT_SECONDS = 5.0
_PURGE_SECONDS = 3600.0
_MAX_KEY_LENGTH = 255
_MAX_OWNER_LENGTH = 128
_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_REPLAYED_HEADERS = ("content-type", "location", "etag", "link")


def _short(owner: str) -> str:
    """Return what stands for an owner in the table: the owner, or the hash of a long one."""
    if len(owner) <= _MAX_OWNER_LENGTH:
        return owner
    return hashlib.sha256(owner.encode("utf-8", "surrogatepass")).hexdigest()


class RequestStillRunning(Conflict):
    """The first request with this key isn't done yet."""

    code = "idempotent_request_still_running"
    detail = "The first request with this Idempotency-Key isn't done yet; try again."

    def __init__(self) -> None:
        super().__init__(headers={"Retry-After": "1"})


class IdempotencyKeyReused(UnprocessableContent):
    """The key stood for another request before."""

    code = "idempotency_key_reused"
    detail = "This Idempotency-Key was used for another request before."


def idempotency_table(metadata: MetaData) -> Table:
    """Declare the table of kept answers in a backend's own metadata, for its migrations."""
    table = Table(
        "idempotency_keys",
        metadata,
        Column("owner", String(_MAX_OWNER_LENGTH), primary_key=True),
        Column("key", String(_MAX_KEY_LENGTH), primary_key=True),
        Column("fingerprint", LargeBinary(32), nullable=False),
        Column("status", Integer),
        Column("headers", LargeBinary),
        Column("body", LargeBinary),
        Column("expires_at", UTCDateTime, nullable=False),
    )
    Index("idempotency_keys_expires_at_idx", table.c.expires_at)
    return table


def _claim(insert: postgresql.Insert | sqlite.Insert, table: Table) -> ReturningInsert[tuple[str]]:
    """Insert the key, or take over one that expired; no row comes back when it is in use."""
    fresh: dict[str, Any] = {
        "fingerprint": bindparam("new_fingerprint"),
        "expires_at": bindparam("new_expires_at"),
    }
    return (
        insert.values(owner=bindparam("of"), key=bindparam("by"), **fresh)
        .on_conflict_do_update(
            index_elements=[table.c.owner, table.c.key],
            set_=fresh,
            where=table.c.expires_at < bindparam("now", type_=UTCDateTime),
        )
        .returning(table.c.key)
    )


class Idempotency:
    """The dependency of routes that honour `Idempotency-Key`, over a backend's table.

    idempotency = Idempotency(idempotency_table(Base.metadata))
    Idempotent = Annotated[IdempotentRequest, Depends(idempotency)]

    A request waits for the first one with its key at most `wait_seconds`.
    """

    def __init__(self, table: Table, *, wait_seconds: float = _WAIT_SECONDS) -> None:
        self.wait_seconds = wait_seconds
        self.claims = {
            "postgresql": Statement(_claim(postgresql.insert(table), table)),
            "sqlite": Statement(_claim(sqlite.insert(table), table)),
        }
        mine = (table.c.owner == bindparam("of")) & (table.c.key == bindparam("by"))
        self.kept = Statement(
            select(table.c.fingerprint, table.c.status, table.c.headers, table.c.body).where(mine)
        )
        self.keep = Statement(
            update(table)
            .where(mine)
            .values(
                status=bindparam("new_status"),
                headers=bindparam("new_headers"),
                body=bindparam("new_body"),
            )
        )
        self._expire = Statement(delete(table).where(table.c.expires_at < bindparam("before")))

    async def __call__(
        self,
        request: Request,
        idempotency_key: Annotated[
            str | None,
            Header(
                description="The same key gets the same answer, for 24 hours",
                json_schema_extra={"pattern": f"^{_KEY.pattern}$"},
            ),
        ] = None,
    ) -> "IdempotentRequest":
        """Return what does this request's work once. Raises `BadRequest` for a malformed key."""
        database: Database = request.scope["state"]["database"]
        fingerprint = b""
        if idempotency_key is not None:
            if not _KEY.fullmatch(idempotency_key):
                raise BadRequest("Idempotency-Key must be 1 to 255 visible ASCII characters.")
            fingerprint = _fingerprint(request, await request.body())
        return IdempotentRequest(self, database, idempotency_key, fingerprint)

    async def purge(self, database: Database) -> None:
        """Delete the keys that expired."""
        async with database.autocommit() as session:
            await session.all(self._expire, before=clock.now())

    @contextlib.asynccontextmanager
    async def open(self, database: Database, jobs: Jobs) -> AsyncIterator[Self]:
        """Delete expired keys once an hour, as a field of a backend's state."""
        jobs.every(_PURGE_SECONDS, lambda: self.purge(database), name="purge_idempotency_keys")
        yield self


@dataclass(eq=False, slots=True)
class IdempotentRequest:
    """Runs the handler of one request once for its key; without a key, every time."""

    _idempotency: Idempotency
    _database: Database
    _key: str | None
    _fingerprint: bytes

    async def run(
        self,
        owner: str,
        handler: Callable[[WriteSession], Awaitable[Response]],
        *,
        autocommit: bool = False,
    ) -> Response:
        """Return the response of `handler`, or the one stored under this owner's key.

        The handler gets a transaction, which is committed before this returns. With `autocommit`
        a request without a key gets an `AutocommitSession`: for handlers that run one statement.
        Errors are not stored. Raises `IdempotencyKeyReused`, `RequestStillRunning`.
        """
        if self._key is None:
            database = self._database
            async with database.autocommit() if autocommit else database.write() as session:
                return await handler(session)
        async with self._database.write() as session:
            row = {"of": _short(owner), "by": self._key}
            if not await self._claimed(session, row):
                return await self._stored_response(session, row)
            response = await handler(session)
            headers = response.headers
            replayed = {name: headers[name] for name in _REPLAYED_HEADERS if name in headers}
            await session.all(
                self._idempotency.keep,
                **row,
                new_status=response.status_code,
                new_headers=orjson.dumps(replayed),
                new_body=bytes(response.body),
            )
            return response

    async def _claimed(self, session: WriteSession, row: dict[str, str]) -> bool:
        now = clock.now()
        try:
            await session.limit_waits(self._idempotency.wait_seconds)
            rows = await session.all(
                self._idempotency.claims[session.dialect_name],
                **row,
                new_fingerprint=self._fingerprint,
                new_expires_at=now + KEPT,
                now=now,
            )
        except LockTimeout:
            raise RequestStillRunning from None
        return bool(rows)

    async def _stored_response(self, session: WriteSession, row: dict[str, str]) -> Response:
        stored = await session.one_or_none(self._idempotency.kept, **row)
        if stored is None:  # it expired, and was deleted in this very moment
            raise RequestStillRunning
        if not hmac.compare_digest(stored["fingerprint"], self._fingerprint):
            raise IdempotencyKeyReused
        return Response(stored["body"], stored["status"], orjson.loads(stored["headers"]))


def _fingerprint(request: Request, body: bytes) -> bytes:
    """Return what two requests share when they are the same: method, address and body."""
    scope = request.scope
    address = scope.get("raw_path") or scope["path"].encode()
    parts = (scope["method"].encode(), address, scope["query_string"], body)
    return hashlib.sha256(b"".join(len(p).to_bytes(8, "big") + p for p in parts)).digest()
