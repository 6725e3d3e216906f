"""Made from the contract by `bedplate contracts generate characters`; not to be edited."""

from typing import Annotated

from pydantic import MISSING, Field, StrictStr

from bedplate.contracts import ContractModel, Integer, Integer64

Text100000 = Annotated[StrictStr, Field(max_length=100000, pattern="^(?:|[^\\x00]+)$")]


class Character(ContractModel):
    character_id: Annotated[Integer64 | MISSING, Field(alias="characterId")] = MISSING
    """Identifier of the character."""
    name: Text100000 | MISSING = MISSING
    """What the character is called."""
    description: Text100000 | MISSING = MISSING
    """Short account of the character and its part in the story."""


class CharacterCreateRequest(ContractModel):
    name: Text100000
    """What the character is called."""
    description: Text100000
    """Short account of the character and its part in the story."""


class Paraphrase(ContractModel):
    paraphrase_id: Annotated[Integer64 | MISSING, Field(alias="paraphraseId")] = MISSING
    """Identifier of the paraphrase."""
    original_id: Annotated[Integer64 | MISSING, Field(alias="originalId")] = MISSING
    """Identifier of what is paraphrased."""
    text: Text100000 | MISSING = MISSING
    """The paraphrase itself."""
    commentary: Text100000 | MISSING = MISSING
    """Why this text stands for the original."""


class ParaphraseCreateRequest(ContractModel):
    original_id: Annotated[Integer64, Field(alias="originalId")]
    """Identifier of what is paraphrased."""
    text: Text100000
    """The paraphrase itself."""
    commentary: Text100000
    """Why this text stands for the original."""


class Action(ContractModel):
    action_id: Annotated[Integer64 | MISSING, Field(alias="actionId")] = MISSING
    """Identifier of the action."""
    description: Text100000 | MISSING = MISSING
    """What happens."""


class ActionCreateRequest(ContractModel):
    description: Text100000
    """What happens."""


class SpokenWord(ContractModel):
    dialogue_id: Annotated[Integer64 | MISSING, Field(alias="dialogueId")] = MISSING
    """Identifier of the line."""
    text: Text100000 | MISSING = MISSING
    """What is said."""


class SpokenWordCreateRequest(ContractModel):
    text: Text100000
    """What is said."""


class Error(ContractModel):
    message: Text100000 | MISSING = MISSING
    """What went wrong."""


class LookupRequest(ContractModel):
    ids: Annotated[list[Integer], Field(max_length=5000)]
    """Identifiers wanted."""
