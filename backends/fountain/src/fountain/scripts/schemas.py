"""Made from the contract by `bedplate contracts generate scripts`; not to be edited."""

from typing import Annotated

from pydantic import MISSING, Field, StrictStr

from bedplate.contracts import ContractModel, Integer, Integer64

Text100000 = Annotated[StrictStr, Field(max_length=100000, pattern="^(?:|[^\\x00]+)$")]


class ScriptRequest(ContractModel):
    title: Text100000
    """Name of the script."""
    author: Text100000 | MISSING = MISSING
    """Who wrote it."""
    description: Text100000 | MISSING = MISSING
    """Short account of its content."""


class ScriptResponse(ContractModel):
    script_id: Annotated[Integer64 | MISSING, Field(alias="scriptId")] = MISSING
    """Identifier of the script."""
    sequence_number: Annotated[Integer64 | MISSING, Field(alias="sequenceNumber")] = MISSING
    """Number the script holds."""


class Script(ContractModel):
    script_id: Annotated[Integer64 | MISSING, Field(alias="scriptId")] = MISSING
    """Identifier of the script."""
    title: Text100000 | MISSING = MISSING
    """Name of the script."""
    author: Text100000 | MISSING = MISSING
    """Who wrote it."""
    description: Text100000 | MISSING = MISSING
    """Short account of its content."""
    sequence_number: Annotated[Integer64 | MISSING, Field(alias="sequenceNumber")] = MISSING
    """Number the script holds."""


class ScriptUpdateRequest(ContractModel):
    title: Text100000 | MISSING = MISSING
    """Name of the script."""
    author: Text100000 | MISSING = MISSING
    """Who wrote it."""
    description: Text100000 | MISSING = MISSING
    """Short account of its content."""


class SectionHeadingRequest(ContractModel):
    title: Text100000
    """Text of the heading."""


class SectionHeadingResponse(ContractModel):
    heading_id: Annotated[Integer64 | MISSING, Field(alias="headingId")] = MISSING
    """Identifier of the heading."""
    script_id: Annotated[Integer64 | MISSING, Field(alias="scriptId")] = MISSING
    """Script the heading belongs to."""
    sequence_number: Annotated[Integer64 | MISSING, Field(alias="sequenceNumber")] = MISSING
    """Number the heading holds."""


class SectionHeadingUpdateRequest(ContractModel):
    title: Text100000 | MISSING = MISSING
    """Text of the heading."""


class Element(ContractModel):
    heading_id: Annotated[Integer64 | MISSING, Field(alias="headingId")] = MISSING
    """Heading to move."""
    new_sequence: Annotated[Integer64 | MISSING, Field(alias="newSequence")] = MISSING
    """Number the heading shall have afterwards."""


class ReorderRequest(ContractModel):
    elements: list[Element]


class SuccessResponse(ContractModel):
    message: Text100000 | MISSING = MISSING
    """Confirmation text."""


class Error(ContractModel):
    message: Text100000 | MISSING = MISSING
    """What went wrong."""


class SectionHeading(ContractModel):
    heading_id: Annotated[Integer64 | MISSING, Field(alias="headingId")] = MISSING
    """Identifier of the heading."""
    script_id: Annotated[Integer64 | MISSING, Field(alias="scriptId")] = MISSING
    """Script the heading belongs to."""
    title: Text100000 | MISSING = MISSING
    """Text of the heading."""
    sequence_number: Annotated[Integer64 | MISSING, Field(alias="sequenceNumber")] = MISSING
    """Number the heading holds."""


class ElementRequest(ContractModel):
    heading_id: Annotated[Integer64 | MISSING, Field(alias="headingId")] = MISSING
    """Heading of the same script under which the element stands."""
    character_id: Annotated[Integer64 | MISSING, Field(alias="characterId")] = MISSING
    """Character who acts or speaks."""
    action_id: Annotated[Integer64 | MISSING, Field(alias="actionId")] = MISSING
    """What happens."""
    spoken_word_id: Annotated[Integer64 | MISSING, Field(alias="spokenWordId")] = MISSING
    """What is said."""
    context_id: Annotated[Integer64 | MISSING, Field(alias="contextId")] = MISSING
    """Session whose context belongs to the element."""
    position: Annotated[Integer | MISSING, Field(ge=1, le=9223372036854775807)] = MISSING
    """Place in the script, from 1. Elements from there on move up by one. Without it the element comes last."""


class ScriptElement(ContractModel):
    element_id: Annotated[Integer64 | MISSING, Field(alias="elementId")] = MISSING
    """Identifier of the element."""
    script_id: Annotated[Integer64 | MISSING, Field(alias="scriptId")] = MISSING
    """Script the element belongs to."""
    position: Annotated[Integer | MISSING, Field(ge=1, le=9223372036854775807)] = MISSING
    """Place in the script, from 1, without gaps."""
    heading_id: Annotated[Integer64 | MISSING, Field(alias="headingId")] = MISSING
    """Heading of the same script under which the element stands."""
    character_id: Annotated[Integer64 | MISSING, Field(alias="characterId")] = MISSING
    """Character who acts or speaks."""
    action_id: Annotated[Integer64 | MISSING, Field(alias="actionId")] = MISSING
    """What happens."""
    spoken_word_id: Annotated[Integer64 | MISSING, Field(alias="spokenWordId")] = MISSING
    """What is said."""
    context_id: Annotated[Integer64 | MISSING, Field(alias="contextId")] = MISSING
    """Session whose context belongs to the element."""


class ElementReorderRequest(ContractModel):
    element_ids: Annotated[list[Integer], Field(alias="elementIds", max_length=100000)]
    """Every element of the script, each once, in the order wanted."""


class ScriptStructure(ContractModel):
    script: Script | MISSING = MISSING
    sections: list[SectionHeading] | MISSING = MISSING
    elements: list[ScriptElement] | MISSING = MISSING
