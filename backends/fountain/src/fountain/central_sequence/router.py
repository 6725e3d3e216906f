"""x."""

from bedplate.contracts import Operations
from fountain.central_sequence.schemas import (
    SequenceRequest,
    SequenceResponse,
    ReorderRequest,
    SuccessResponse,
    VersionRequest,
    VersionResponse,
)

operations = Operations()


@operations.handles("generateSequenceNumber")
async def generate_sequence_number(element: SequenceRequest) -> SequenceResponse:
    return SequenceResponse(sequence_number=element.element_id)


@operations.handles("reorderElements")
async def reorder(element: ReorderRequest) -> SuccessResponse:
    return SuccessResponse()


@operations.handles("createVersion")
async def version(element: VersionRequest) -> VersionResponse:
    return VersionResponse(version_number=1)
