"""What operations ask for: identifiers in a path, the database, the sequence service."""

from typing import Annotated

from fastapi import Depends, Path
from fastapi.requests import HTTPConnection

from bedplate.clients.client import ServiceClient
from bedplate.contracts import ParameterInteger64
from bedplate.database import Database

SessionId = Annotated[ParameterInteger64, Path(alias="sessionId")]


async def _database(connection: HTTPConnection) -> Database:
    database: Database = connection.state.database
    return database


async def _sequence(connection: HTTPConnection) -> ServiceClient:
    sequence: ServiceClient = connection.state.sequence
    return sequence


CurrentDatabase = Annotated[Database, Depends(_database)]
CurrentSequence = Annotated[ServiceClient, Depends(_sequence)]
