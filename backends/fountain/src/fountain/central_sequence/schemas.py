"""Made from the contract by `bedplate contracts generate central-sequence`; not to be edited."""

from typing import Annotated, Any

from pydantic import MISSING, Field, StrictStr

from bedplate.contracts import ContractModel, Integer


class SequenceRequest(ContractModel):
    element_type: Annotated[
        StrictStr,
        Field(
            alias="elementType",
            description="Kind of element. Values named by the contract are script, section, character, action and spokenWord; no enumeration is enforced.",
            max_length=500,
            pattern="^(?:|[^\\x00]+)$",
        ),
    ]
    element_id: Annotated[
        Integer,
        Field(
            alias="elementId",
            description="Identifier of the element within its kind.",
            ge=-9223372036854775808,
            le=9223372036854775807,
        ),
    ]


class SequenceResponse(ContractModel):
    sequence_number: Annotated[
        Integer | MISSING,
        Field(
            alias="sequenceNumber",
            description="Number now held by the element.",
            ge=-9223372036854775808,
            le=9223372036854775807,
        ),
    ] = MISSING


class Element(ContractModel):
    element_id: Annotated[
        Integer | MISSING,
        Field(
            alias="elementId",
            description="Element to move.",
            ge=-9223372036854775808,
            le=9223372036854775807,
        ),
    ] = MISSING
    new_sequence: Annotated[
        Integer | MISSING,
        Field(
            alias="newSequence",
            description="Number the element shall have afterwards.",
            ge=-9223372036854775808,
            le=9223372036854775807,
        ),
    ] = MISSING


class ReorderRequest(ContractModel):
    element_type: Annotated[
        StrictStr,
        Field(
            alias="elementType",
            description="Kind shared by all listed elements.",
            max_length=500,
            pattern="^(?:|[^\\x00]+)$",
        ),
    ]
    elements: list[Element]


class VersionRequest(ContractModel):
    element_type: Annotated[
        StrictStr,
        Field(
            alias="elementType",
            description="Kind of element, as in SequenceRequest.",
            max_length=500,
            pattern="^(?:|[^\\x00]+)$",
        ),
    ]
    element_id: Annotated[
        Integer,
        Field(
            alias="elementId",
            description="Identifier of the element within its kind.",
            ge=-9223372036854775808,
            le=9223372036854775807,
        ),
    ]
    new_version_data: Annotated[
        dict[str, Any],
        Field(alias="newVersionData", description="Free-form content of the version."),
    ]


class VersionResponse(ContractModel):
    version_number: Annotated[
        Integer | MISSING,
        Field(
            alias="versionNumber",
            description="Number of the version just recorded.",
            ge=-9223372036854775808,
            le=9223372036854775807,
        ),
    ] = MISSING


class SuccessResponse(ContractModel):
    message: Annotated[
        StrictStr | MISSING,
        Field(description="Confirmation text.", max_length=100000, pattern="^(?:|[^\\x00]+)$"),
    ] = MISSING


class Error(ContractModel):
    message: Annotated[
        StrictStr | MISSING,
        Field(description="What went wrong.", max_length=100000, pattern="^(?:|[^\\x00]+)$"),
    ] = MISSING


class SequenceLookupRequest(ContractModel):
    element_type: Annotated[
        StrictStr,
        Field(
            alias="elementType",
            description="Kind shared by all listed elements.",
            max_length=500,
            pattern="^(?:|[^\\x00]+)$",
        ),
    ]
    element_ids: Annotated[
        list[Integer],
        Field(
            alias="elementIds", description="Elements whose numbers are wanted.", max_length=5000
        ),
    ]


class NumberedElement(ContractModel):
    element_id: Annotated[
        Integer | MISSING,
        Field(
            alias="elementId",
            description="Identifier of the element within its kind.",
            ge=-9223372036854775808,
            le=9223372036854775807,
        ),
    ] = MISSING
    sequence_number: Annotated[
        Integer | MISSING,
        Field(
            alias="sequenceNumber",
            description="Number held by the element.",
            ge=-9223372036854775808,
            le=9223372036854775807,
        ),
    ] = MISSING
