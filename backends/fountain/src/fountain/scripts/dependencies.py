"""What operations ask for: identifiers, the database, the sequence service."""

from typing import Annotated

from fastapi import Depends, Path, Query
from fastapi.requests import HTTPConnection

from bedplate.clients.client import ServiceClient
from bedplate.contracts import ParameterInteger64
from bedplate.database import Database

ScriptId = Annotated[ParameterInteger64, Path(alias="scriptId")]
HeadingId = Annotated[ParameterInteger64, Path(alias="headingId")]
ElementId = Annotated[ParameterInteger64, Path(alias="elementId")]
HeadingIdInQuery = Annotated[ParameterInteger64, Query(alias="headingId")]
First = Annotated[ParameterInteger64 | None, Query(alias="from")]
Last = Annotated[ParameterInteger64 | None, Query(alias="to")]


async def _database(connection: HTTPConnection) -> Database:
    database: Database = connection.state.database
    return database


async def _sequence(connection: HTTPConnection) -> ServiceClient:
    sequence: ServiceClient = connection.state.sequence
    return sequence


CurrentDatabase = Annotated[Database, Depends(_database)]
CurrentSequence = Annotated[ServiceClient, Depends(_sequence)]
