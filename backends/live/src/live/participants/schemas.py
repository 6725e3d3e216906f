from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BaseModel, Field, StrictBool

from bedplate.schemas import Schema, SingleLineStr
from live.models.participants import MAX_NICKNAME_LENGTH
from live.numbers import Number
from live.text import displayed

Nickname = Annotated[str, SingleLineStr(MAX_NICKNAME_LENGTH), AfterValidator(displayed)]
Presence = Literal["online", "idle", "gone"]


class Join(Schema):
    """Somebody who joins with the session's code."""

    code: Annotated[str, Field(max_length=40)]
    nickname: Nickname | None = Field(
        default=None, description="Without one the session gives a name"
    )


class Joined(BaseModel):
    """A participant's own place in a session, and the token that proves it."""

    id: UUID
    session_id: UUID
    nickname: str
    renamed: bool = Field(description="Whether the wanted nickname was taken")
    token: str
    time_factor: float = Field(description="How much longer than others one has for an answer")
    points: int = Field(description="From the activities that were revealed")


class Participant(BaseModel):
    """A participant as hosts see it."""

    id: UUID
    nickname: str
    state: Literal["joined", "kicked", "banned"]
    presence: Presence
    time_factor: float
    joined_at: AwareDatetime


class ParticipantPage(BaseModel):
    """A page of participants, in the order in which they joined."""

    items: list[Participant]


class NicknameWanted(Schema):
    """A nickname that somebody thinks of."""

    nickname: Nickname


class NicknameCheck(BaseModel):
    """Whether a nickname is free, and which one a join would get."""

    available: bool
    nickname: str | None = Field(description="Null where the session gives names")


class PresenceCounts(BaseModel):
    """How many of a session were seen in the last 30 seconds, the last 120, or before."""

    online: int
    idle: int
    gone: int
    joined: int = Field(description="All of them together")


class Removal(Schema):
    """How a participant is removed."""

    remove_answers: StrictBool = Field(
        default=False, description="Take the participant's answers out of the results too"
    )


class ParticipantPatch(Schema):
    """What a host changes of a participant."""

    time_factor: Annotated[float, Number(1, 10)] = Field(
        description="How much longer than others this person has for an answer"
    )
