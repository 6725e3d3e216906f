"""Made from the contract by `bedplate contracts generate story-factory`; not to be edited."""

from typing import Annotated

from pydantic import MISSING, Field, StrictStr

from bedplate.contracts import ContractModel, Integer


class Orchestration(ContractModel):
    csound_file_path: Annotated[
        StrictStr | MISSING,
        Field(
            alias="csoundFilePath",
            description="Where the Csound score lies.",
            max_length=100000,
            pattern="^(?:|[^\\x00]+)$",
        ),
    ] = MISSING
    lily_pond_file_path: Annotated[
        StrictStr | MISSING,
        Field(
            alias="lilyPondFilePath",
            description="Where the LilyPond source lies.",
            max_length=100000,
            pattern="^(?:|[^\\x00]+)$",
        ),
    ] = MISSING
    midi_file_path: Annotated[
        StrictStr | MISSING,
        Field(
            alias="midiFilePath",
            description="Where the MIDI file lies.",
            max_length=100000,
            pattern="^(?:|[^\\x00]+)$",
        ),
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
    sequence: Annotated[
        Integer | MISSING,
        Field(
            description="Place of the heading in the script.",
            ge=-9223372036854775808,
            le=9223372036854775807,
        ),
    ] = MISSING


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
            description="Short account of the character.",
            max_length=100000,
            pattern="^(?:|[^\\x00]+)$",
        ),
    ] = MISSING


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
    sequence: Annotated[
        Integer | MISSING,
        Field(
            description="Place of the line in the script.",
            ge=-9223372036854775808,
            le=9223372036854775807,
        ),
    ] = MISSING


class Context(ContractModel):
    context_id: Annotated[
        Integer | MISSING,
        Field(
            alias="contextId",
            description="Identifier of the context.",
            ge=-9223372036854775808,
            le=9223372036854775807,
        ),
    ] = MISSING
    character_id: Annotated[
        Integer | MISSING,
        Field(
            alias="characterId",
            description="Character the context belongs to.",
            ge=-9223372036854775808,
            le=9223372036854775807,
        ),
    ] = MISSING
    data: Annotated[
        dict[str, StrictStr] | MISSING, Field(description="Named context values of the character.")
    ] = MISSING


class Error(ContractModel):
    message: Annotated[
        StrictStr | MISSING,
        Field(description="What went wrong.", max_length=100000, pattern="^(?:|[^\\x00]+)$"),
    ] = MISSING


class StoryElement(ContractModel):
    sequence: Annotated[
        Integer | MISSING,
        Field(
            description="Place of the element in the story.",
            ge=-9223372036854775808,
            le=9223372036854775807,
        ),
    ] = MISSING
    character: Character | MISSING = MISSING
    action: Action | MISSING = MISSING
    spoken_word: Annotated[SpokenWord | MISSING, Field(alias="spokenWord")] = MISSING
    context: Context | MISSING = MISSING
    heading_id: Annotated[
        Integer | MISSING,
        Field(
            alias="headingId",
            description="Heading in sections under which the element stands.",
            ge=-9223372036854775808,
            le=9223372036854775807,
        ),
    ] = MISSING


class StorySequence(ContractModel):
    script_id: Annotated[
        Integer | MISSING,
        Field(
            alias="scriptId",
            description="Identifier of the script.",
            ge=-9223372036854775808,
            le=9223372036854775807,
        ),
    ] = MISSING
    sequences: list[StoryElement] | MISSING = MISSING


class FullStory(ContractModel):
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
    sections: list[SectionHeading] | MISSING = MISSING
    story: list[StoryElement] | MISSING = MISSING
    orchestration: Orchestration | MISSING = MISSING
