"""Tickets and connections: who may follow the console, and for how long."""

import asyncio
import contextlib
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from bedplate import clock, ids
from bedplate.auth import Principal
from bedplate.auth.api_keys import APIKeys
from gameserver.console.exceptions import TicketNotFound, TooManyConnections

LIFETIME: Final = timedelta(seconds=30)
MAX_TICKETS: Final = 1_000
MAX_CONNECTIONS: Final = 500
RECHECK_SECONDS: Final = 60.0


@dataclass(frozen=True)
class Ticket:
    """Allows one connection within 30 seconds. Only a digest of its secret is stored."""

    id: str
    principal: Principal
    key: bytes = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True)
class Connection:
    """An open connection to the console. Setting `revoked` ends it."""

    ticket: Ticket
    address: str | None
    since: datetime = field(default_factory=clock.now)
    revoked: asyncio.Event = field(default_factory=asyncio.Event, repr=False, compare=False)


class Connections:
    """Issues tickets, and keeps the open connections.

    A connection ends when the key that opened it is no longer valid. Tickets are stored as
    digests, so that neither a memory dump nor a log opens a connection.
    """

    def __init__(self, keys: APIKeys) -> None:
        self._keys = keys
        self._tickets: dict[str, Ticket] = {}
        self._open: dict[str, Connection] = {}

    def issue(self, principal: Principal, key: bytes) -> tuple[str, Ticket]:
        """Return a new secret and its ticket."""
        self._forget_expired()
        secret = ids.token()
        ticket = Ticket(str(ids.uuid()), principal, key, clock.now() + LIFETIME)
        self._tickets[_digest(secret)] = ticket
        return secret, ticket

    def redeem(self, secret: str) -> Ticket | None:
        """Return the ticket of a secret and forget it; None when it isn't valid."""
        ticket = self._tickets.pop(_digest(secret), None)
        if ticket is None or ticket.expires_at < clock.now():
            return None
        return ticket if self._is_valid(ticket) else None

    def ticket_for_key(self, key: str) -> Ticket | None:
        """Return a ticket for the holder of an API key; None when the key isn't valid."""
        key_bytes = key.encode("utf-8", "surrogatepass")
        principal = self._keys.holder(key_bytes)
        if principal is None:
            return None
        return Ticket(str(ids.uuid()), principal, key_bytes, clock.now() + LIFETIME)

    @contextlib.contextmanager
    def connected(self, ticket: Ticket, address: str | None) -> Iterator[Connection]:
        """Keep a connection for as long as the context lasts. Raises `TooManyConnections`."""
        if len(self._open) >= MAX_CONNECTIONS:
            raise TooManyConnections
        connection = self._open[ticket.id] = Connection(ticket, address)
        try:
            yield connection
        finally:
            del self._open[ticket.id]

    def list(self) -> list[Connection]:
        """Return the open connections, the oldest first."""
        return list(self._open.values())

    def revoke(self, connection_id: str) -> None:
        """End a connection, or invalidate its unused ticket. Raises `TicketNotFound`."""
        connection = self._open.get(connection_id)
        digests = [digest for digest, item in self._tickets.items() if item.id == connection_id]
        for digest in digests:
            del self._tickets[digest]
        if connection is not None:
            connection.revoked.set()
        elif not digests:
            raise TicketNotFound

    async def recheck(self) -> None:
        """End every connection whose key is no longer valid."""
        for connection in self.list():
            if not self._is_valid(connection.ticket):
                connection.revoked.set()

    def _is_valid(self, ticket: Ticket) -> bool:
        """Return whether the key that issued the ticket still belongs to the same principal."""
        return self._keys.holder(ticket.key) == ticket.principal

    def _forget_expired(self) -> None:
        now = clock.now()
        fresh = [item for item in self._tickets.items() if item[1].expires_at >= now]
        self._tickets = dict(fresh[1 - MAX_TICKETS :])


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
