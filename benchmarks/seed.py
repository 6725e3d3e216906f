"""The rows: one reader with 1,000 tasks, one writer, and a crowd with 100 tasks each."""

import hmac
from dataclasses import dataclass
from hashlib import sha256
from uuid import UUID

import asyncpg

from benchmarks.schema import create_tables

READER = UUID("11111111-1111-4111-8111-111111111111")
WRITER = UUID("22222222-2222-4222-8222-222222222222")
READER_TOKEN = "r" * 32
WRITER_TOKEN = "w" * 32
SESSION_HASH_SECRET = "5eed" * 16
READER_TASK = 500
"""The id of one of the reader's tasks; the reader's are seeded first, from 1."""

_USERS = """
INSERT INTO users (id, email)
SELECT gen_random_uuid(), 'user' || number || '@example.com'
FROM generate_series(1, $1::int) AS number
"""
_SESSIONS = """
INSERT INTO user_sessions (id, user_id, token_hash, expires_at, revoked, created_at)
SELECT gen_random_uuid(), id, encode(sha256(convert_to(email, 'UTF8')), 'hex'),
       now() + interval '7 days', false, now()
FROM users
"""
_READER_TASKS = """
INSERT INTO tasks (user_id, title, description, completed, created_at, updated_at)
SELECT $1, 'Task number ' || number || ' of the reader',
       CASE WHEN number % 4 = 0 THEN NULL
            ELSE 'What there is to say about it, in one sentence of ordinary length.' END,
       number % 3 = 0,
       now() - number * interval '61 seconds',
       now() - number * interval '31 seconds'
FROM generate_series(1, 1000) AS number
"""
_CROWD_TASKS = """
INSERT INTO tasks (user_id, title, description, completed, created_at, updated_at)
SELECT users.id, 'Task number ' || number,
       'What there is to say about it, in one sentence of ordinary length.',
       number % 3 = 0,
       now() - number * interval '61 seconds',
       now() - number * interval '31 seconds'
FROM generate_series(1, $1::int) AS number CROSS JOIN users
"""
_KNOWN_USER = "INSERT INTO users (id, email) VALUES ($1, $2)"
_KNOWN_SESSION = """
INSERT INTO user_sessions (id, user_id, token_hash, expires_at, revoked, created_at)
VALUES (gen_random_uuid(), $1, $2, now() + interval '7 days', false, now())
"""


@dataclass(frozen=True)
class Crowd:
    """How many users there are beside the reader and the writer, and tasks of each."""

    users: int
    tasks: int


async def seed(database_url: str, crowd: Crowd) -> str:
    """Make the tables and rows in an empty database; return the server's version."""
    await create_tables(database_url)
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute(_READER_TASKS, str(READER))
        await connection.execute(_USERS, crowd.users)
        await connection.execute(_SESSIONS)
        await connection.execute(_CROWD_TASKS, crowd.tasks)
        await _known_user(connection, READER, "reader@example.com", READER_TOKEN)
        await _known_user(connection, WRITER, "writer@example.com", WRITER_TOKEN)
        await connection.execute("VACUUM ANALYZE")
        return str(await connection.fetchval("SHOW server_version"))
    finally:
        await connection.close()


async def _known_user(connection: asyncpg.Connection, user: UUID, email: str, token: str) -> None:
    await connection.execute(_KNOWN_USER, user, email)
    await connection.execute(_KNOWN_SESSION, user, token_hash(token))


def token_hash(token: str) -> str:
    """Return what `user_sessions` stores of a token: HMAC-SHA256, in hexadecimal digits."""
    return hmac.new(SESSION_HASH_SECRET.encode(), token.encode(), sha256).hexdigest()
