"""Who comes in: the dependency that finds a session and what the token is in it."""

import contextlib
from collections import OrderedDict
from collections.abc import AsyncIterator, Hashable
from dataclasses import dataclass
from math import ceil
from typing import Annotated, Final, TypeVar
from uuid import UUID

from fastapi import Depends
from fastapi.openapi.models import HTTPBearer
from fastapi.requests import HTTPConnection
from fastapi.security.base import SecurityBase

from bedplate import clock
from bedplate.asgi.client_address import client_key
from bedplate.auth.credentials import bearer_token
from bedplate.auth.principal import unauthorized
from bedplate.database import Database, Row
from bedplate.problems import ProblemError, TooManyRequests
from bedplate.state import from_state
from live import security
from live.exceptions import ParticipantRemoved, SessionNotFound, WrongToken
from live.security import Member, ParticipantTokens
from live.sessions import repository, service

SUBPROTOCOL = "live.v1"
_BEARER = "bearer."
_Key = TypeVar("_Key", bound=Hashable)
_Value = TypeVar("_Value")
_REMEMBERED: Final = 100_000


@dataclass(frozen=True, slots=True)
class Entry:
    """Somebody in a session: the session as it was found, and who they are in it.

    `key` names what they came with: a participant's id, or the hash of a token. `participant` is
    there for a participant: `id`, `session_id`, `nickname`, `state` and `time_factor`.
    """

    session: Row
    role: str
    key: str
    participant: Row | None = None

    @property
    def session_id(self) -> UUID:
        """The session's id."""
        found: UUID = self.session["id"]
        return found

    @property
    def participant_id(self) -> UUID | None:
        """The participant's id, or None for a host or a link."""
        return self.participant["id"] if self.participant else None

    @property
    def audience(self) -> str:
        """What they may see: `host` (moderators too), `participant` or `screen`."""
        return security.HOST if self.role in security.MODERATORS else self.role


class ByToken(SecurityBase):
    """Lets in by a bearer token: the scheme that the OpenAPI document shows."""

    model = HTTPBearer(description="A token of a host, a link or a participant")
    scheme_name = "token"


class Entrance(ByToken):
    """Finds the session of the path and lets in who has one of these roles: one statement.

    Raises `SessionNotFound`, `Unauthorized` without a token, `WrongToken`, `ParticipantRemoved`,
    `TooManyRequests` when an address tries too many wrong ones.
    """

    def __init__(self, roles: frozenset[str]) -> None:
        self.roles = roles

    async def __call__(self, connection: HTTPConnection, session_id: UUID) -> Entry:
        """Return the session and the role."""
        entry = await enter(connection, session_id)
        if entry.role not in self.roles:
            raise WrongToken
        return entry


class Return(ByToken):
    """Finds the session of the path and one of its participants, removed or not.

    Raises `SessionNotFound`, `Unauthorized`, `WrongToken`, `TooManyRequests`.
    """

    async def __call__(self, connection: HTTPConnection, session_id: UUID) -> Entry:
        """Return the session and the participant."""
        entry = await _find(connection, session_id)
        if entry.participant is None:
            raise WrongToken
        return entry


async def enter(connection: HTTPConnection, session_id: UUID) -> Entry:
    """Return the session and the role that the request's token has in it. Raises as `Entrance`."""
    entry = await _find(connection, session_id)
    if entry.participant is not None and entry.participant["state"] != "joined":
        raise ParticipantRemoved(entry.participant["state"])
    return entry


async def _find(connection: HTTPConnection, session_id: UUID) -> Entry:
    token = token_of(connection)
    state = connection.scope["state"]
    database: Database = state["database"]
    tokens: ParticipantTokens = state["tokens"]
    found: Row | None
    if token is not None and security.is_participants(token):
        member = tokens.read(token)
        who = member.participant_id if member and member.session_id == session_id else None
        found = await repository.with_participant(database.read(), session_id, who)
        if found is not None and found["participant_state"] is not None:
            return Entry(found, security.PARTICIPANT, str(who), _participant(found))
    else:
        key = security.hash_of(token or "")
        found = await repository.with_role(database.read(), session_id, key)
        if found is not None and (role := found.pop("role")) is not None:
            return Entry(found, role, key)
    await security.rate_limit.charge_failed_proof(connection)
    if found is None:
        raise SessionNotFound
    if token is None:
        raise unauthorized()
    raise WrongToken


def _participant(found: Row) -> Row:
    return {
        "id": found["participant_id"],
        "session_id": found["id"],
        "nickname": found["nickname"],
        "state": found["participant_state"],
        "time_factor": found["time_factor"],
    }


class Membership(ByToken):
    """Finds whose participant's token a request has, without asking the database.

    Whether they were removed is decided where it matters. Raises as `Entrance`.
    """

    async def __call__(self, connection: HTTPConnection, session_id: UUID) -> Member:
        """Return the participant, who is one of the session of the path."""
        member = member_of(connection)
        if member is None or member.session_id != session_id:
            await enter(connection, session_id)
            raise WrongToken  # a host's
        return member


def member_of(connection: HTTPConnection) -> Member | None:
    """Return whose participant's token a request has, or None, without asking the database."""
    tokens: ParticipantTokens = connection.scope["state"]["tokens"]
    token = token_of(connection)
    return tokens.read(token) if token is not None else None


def token_of(connection: HTTPConnection) -> str | None:
    """Return the bearer token of a request, or None.

    A browser can't set the headers of a WebSocket: there the token may be a subprotocol.
    """
    token = bearer_token(connection)
    if token is None and connection.scope["type"] == "websocket":
        offered = [name for name in _subprotocols(connection) if name.startswith(_BEARER)]
        token = offered[0].removeprefix(_BEARER).encode() if offered else None
    if token is None or len(token) > security.MAX_TOKEN_LENGTH:
        return None
    return token.decode("latin-1")


def subprotocol_of(connection: HTTPConnection) -> str | None:
    """Return the subprotocol to accept a WebSocket with: that of the events, where it is asked for.

    It isn't the one with the token, which would come back in a header.
    """
    return SUBPROTOCOL if SUBPROTOCOL in _subprotocols(connection) else None


def _subprotocols(connection: HTTPConnection) -> list[str]:
    offered: list[str] = connection.scope.get("subprotocols", [])
    return offered


class CodeAttempts:
    """Limits how many join codes an address may guess, but not a hall that shares an address.

    Only wrong codes count. An address that has sent too many is refused before its code is looked
    at, so that an answer says nothing of it; a code that somebody at the address has used rightly
    is let through all the same. Each process remembers this for itself.
    """

    def __init__(self) -> None:
        self._refused_until: OrderedDict[str, float] = OrderedDict()
        self._used: OrderedDict[tuple[str, str], None] = OrderedDict()

    @contextlib.asynccontextmanager
    async def attempt(
        self, connection: HTTPConnection, code: str, *wrong: type[ProblemError]
    ) -> AsyncIterator[None]:
        """Use a code: an exception of the types `wrong` says that it was none.

        Raises `TooManyRequests` before or after.
        """
        address = _address(connection)
        use = (address, service.normalized_code(code) or "")
        left = self._refused_until.get(address, 0.0) - clock.monotonic()
        if left > 0 and use not in self._used:
            raise TooManyRequests(retry_after=ceil(left))
        try:
            yield
        except wrong:
            try:
                await security.rate_limit.charge_failed_proof(connection)
            except TooManyRequests as refusal:
                seconds = refusal.retry_after or 1
                _remember(self._refused_until, address, clock.monotonic() + seconds)
                raise
            raise
        _remember(self._used, use, None)


def _remember(memory: OrderedDict[_Key, _Value], key: _Key, value: _Value) -> None:
    memory[key] = value
    memory.move_to_end(key)
    if len(memory) > _REMEMBERED:
        memory.popitem(last=False)


def _address(connection: HTTPConnection) -> str:
    client = connection.client
    return str(client_key(client.host if client else None))


@contextlib.asynccontextmanager
async def open_code_attempts() -> AsyncIterator[CodeAttempts]:
    """Yield what limits guesses of codes."""
    yield CodeAttempts()


CurrentCodeAttempts = Annotated[CodeAttempts, from_state(CodeAttempts)]

CurrentHost = Annotated[Entry, Depends(Entrance(security.HOSTS))]
"""A host or co-host of the session."""

CurrentOwner = Annotated[Entry, Depends(Entrance(frozenset({security.HOST})))]
"""The host of the session, whose token opens all sessions of the same host."""

CurrentModerator = Annotated[Entry, Depends(Entrance(security.MODERATORS))]
"""A host, co-host or moderator of the session."""

CurrentParticipant = Annotated[Entry, Depends(Entrance(frozenset({security.PARTICIPANT})))]
"""A participant of the session."""

CurrentMember = Annotated[Member, Depends(Membership())]
"""A participant of the session, as the token says: maybe removed meanwhile."""

CurrentReturning = Annotated[Entry, Depends(Return())]
"""A participant of the session, who may have been removed."""

CurrentEntry = Annotated[Entry, Depends(Entrance(security.EVERYONE))]
"""Anybody in the session."""
