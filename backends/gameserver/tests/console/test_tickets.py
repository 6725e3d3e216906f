"""Tickets and connections."""

import contextlib

import pytest
from pydantic import SecretStr

from bedplate.auth.api_keys import APIKeyEntry, APIKeys
from bedplate.auth.principal import Principal
from bedplate.testing.clock import SettableClock
from gameserver.console.exceptions import TicketNotFound, TooManyConnections
from gameserver.console.tickets import MAX_CONNECTIONS, MAX_TICKETS, Connections

KEY = b"the key of ada"
ADA = Principal("api_key", "ada")


def keys(*names: str) -> APIKeys:
    """Return the API keys of these holders."""
    return APIKeys([APIKeyEntry(name, SecretStr(f"the key of {name}")) for name in names])


@pytest.fixture
def connections() -> Connections:
    """Yield the connections to a console whose only key is Ada's."""
    return Connections(keys("ada"))


async def test_a_ticket_is_good_once(connections: Connections) -> None:
    """The first to show it is let in, the second is not; another text never is."""
    secret, issued = connections.issue(ADA, KEY)
    assert connections.redeem("x" * len(secret)) is None
    assert connections.redeem(secret) == issued
    assert connections.redeem(secret) is None
    assert secret not in repr(vars(connections))


async def test_a_ticket_expires(connections: Connections, clock: SettableClock) -> None:
    """After 30 seconds it opens nothing."""
    secret, _ = connections.issue(ADA, KEY)
    clock.advance(seconds=31)
    assert connections.redeem(secret) is None


async def test_tickets_are_bounded(connections: Connections) -> None:
    """Tickets that nobody uses displace the oldest."""
    secrets = [connections.issue(ADA, KEY)[0] for _ in range(MAX_TICKETS + 1)]
    assert len(connections._tickets) == MAX_TICKETS
    assert connections.redeem(secrets[0]) is None
    assert connections.redeem(secrets[-1]) is not None


async def test_a_key_proves_its_holder(connections: Connections) -> None:
    """A key lets its holder in without a ticket; no other text does."""
    proven = connections.ticket_for_key("the key of ada")
    assert proven is not None
    assert proven.principal == ADA
    for wrong in ("", "the key of eve", "é\ud800"):
        assert connections.ticket_for_key(wrong) is None


async def test_a_connection_is_revoked(connections: Connections) -> None:
    """Its id ends a connection; an id that isn't one is not found."""
    _, ticket = connections.issue(ADA, KEY)
    with connections.connected(ticket, "192.0.2.1") as connection:
        assert connections.list() == [connection]
        connections.revoke(connection.ticket.id)
        assert connection.revoked.is_set()
    assert connections.list() == []
    for gone in (ticket.id, "nonsense"):
        with pytest.raises(TicketNotFound):
            connections.revoke(gone)


async def test_an_unused_ticket_is_revoked(connections: Connections) -> None:
    """A ticket that was revoked opens nothing."""
    secret, ticket = connections.issue(ADA, KEY)
    connections.revoke(ticket.id)
    assert connections.redeem(secret) is None


async def test_a_key_that_is_taken_away_ends_its_connections(connections: Connections) -> None:
    """Connections and tickets last no longer than the key that opened them."""
    secret, ticket = connections.issue(ADA, KEY)
    with connections.connected(ticket, None) as connection:
        await connections.recheck()
        assert not connection.revoked.is_set()
        connections._keys = keys("eve")
        await connections.recheck()
        assert connection.revoked.is_set()
    assert connections.redeem(secret) is None


async def test_connections_are_bounded(connections: Connections) -> None:
    """One more than may be connected is refused, until one leaves."""
    with contextlib.ExitStack() as stack:
        for _ in range(MAX_CONNECTIONS):
            stack.enter_context(connections.connected(connections.issue(ADA, KEY)[1], None))
        ticket = connections.issue(ADA, KEY)[1]
        with pytest.raises(TooManyConnections), connections.connected(ticket, None):
            pass
    with connections.connected(ticket, None):
        assert len(connections.list()) == 1
