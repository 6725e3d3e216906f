"""The sessions that a route declares: the route decides the transaction."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends
from fastapi.requests import HTTPConnection

from bedplate.database import sessions


def _database(connection: HTTPConnection) -> sessions.Database:
    database: sessions.Database = connection.scope["state"]["database"]
    return database


async def read_session(connection: HTTPConnection) -> sessions.ReadSession:
    """Return the session for SELECTs."""
    return _database(connection).read()


async def write_session(connection: HTTPConnection) -> AsyncIterator[sessions.WriteSession]:
    """Yield a transaction; it is committed when the route has returned without an error."""
    async with _database(connection).write() as session:
        yield session


async def autocommit_session(connection: HTTPConnection) -> sessions.AutocommitSession:
    """Return a session for one statement that writes; there is nothing to end."""
    return _database(connection).autocommit()


ReadSession = Annotated[sessions.ReadSession, Depends(read_session)]
# With the default scope the commit would come after the response, and its failure too late.
WriteSession = Annotated[sessions.WriteSession, Depends(write_session, scope="function")]
Autocommit = Annotated[sessions.AutocommitSession, Depends(autocommit_session)]
