"""Made from the contract by `bedplate contracts generate characters`; not to be edited."""

from typing import Annotated

from pydantic import MISSING, Field, StrictStr

from bedplate.contracts import ContractModel, Integer


class Character(ContractModel):
    character_id: Annotated[
        Integer | MISSING,
        Field(
            alias="characterId",
            description="Identifier of the character.",
            ge=-9223372036854775808,
            le=9223372036854775807,
        ),
    ] = MISSING
    name: Annotated[
        StrictStr | MISSING,
        Field(
            description="What the character is called.",
            max_length=100000,
            pattern="^(?:|[^\\x00]+)$",
        ),
    ] = MISSING
    description: Annotated[
        StrictStr | MISSING,
        Field(
            description="Short account of the character and its part in the story.",
            max_length=100000,
            pattern="^(?:|[^\\x00]+)$",
        ),
    ] = MISSING


class CharacterCreateRequest(ContractModel):
    name: Annotated[
        StrictStr,
        Field(
            description="What the character is called.",
            max_length=100000,
            pattern="^(?:|[^\\x00]+)$",
        ),
    ]
    description: Annotated[
        StrictStr,
        Field(
            description="Short account of the character and its part in the story.",
            max_length=100000,
            pattern="^(?:|[^\\x00]+)$",
        ),
    ]


class Paraphrase(ContractModel):
    paraphrase_id: Annotated[
        Integer | MISSING,
        Field(
            alias="paraphraseId",
            description="Identifier of the paraphrase.",
            ge=-9223372036854775808,
            le=9223372036854775807,
        ),
    ] = MISSING
    original_id: Annotated[
        Integer | MISSING,
        Field(
            alias="originalId",
            description="Identifier of what is paraphrased.",
            ge=-9223372036854775808,
            le=9223372036854775807,
        ),
    ] = MISSING
    text: Annotated[
        StrictStr | MISSING,
        Field(description="The paraphrase itself.", max_length=100000, pattern="^(?:|[^\\x00]+)$"),
    ] = MISSING
    commentary: Annotated[
        StrictStr | MISSING,
        Field(
            description="Why this text stands for the original.",
            max_length=100000,
            pattern="^(?:|[^\\x00]+)$",
        ),
    ] = MISSING


class ParaphraseCreateRequest(ContractModel):
    original_id: Annotated[
        Integer,
        Field(
            alias="originalId",
            description="Identifier of what is paraphrased.",
            ge=-9223372036854775808,
            le=9223372036854775807,
        ),
    ]
    text: Annotated[
        StrictStr,
        Field(description="The paraphrase itself.", max_length=100000, pattern="^(?:|[^\\x00]+)$"),
    ]
    commentary: Annotated[
        StrictStr,
        Field(
            description="Why this text stands for the original.",
            max_length=100000,
            pattern="^(?:|[^\\x00]+)$",
        ),
    ]


class Action(ContractModel):
    action_id: Annotated[
        Integer | MISSING,
        Field(
            alias="actionId",
            description="Identifier of the action.",
            ge=-9223372036854775808,
            le=9223372036854775807,
        ),
    ] = MISSING
    description: Annotated[
        StrictStr | MISSING,
        Field(description="What happens.", max_length=100000, pattern="^(?:|[^\\x00]+)$"),
    ] = MISSING


class ActionCreateRequest(ContractModel):
    description: Annotated[
        StrictStr, Field(description="What happens.", max_length=100000, pattern="^(?:|[^\\x00]+)$")
    ]


class SpokenWord(ContractModel):
    dialogue_id: Annotated[
        Integer | MISSING,
        Field(
            alias="dialogueId",
            description="Identifier of the line.",
            ge=-9223372036854775808,
            le=9223372036854775807,
        ),
    ] = MISSING
    text: Annotated[
        StrictStr | MISSING,
        Field(description="What is said.", max_length=100000, pattern="^(?:|[^\\x00]+)$"),
    ] = MISSING


class SpokenWordCreateRequest(ContractModel):
    text: Annotated[
        StrictStr, Field(description="What is said.", max_length=100000, pattern="^(?:|[^\\x00]+)$")
    ]


class Error(ContractModel):
    message: Annotated[
        StrictStr | MISSING,
        Field(description="What went wrong.", max_length=100000, pattern="^(?:|[^\\x00]+)$"),
    ] = MISSING


class LookupRequest(ContractModel):
    ids: Annotated[list[Integer], Field(description="Identifiers wanted.", max_length=5000)]
