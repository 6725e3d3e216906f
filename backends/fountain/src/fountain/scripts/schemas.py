"""Made from the contract by `bedplate contracts generate scripts`; not to be edited."""

from typing import Annotated

from pydantic import MISSING, Field, StrictStr

from bedplate.contracts import ContractModel, Integer


class ScriptRequest(ContractModel):
    title: Annotated[
        StrictStr,
        Field(description="Name of the script.", max_length=100000, pattern="^(?:|[^\\x00]+)$"),
    ]
    author: Annotated[
        StrictStr | MISSING,
        Field(description="Who wrote it.", max_length=100000, pattern="^(?:|[^\\x00]+)$"),
    ] = MISSING
    description: Annotated[
        StrictStr | MISSING,
        Field(
            description="Short account of its content.",
            max_length=100000,
            pattern="^(?:|[^\\x00]+)$",
        ),
    ] = MISSING


class ScriptResponse(ContractModel):
    script_id: Annotated[
        Integer | MISSING,
        Field(
            alias="scriptId",
            description="Identifier of the script.",
            ge=-9223372036854775808,
            le=9223372036854775807,
        ),
    ] = MISSING
    sequence_number: Annotated[
        Integer | MISSING,
        Field(
            alias="sequenceNumber",
            description="Number the script holds.",
            ge=-9223372036854775808,
            le=9223372036854775807,
        ),
    ] = MISSING


class Script(ContractModel):
    script_id: Annotated[
        Integer | MISSING,
        Field(
            alias="scriptId",
            description="Identifier of the script.",
            ge=-9223372036854775808,
            le=9223372036854775807,
        ),
    ] = MISSING
    title: Annotated[
        StrictStr | MISSING,
        Field(description="Name of the script.", max_length=100000, pattern="^(?:|[^\\x00]+)$"),
    ] = MISSING
    author: Annotated[
        StrictStr | MISSING,
        Field(description="Who wrote it.", max_length=100000, pattern="^(?:|[^\\x00]+)$"),
    ] = MISSING
    description: Annotated[
        StrictStr | MISSING,
        Field(
            description="Short account of its content.",
            max_length=100000,
            pattern="^(?:|[^\\x00]+)$",
        ),
    ] = MISSING
    sequence_number: Annotated[
        Integer | MISSING,
        Field(
            alias="sequenceNumber",
            description="Number the script holds.",
            ge=-9223372036854775808,
            le=9223372036854775807,
        ),
    ] = MISSING


class ScriptUpdateRequest(ContractModel):
    title: Annotated[
        StrictStr | MISSING,
        Field(description="Name of the script.", max_length=100000, pattern="^(?:|[^\\x00]+)$"),
    ] = MISSING
    author: Annotated[
        StrictStr | MISSING,
        Field(description="Who wrote it.", max_length=100000, pattern="^(?:|[^\\x00]+)$"),
    ] = MISSING
    description: Annotated[
        StrictStr | MISSING,
        Field(
            description="Short account of its content.",
            max_length=100000,
            pattern="^(?:|[^\\x00]+)$",
        ),
    ] = MISSING


class SectionHeadingRequest(ContractModel):
    title: Annotated[
        StrictStr,
        Field(description="Text of the heading.", max_length=100000, pattern="^(?:|[^\\x00]+)$"),
    ]


class SectionHeadingResponse(ContractModel):
    heading_id: Annotated[
        Integer | MISSING,
        Field(
            alias="headingId",
            description="Identifier of the heading.",
            ge=-9223372036854775808,
            le=9223372036854775807,
        ),
    ] = MISSING
    script_id: Annotated[
        Integer | MISSING,
        Field(
            alias="scriptId",
            description="Script the heading belongs to.",
            ge=-9223372036854775808,
            le=9223372036854775807,
        ),
    ] = MISSING
    sequence_number: Annotated[
        Integer | MISSING,
        Field(
            alias="sequenceNumber",
            description="Number the heading holds.",
            ge=-9223372036854775808,
            le=9223372036854775807,
        ),
    ] = MISSING


class SectionHeadingUpdateRequest(ContractModel):
    title: Annotated[
        StrictStr | MISSING,
        Field(description="Text of the heading.", max_length=100000, pattern="^(?:|[^\\x00]+)$"),
    ] = MISSING


class Element(ContractModel):
    heading_id: Annotated[
        Integer | MISSING,
        Field(
            alias="headingId",
            description="Heading to move.",
            ge=-9223372036854775808,
            le=9223372036854775807,
        ),
    ] = MISSING
    new_sequence: Annotated[
        Integer | MISSING,
        Field(
            alias="newSequence",
            description="Number the heading shall have afterwards.",
            ge=-9223372036854775808,
            le=9223372036854775807,
        ),
    ] = MISSING


class ReorderRequest(ContractModel):
    elements: list[Element]


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


class SectionHeading(ContractModel):
    heading_id: Annotated[
        Integer | MISSING,
        Field(
            alias="headingId",
            description="Identifier of the heading.",
            ge=-9223372036854775808,
            le=9223372036854775807,
        ),
    ] = MISSING
    script_id: Annotated[
        Integer | MISSING,
        Field(
            alias="scriptId",
            description="Script the heading belongs to.",
            ge=-9223372036854775808,
            le=9223372036854775807,
        ),
    ] = MISSING
    title: Annotated[
        StrictStr | MISSING,
        Field(description="Text of the heading.", max_length=100000, pattern="^(?:|[^\\x00]+)$"),
    ] = MISSING
    sequence_number: Annotated[
        Integer | MISSING,
        Field(
            alias="sequenceNumber",
            description="Number the heading holds.",
            ge=-9223372036854775808,
            le=9223372036854775807,
        ),
    ] = MISSING


class ElementRequest(ContractModel):
    heading_id: Annotated[
        Integer | MISSING,
        Field(
            alias="headingId",
            description="Heading of the same script under which the element stands.",
            ge=-9223372036854775808,
            le=9223372036854775807,
        ),
    ] = MISSING
    character_id: Annotated[
        Integer | MISSING,
        Field(
            alias="characterId",
            description="Character who acts or speaks.",
            ge=-9223372036854775808,
            le=9223372036854775807,
        ),
    ] = MISSING
    action_id: Annotated[
        Integer | MISSING,
        Field(
            alias="actionId",
            description="What happens.",
            ge=-9223372036854775808,
            le=9223372036854775807,
        ),
    ] = MISSING
    spoken_word_id: Annotated[
        Integer | MISSING,
        Field(
            alias="spokenWordId",
            description="What is said.",
            ge=-9223372036854775808,
            le=9223372036854775807,
        ),
    ] = MISSING
    context_id: Annotated[
        Integer | MISSING,
        Field(
            alias="contextId",
            description="Session whose context belongs to the element.",
            ge=-9223372036854775808,
            le=9223372036854775807,
        ),
    ] = MISSING
    position: Annotated[
        Integer | MISSING,
        Field(
            description="Place in the script, from 1. Elements from there on move up by one. Without it the element comes last.",
            ge=1,
            le=9223372036854775807,
        ),
    ] = MISSING


class ScriptElement(ContractModel):
    element_id: Annotated[
        Integer | MISSING,
        Field(
            alias="elementId",
            description="Identifier of the element.",
            ge=-9223372036854775808,
            le=9223372036854775807,
        ),
    ] = MISSING
    script_id: Annotated[
        Integer | MISSING,
        Field(
            alias="scriptId",
            description="Script the element belongs to.",
            ge=-9223372036854775808,
            le=9223372036854775807,
        ),
    ] = MISSING
    position: Annotated[
        Integer | MISSING,
        Field(
            description="Place in the script, from 1, without gaps.", ge=1, le=9223372036854775807
        ),
    ] = MISSING
    heading_id: Annotated[
        Integer | MISSING,
        Field(
            alias="headingId",
            description="Heading of the same script under which the element stands.",
            ge=-9223372036854775808,
            le=9223372036854775807,
        ),
    ] = MISSING
    character_id: Annotated[
        Integer | MISSING,
        Field(
            alias="characterId",
            description="Character who acts or speaks.",
            ge=-9223372036854775808,
            le=9223372036854775807,
        ),
    ] = MISSING
    action_id: Annotated[
        Integer | MISSING,
        Field(
            alias="actionId",
            description="What happens.",
            ge=-9223372036854775808,
            le=9223372036854775807,
        ),
    ] = MISSING
    spoken_word_id: Annotated[
        Integer | MISSING,
        Field(
            alias="spokenWordId",
            description="What is said.",
            ge=-9223372036854775808,
            le=9223372036854775807,
        ),
    ] = MISSING
    context_id: Annotated[
        Integer | MISSING,
        Field(
            alias="contextId",
            description="Session whose context belongs to the element.",
            ge=-9223372036854775808,
            le=9223372036854775807,
        ),
    ] = MISSING


class ElementReorderRequest(ContractModel):
    element_ids: Annotated[
        list[Integer],
        Field(
            alias="elementIds",
            description="Every element of the script, each once, in the order wanted.",
            max_length=100000,
        ),
    ]


class ScriptStructure(ContractModel):
    script: Script | MISSING = MISSING
    sections: list[SectionHeading] | MISSING = MISSING
    elements: list[ScriptElement] | MISSING = MISSING
