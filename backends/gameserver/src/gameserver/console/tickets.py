"""Tickets and connections: who may follow the console, and until when."""

import asyncio
import contextlib
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from starlette.requests import HTTPConnection

from bedplate import clock, ids
from bedplate.auth import Principal
from bedplate.auth.principal import Verifier
from gameserver.console.exceptions import TicketNotFound, TooManyConnections

LIFETIME: Final = timedelta(seconds=30)
MAX_TICKETS: Final = 1_000
MAX_CONNECTIONS: Final = 500
RECHECK_SECONDS: Final = 60.0


@dataclass(frozen=True)
class Ticket:
    """Lets its holder connect once, within 30 seconds. Its secret isn't kept."""

    id: str
    principal: Principal
    key: bytes = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True)
class Connection:
    """One who follows the console. `revoked` ends it."""

    id: str
    principal: Principal
    key: bytes = field(repr=False)
    address: str | None
    since: datetime = field(default_factory=clock.now)
    revoked: asyncio.Event = field(default_factory=asyncio.Event, repr=False, compare=False)


class Connections:
    """Gives out tickets, knows who is connected, and ends connections.

    Every connection remembers the key that opened it: when that no longer proves anybody, the
    connection ends. A ticket is kept as a digest, so that no dump of memory or log opens anything.
    """

    def __init__(self, verifier: Verifier) -> None:
        self._verifier = verifier
        self._tickets: dict[str, Ticket] = {}
        self._open: dict[str, Connection] = {}

    def issue(self, principal: Principal, key: bytes) -> tuple[str, Ticket]:
        """Return a new secret and its ticket."""
        self._forget_expired()
        secret = ids.token()
        ticket = Ticket(str(ids.uuid()), principal, key, clock.now() + LIFETIME)
        self._tickets[_digest(secret)] = ticket
        return secret, ticket

    async def prove_ticket(self, secret: str) -> Ticket | None:
        """Return the ticket of a secret, which is good only this once."""
        ticket = self._tickets.pop(_digest(secret), None)
        if ticket is None or ticket.expires_at < clock.now():
            return None
        return ticket if await self._holder(ticket.key) == ticket.principal else None

    async def prove_key(self, key: str) -> Ticket | None:
        """Return what a key stands for, in the form of a ticket."""
        sent = key.encode("utf-8", "surrogatepass")
        principal = await self._holder(sent)
        if principal is None:
            return None
        return Ticket(str(ids.uuid()), principal, sent, clock.now() + LIFETIME)

    @contextlib.contextmanager
    def connected(self, ticket: Ticket, address: str | None) -> Iterator[Connection]:
        """Count somebody as connected within the context. Raises `TooManyConnections`."""
        if len(self._open) >= MAX_CONNECTIONS:
            raise TooManyConnections
        connection = Connection(ticket.id, ticket.principal, ticket.key, address)
        self._open[connection.id] = connection
        try:
            yield connection
        finally:
            del self._open[connection.id]

    def list(self) -> list[Connection]:
        """Return who is connected, in the order they came."""
        return list(self._open.values())

    def revoke(self, connection_id: str) -> None:
        """End a connection, or make its ticket worthless. Raises `TicketNotFound`."""
        connection = self._open.get(connection_id)
        digests = [digest for digest, one in self._tickets.items() if one.id == connection_id]
        for digest in digests:
            del self._tickets[digest]
        if connection is not None:
            connection.revoked.set()
        elif not digests:
            raise TicketNotFound

    async def recheck(self) -> None:
        """End every connection whose key proves nobody any more."""
        for connection in self.list():
            if await self._holder(connection.key) != connection.principal:
                connection.revoked.set()

    async def _holder(self, key: bytes) -> Principal | None:
        scope = {"type": "http", "headers": [(b"x-api-key", key)]}
        return await self._verifier.verify(HTTPConnection(scope))

    def _forget_expired(self) -> None:
        now = clock.now()
        fresh = {digest: one for digest, one in self._tickets.items() if one.expires_at >= now}
        for digest in list(fresh)[: max(0, len(fresh) + 1 - MAX_TICKETS)]:
            del fresh[digest]
        self._tickets = fresh


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
