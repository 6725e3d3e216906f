from bedplate.contracts import Operations
from bedplate.database.dependencies import ReadSession, WriteSession
from fountain.central_sequence import schemas, service
from fountain.common.wiring import CurrentDatabase

operations = Operations()


@operations.handles("generateSequenceNumber")
async def generate_sequence_number(
    element: schemas.SequenceRequest, database: CurrentDatabase
) -> schemas.SequenceResponse:
    """Return the number of an element, a new one if it has none."""
    number = await service.number(database, element.element_type, element.element_id)
    return schemas.SequenceResponse(sequence_number=number)


@operations.handles("reorderElements")
async def reorder_elements(
    order: schemas.ReorderRequest, session: WriteSession
) -> schemas.SuccessResponse:
    """Exchange the numbers of elements."""
    await service.reorder(session, order.element_type, order.elements)
    return schemas.SuccessResponse(message="Reorder successful.")


@operations.handles("lookUpSequenceNumbers")
async def look_up_sequence_numbers(
    request: schemas.SequenceLookupRequest, session: ReadSession
) -> list[schemas.NumberedElement]:
    """Return the numbers of elements."""
    numbers = await service.numbers(session, request.element_type, request.element_ids)
    return [
        schemas.NumberedElement(element_id=identifier, sequence_number=number)
        for identifier, number in numbers.items()
    ]


@operations.handles("createVersion")
async def create_version(
    version: schemas.VersionRequest, session: WriteSession
) -> schemas.VersionResponse:
    """Store a later version of an element."""
    number = await service.record_version(
        session, version.element_type, version.element_id, version.new_version_data
    )
    return schemas.VersionResponse(version_number=number)
