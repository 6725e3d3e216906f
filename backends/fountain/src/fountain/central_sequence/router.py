"""The operations of the contract. No SQL, no rules."""

from typing import Annotated

from fastapi import Depends
from fastapi.requests import HTTPConnection

from bedplate.contracts import Operations
from bedplate.database import Database
from bedplate.database.dependencies import ReadSession, WriteSession
from fountain.central_sequence import service
from fountain.central_sequence.schemas import (
    NumberedElement,
    ReorderRequest,
    SequenceLookupRequest,
    SequenceRequest,
    SequenceResponse,
    SuccessResponse,
    VersionRequest,
    VersionResponse,
)

operations = Operations()


def _database(connection: HTTPConnection) -> Database:
    database: Database = connection.state.database
    return database


CurrentDatabase = Annotated[Database, Depends(_database)]


@operations.handles("generateSequenceNumber")
async def generate_sequence_number(
    element: SequenceRequest, database: CurrentDatabase
) -> SequenceResponse:
    """Give an element its number."""
    number = await service.number(database, element.element_type, element.element_id)
    return SequenceResponse(sequence_number=number)


@operations.handles("reorderElements")
async def reorder_elements(order: ReorderRequest, session: WriteSession) -> SuccessResponse:
    """Let elements exchange their numbers."""
    await service.reorder(session, order.element_type, order.elements)
    return SuccessResponse(message="Reorder successful.")


@operations.handles("lookUpSequenceNumbers")
async def look_up_sequence_numbers(
    wanted: SequenceLookupRequest, session: ReadSession
) -> list[NumberedElement]:
    """Return the numbers that elements hold."""
    held = await service.numbers(session, wanted.element_type, wanted.element_ids)
    return [NumberedElement(element_id=one, sequence_number=held[one]) for one in held]


@operations.handles("createVersion")
async def create_version(version: VersionRequest, session: WriteSession) -> VersionResponse:
    """Store a further version of an element."""
    number = await service.record_version(
        session, version.element_type, version.element_id, version.new_version_data
    )
    return VersionResponse(version_number=number)
