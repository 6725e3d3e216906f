"""The floor: raw ASGI, asyncpg and orjson. One session query and one task query.

What a careful person writes when nothing but speed counts: no framework, no models,
no validation beyond what the statements need. `floor, no reset` is the same with a pool that gives
connections back as they are: asyncpg's own sends a statement each time that undoes what a
session may have set, which none of these statements does.
"""

import hmac
from collections.abc import Mapping
from contextlib import suppress
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qs

import asyncpg
import orjson
from starlette.types import Receive, Scope, Send

from benchmarks.cases import task_requests
from benchmarks.contender import Contender
from benchmarks.seed import SESSION_HASH_SECRET

_SECRET = SESSION_HASH_SECRET.encode()
_SESSION = """
SELECT users.id::text FROM user_sessions JOIN users ON users.id = user_sessions.user_id
WHERE token_hash = $1 AND NOT revoked AND expires_at > now()
"""
_MEMBERS = "id, user_id, title, description, completed, created_at, updated_at"
_ONE = f"SELECT {_MEMBERS} FROM tasks WHERE id = $1 AND user_id = $2"
_MANY = (
    f"SELECT {_MEMBERS} FROM tasks WHERE user_id = $1 ORDER BY created_at DESC, id DESC LIMIT $2"
)
_INSERT = (
    "INSERT INTO tasks (user_id, title, description, completed, created_at, updated_at)"
    " VALUES ($1, $2, $3, $4, now(), now())"
    f" RETURNING {_MEMBERS}"
)


class Floor:
    """The whole API: reads the session, then answers."""

    def __init__(self, database_url: str, **pool: Any) -> None:
        self._database_url = database_url
        self._options = pool
        self._pool: asyncpg.Pool

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or run the lifespan."""
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
            return
        async with self._pool.acquire() as connection:
            user_id = await connection.fetchval(_SESSION, _token_hash(scope))
            if user_id is None:
                await _answer(send, 401, b'{"detail": "Not signed in"}')
            elif scope["method"] == "POST":
                with suppress(ConnectionError):
                    await self._create(connection, user_id, receive, send)
            elif scope["path"] == "/tasks":
                await self._list(connection, user_id, scope, send)
            else:
                await self._read(connection, user_id, scope, send)

    async def _read(
        self, connection: asyncpg.Connection, user_id: str, scope: Scope, send: Send
    ) -> None:
        task_id = int(scope["path"].removeprefix("/tasks/"))
        row = await connection.fetchrow(_ONE, task_id, user_id)
        if row is None:
            await _answer(send, 404, b'{"detail": "Task not found"}')
        else:
            await _answer(send, 200, _json(dict(row)))

    async def _list(
        self, connection: asyncpg.Connection, user_id: str, scope: Scope, send: Send
    ) -> None:
        query = parse_qs(scope["query_string"])
        limit = int(query.get(b"limit", [b"100"])[0])
        rows = await connection.fetch(_MANY, user_id, limit)
        await _answer(send, 200, _json([dict(row) for row in rows]))

    async def _create(
        self, connection: asyncpg.Connection, user_id: str, receive: Receive, send: Send
    ) -> None:
        new: Mapping[str, object] = orjson.loads(await _body(receive))
        row = await connection.fetchrow(
            _INSERT, user_id, new["title"], new.get("description"), new.get("completed", False)
        )
        await _answer(send, 201, _json(dict(row)))

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        self._pool = await asyncpg.create_pool(
            self._database_url, min_size=1, max_size=10, **self._options
        )
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._pool.close()
        await send({"type": "lifespan.shutdown.complete"})


def _token_hash(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"authorization":
            return hmac.new(_SECRET, value.removeprefix(b"Bearer "), sha256).hexdigest()
    return ""


async def _body(receive: Receive) -> bytes:
    chunks: list[bytes] = []
    while (message := await receive())["type"] == "http.request":
        chunks.append(message["body"])
        if not message["more_body"]:
            return b"".join(chunks)
    raise ConnectionError("The client left before the body was complete.")


def _json(value: object) -> bytes:
    body: bytes = orjson.dumps(value, option=orjson.OPT_UTC_Z)
    return body


async def _answer(send: Send, status: int, body: bytes) -> None:
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def build(database_url: str, redis_url: str) -> Contender:  # noqa: ARG001
    """Return the app; it keeps no rate limits, so Redis is not used."""
    return Contender(Floor(database_url), task_requests())


async def build_without_reset(database_url: str, redis_url: str) -> Contender:  # noqa: ARG001
    """Return the same app with a pool that resets no connection."""
    return Contender(Floor(database_url, reset=_no_reset), task_requests())


async def _no_reset(connection: asyncpg.Connection) -> None:
    """Leave it as it is."""
