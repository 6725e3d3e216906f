"""The rules of sessions. Nothing here knows requests and responses."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from unicodedata import normalize
from uuid import UUID

from bedplate import clock, ids
from bedplate.database import (
    CheckViolation,
    Database,
    ReadSession,
    Row,
    UniqueViolation,
    WriteSession,
)
from live.events.service import Events
from live.exceptions import SessionCompleted, SessionNotFound, WrongState, WrongToken
from live.models.sessions import CODE_LENGTH
from live.security import HOST, hash_of, new_host_token
from live.sessions import repository
from live.sessions.exceptions import CodeNotFound, LinkNotFound, TooFewPlaces, TooManyLinks
from live.sessions.schemas import LinkNew, SessionNew, SessionPatch

# Without vowels no words; of signs that look alike one at most: 24 signs, 4.6e9 codes.
_SIGNS: Final = "BCDFGHJKMNPQRTVWX2345679"
# Read from the last row, S may be a 5, and the other way round.
_MISREAD: Final = str.maketrans("SZ8", "52B")
_CODE_ATTEMPTS: Final = 5
MAX_LINKS: Final = 100


@dataclass(frozen=True)
class Created:
    """A new session, and its host's token where that is new too."""

    session: Row
    host_token: str | None


def new_code() -> str:
    """Return a join code: unguessable, and readable from the last row."""
    number = int(ids.token(16), 16)
    signs = []
    for _ in range(CODE_LENGTH):
        number, sign = divmod(number, len(_SIGNS))
        signs.append(_SIGNS[sign])
    return "".join(signs)


def normalized_code(typed: str) -> str | None:
    """Return a join code as it is stored, or None for a text that can't be one.

    People type small letters, full-width ones, spaces and hyphens, and misread signs.
    """
    signs = (sign for sign in normalize("NFKC", typed).upper() if sign.isalnum())
    code = "".join(signs).translate(_MISREAD)
    return code if len(code) == CODE_LENGTH and set(code) <= set(_SIGNS) else None


async def create(database: Database, new: SessionNew, host_token: str | None) -> Created:
    """Store a draft, for the host with this token, or for a new host without one.

    Raises `WrongToken` for a token that is no host's.
    """
    if host_token is None:
        made = new_host_token()
        return Created(await add(database, ids.uuid(), new, host_token=made), made)
    host = await repository.host_of(database.read(), hash_of(host_token))
    if host is None:
        raise WrongToken
    return Created(await add(database, host, new), None)


async def add(
    database: Database,
    host: UUID,
    new: SessionNew,
    *,
    host_token: str | None = None,
    then: Callable[[WriteSession, Row], Awaitable[None]] | None = None,
) -> Row:
    """Store a draft of a host, with a new code; a new host's token is stored too.

    `then` is called with the draft in the same transaction.
    """
    for _ in range(_CODE_ATTEMPTS - 1):
        try:
            return await _add(database, host, new, host_token, then)
        except UniqueViolation:
            continue  # one code in billions is taken
    return await _add(database, host, new, host_token, then)


async def _add(
    database: Database,
    host: UUID,
    new: SessionNew,
    host_token: str | None,
    then: Callable[[WriteSession, Row], Awaitable[None]] | None,
) -> Row:
    now = clock.now()
    fields = {**new.model_dump(), "id": ids.uuid(), "code": new_code()}
    async with database.write() as session:
        if host_token is not None:
            await repository.add_token(
                session, ids.uuid(), hash_of(host_token), role=HOST, host=host, session_id=None,
                label=HOST, now=now,
            )  # fmt: skip
        row = await repository.add(session, host, fields, now)
        if then is not None:
            await then(session, row)
    return row


async def change(
    session: WriteSession, events: Events, session_id: UUID, patch: SessionPatch
) -> Row:
    """Change what a patch has, of the settings too; what it is already makes no new version.

    Raises `SessionCompleted`, `TooFewPlaces`.
    """
    found = await _unfinished(session, session_id)
    fields = patch.model_dump(exclude_unset=True)
    if "settings" in fields:
        fields["settings"] = {**found["settings"], **fields["settings"]}
    if all(found[name] == value for name, value in fields.items()):
        return found
    try:
        row = await repository.change(session, session_id, fields, clock.now())
    except CheckViolation:
        raise TooFewPlaces from None
    return _changed(session, events, "session.changed", row)


async def start(session: WriteSession, events: Events, session_id: UUID) -> Row:
    """Make a draft active: from now on one may join. Raises `WrongState`, `SessionCompleted`."""
    row = await repository.start(session, session_id, clock.now())
    if row is None:
        found = await _unfinished(session, session_id)
        raise WrongState("session", found["state"], "a draft")
    return _changed(session, events, "session.started", row)


async def complete(session: WriteSession, events: Events, session_id: UUID) -> Row:
    """End an active session and its open activity. Raises `WrongState`, `SessionCompleted`."""
    found = await _unfinished(session, session_id)
    now = clock.now()
    row = await repository.complete(session, session_id, now)
    if row is None:
        raise WrongState("session", found["state"], "an active session")
    closed = await repository.close_open_activity(session, session_id, now)
    session.after_commit(lambda: events.results.tell(*closed))
    return _changed(session, events, "session.completed", row)


async def _unfinished(session: WriteSession, session_id: UUID) -> Row:
    found = await repository.lock(session, session_id)
    if found is None:
        raise SessionNotFound
    check_unfinished(found)
    return found


async def active(session: WriteSession, session_id: UUID) -> Row:
    """Return an active session, locked. Raises as `check_active`, and `SessionNotFound`."""
    found = await repository.lock(session, session_id)
    if found is None:
        raise SessionNotFound
    check_active(found)
    return found


def check_unfinished(found: Row) -> None:
    """Raise `SessionCompleted`."""
    if found["state"] == "completed":
        raise SessionCompleted


def check_active(found: Row) -> None:
    """Raise `SessionCompleted`, or `WrongState` for a draft."""
    check_unfinished(found)
    if found["state"] != "active":
        raise WrongState("session", found["state"], "an active session")


def _changed(session: WriteSession, events: Events, name: str, row: Row | None) -> Row:
    if row is None:
        raise SessionNotFound
    shown = ("title", "description", "state", "max_participants", "version")
    events.publish(session, row["id"], name, {name: row[name] for name in shown})
    return row


async def remove(session: WriteSession, events: Events, session_id: UUID) -> None:
    """Delete a session and everything in it; whoever follows it learns that it is gone."""
    await repository.remove(session, session_id)
    events.publish(session, session_id, "session.deleted", {})


async def by_code(session: ReadSession, typed: str) -> Row:
    """Return the session with a join code. Raises `CodeNotFound`, `SessionCompleted`."""
    code = normalized_code(typed)
    found = await repository.by_code(session, code) if code is not None else None
    if found is None:
        raise CodeNotFound
    check_unfinished(found)
    return found


def joinable(found: Row) -> bool:
    """Return whether somebody may join a session now."""
    late = found["first_opened_at"] is not None and not found["settings"]["late_join"]
    return found["state"] == "active" and not late and not full(found)


def full(found: Row) -> bool:
    """Return whether every place is taken."""
    return bool(found["participants"] >= found["max_participants"])


async def add_link(session: WriteSession, session_id: UUID, new: LinkNew) -> dict[str, Any]:
    """Store a further token of a session, and return it with its secret. Raises `TooManyLinks`."""
    found = await repository.lock(session, session_id)
    if found is None:
        raise SessionNotFound
    if await repository.number_of_links(session, session_id) >= MAX_LINKS:
        raise TooManyLinks
    token = new_host_token()
    row = await repository.add_token(
        session, ids.uuid(), hash_of(token), role=new.role, host=found["host_id"],
        session_id=found["id"], label=new.label, now=clock.now(),
    )  # fmt: skip
    return {**row, "token": token}


async def revoke_link(
    session: WriteSession, events: Events, session_id: UUID, link_id: UUID
) -> None:
    """Revoke a token; streams that it opened end. Raises `LinkNotFound`."""
    row = await repository.remove_link(session, session_id, link_id)
    if row is None:
        raise LinkNotFound
    events.end(session, session_id, row["token_hash"], "revoked")


async def complete_idle(database: Database, events: Events, hours: float) -> int:
    """Complete the active sessions that nothing happened in for so long; return how many."""
    before = clock.now() - timedelta(hours=hours)
    completed = 0
    for session_id in await repository.idle_since(database.read(), before):
        async with database.write() as session:
            if await repository.lock(
                session, session_id
            ) is not None and await repository.is_idle_since(session, session_id, before):
                await complete(session, events, session_id)
                completed += 1
    return completed


async def remove_old(database: Database, events: Events, days: float) -> int:
    """Delete the sessions that were completed so long ago; return how many."""
    old = await repository.completed_before(database.read(), clock.now() - timedelta(days=days))
    for session_id in old:
        async with database.write() as session:
            await remove(session, events, session_id)
    return len(old)
