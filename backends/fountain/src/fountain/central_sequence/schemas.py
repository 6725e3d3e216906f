"""Made from the contract by `bedplate contracts generate central-sequence`; not to be edited."""

from typing import Annotated, Any

from pydantic import MISSING, Field, StrictStr

from bedplate.contracts import ContractModel, Integer, Integer64

Text500 = Annotated[StrictStr, Field(max_length=500, pattern="^(?:|[^\\x00]+)$")]
Text100000 = Annotated[StrictStr, Field(max_length=100000, pattern="^(?:|[^\\x00]+)$")]


class SequenceRequest(ContractModel):
    element_type: Annotated[Text500, Field(alias="elementType")]
    """Kind of element. Values named by the contract are script, section, character, action and spokenWord; no enumeration is enforced."""
    element_id: Annotated[Integer64, Field(alias="elementId")]
    """Identifier of the element within its kind."""


class SequenceResponse(ContractModel):
    sequence_number: Annotated[Integer64 | MISSING, Field(alias="sequenceNumber")] = MISSING
    """Number now held by the element."""


class Element(ContractModel):
    element_id: Annotated[Integer64 | MISSING, Field(alias="elementId")] = MISSING
    """Element to move."""
    new_sequence: Annotated[Integer64 | MISSING, Field(alias="newSequence")] = MISSING
    """Number the element shall have afterwards."""


class ReorderRequest(ContractModel):
    element_type: Annotated[Text500, Field(alias="elementType")]
    """Kind shared by all listed elements."""
    elements: list[Element]


class VersionRequest(ContractModel):
    element_type: Annotated[Text500, Field(alias="elementType")]
    """Kind of element, as in SequenceRequest."""
    element_id: Annotated[Integer64, Field(alias="elementId")]
    """Identifier of the element within its kind."""
    new_version_data: Annotated[dict[str, Any], Field(alias="newVersionData")]
    """Free-form content of the version."""


class VersionResponse(ContractModel):
    version_number: Annotated[Integer64 | MISSING, Field(alias="versionNumber")] = MISSING
    """Number of the version just recorded."""


class SuccessResponse(ContractModel):
    message: Text100000 | MISSING = MISSING
    """Confirmation text."""


class Error(ContractModel):
    message: Text100000 | MISSING = MISSING
    """What went wrong."""


class SequenceLookupRequest(ContractModel):
    element_type: Annotated[Text500, Field(alias="elementType")]
    """Kind shared by all listed elements."""
    element_ids: Annotated[list[Integer], Field(alias="elementIds", max_length=5000)]
    """Elements whose numbers are wanted."""


class NumberedElement(ContractModel):
    element_id: Annotated[Integer64 | MISSING, Field(alias="elementId")] = MISSING
    """Identifier of the element within its kind."""
    sequence_number: Annotated[Integer64 | MISSING, Field(alias="sequenceNumber")] = MISSING
    """Number held by the element."""
