"""The PostgreSQL and Valkey that a run measures against."""

from collections.abc import Iterator
from contextlib import contextmanager

from bedplate.testing.postgres import PostgresServer
from bedplate.testing.valkey import ValkeyServer
from benchmarks.contender import Servers


@contextmanager
def running_servers() -> Iterator[Servers]:
    """Start both on this machine and stop them afterwards, with an empty database."""
    with PostgresServer.from_environment() as postgres, ValkeyServer.from_environment() as valkey:
        yield Servers(postgres.create_database(), valkey.url)
