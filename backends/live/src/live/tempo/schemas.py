from typing import Literal, get_args

from pydantic import BaseModel, Field

from bedplate.schemas import Schema

Tempo = Literal["too_slow", "fine", "too_fast", "lost"]
TEMPOS: tuple[Tempo, ...] = get_args(Tempo)


class TempoVote(Schema):
    """How fast it goes for a participant."""

    tempo: Tempo | None = Field(description="Null takes the vote back")


class TempoCounts(BaseModel):
    """How many of those who are in a session say what of its tempo."""

    too_slow: int
    fine: int
    too_fast: int
    lost: int
