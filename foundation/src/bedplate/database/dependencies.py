"""What routes ask for: a session to read, or a session to write."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends
from fastapi.requests import HTTPConnection

from bedplate.database.sessions import Database, ReadSession, WriteSession


async def read_session(connection: HTTPConnection) -> ReadSession:
    """Return the session for SELECTs."""
    database: Database = connection.scope["state"]["database"]
    return database.read()


async def write_session(connection: HTTPConnection) -> AsyncIterator[WriteSession]:
    """Yield a transaction; it is committed when the route has returned without an error."""
    database: Database = connection.scope["state"]["database"]
    async with database.write() as session:
        yield session


Reading = Annotated[ReadSession, Depends(read_session)]
# With the default scope the commit would come after the response, and its failure too late.
Writing = Annotated[WriteSession, Depends(write_session, scope="function")]
