"""Made from the contract by `bedplate contracts generate story-factory`; not to be edited."""

from typing import Annotated

from pydantic import MISSING, Field, StrictStr

from bedplate.contracts import ContractModel, Integer64

Text100000 = Annotated[StrictStr, Field(max_length=100000, pattern="^(?:|[^\\x00]+)$")]


class Orchestration(ContractModel):
    csound_file_path: Annotated[Text100000 | MISSING, Field(alias="csoundFilePath")] = MISSING
    """Where the Csound score lies."""
    lily_pond_file_path: Annotated[Text100000 | MISSING, Field(alias="lilyPondFilePath")] = MISSING
    """Where the LilyPond source lies."""
    midi_file_path: Annotated[Text100000 | MISSING, Field(alias="midiFilePath")] = MISSING
    """Where the MIDI file lies."""


class SectionHeading(ContractModel):
    heading_id: Annotated[Integer64 | MISSING, Field(alias="headingId")] = MISSING
    """Identifier of the heading."""
    script_id: Annotated[Integer64 | MISSING, Field(alias="scriptId")] = MISSING
    """Script the heading belongs to."""
    title: Text100000 | MISSING = MISSING
    """Text of the heading."""
    sequence: Integer64 | MISSING = MISSING
    """Place of the heading in the script."""


class Character(ContractModel):
    character_id: Annotated[Integer64 | MISSING, Field(alias="characterId")] = MISSING
    """Identifier of the character."""
    name: Text100000 | MISSING = MISSING
    """What the character is called."""
    description: Text100000 | MISSING = MISSING
    """Short account of the character."""


class Action(ContractModel):
    action_id: Annotated[Integer64 | MISSING, Field(alias="actionId")] = MISSING
    """Identifier of the action."""
    description: Text100000 | MISSING = MISSING
    """What happens."""


class SpokenWord(ContractModel):
    dialogue_id: Annotated[Integer64 | MISSING, Field(alias="dialogueId")] = MISSING
    """Identifier of the line."""
    text: Text100000 | MISSING = MISSING
    """What is said."""
    sequence: Integer64 | MISSING = MISSING
    """Place of the line in the script."""


class Context(ContractModel):
    context_id: Annotated[Integer64 | MISSING, Field(alias="contextId")] = MISSING
    """Identifier of the context."""
    character_id: Annotated[Integer64 | MISSING, Field(alias="characterId")] = MISSING
    """Character the context belongs to."""
    data: dict[str, StrictStr] | MISSING = MISSING
    """Named context values of the character."""


class Error(ContractModel):
    message: Text100000 | MISSING = MISSING
    """What went wrong."""


class StoryElement(ContractModel):
    sequence: Integer64 | MISSING = MISSING
    """Place of the element in the story."""
    character: Character | MISSING = MISSING
    action: Action | MISSING = MISSING
    spoken_word: Annotated[SpokenWord | MISSING, Field(alias="spokenWord")] = MISSING
    context: Context | MISSING = MISSING
    heading_id: Annotated[Integer64 | MISSING, Field(alias="headingId")] = MISSING
    """Heading in sections under which the element stands."""


class StorySequence(ContractModel):
    script_id: Annotated[Integer64 | MISSING, Field(alias="scriptId")] = MISSING
    """Identifier of the script."""
    sequences: list[StoryElement] | MISSING = MISSING


class FullStory(ContractModel):
    script_id: Annotated[Integer64 | MISSING, Field(alias="scriptId")] = MISSING
    """Identifier of the script."""
    title: Text100000 | MISSING = MISSING
    """Name of the script."""
    author: Text100000 | MISSING = MISSING
    """Who wrote it."""
    description: Text100000 | MISSING = MISSING
    """Short account of its content."""
    sections: list[SectionHeading] | MISSING = MISSING
    story: list[StoryElement] | MISSING = MISSING
    orchestration: Orchestration | MISSING = MISSING
