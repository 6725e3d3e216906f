"""Points for answers that are right: for all of them, for a part, and for being quick."""

from typing import Annotated, Final, Literal

from pydantic import Field, StrictBool

from bedplate.schemas import MultiLineStr, Schema, WholeNumber
from live.activity_type import Score

MAX_POINTS: Final = 2000
MAX_EXPLANATION_LENGTH: Final = 2000
RIGHT: Final = "answers.right"
"""The counter of answers that are right; no option's id has a dot."""

_FULL_POINTS_SECONDS: Final = 0.5


class Scored(Schema):
    """How answers are scored, and what is explained when the correct answer is revealed."""

    points: Annotated[int, WholeNumber(0, MAX_POINTS)] = Field(
        1000, description="What a right answer is worth"
    )
    speed: StrictBool = Field(
        True, description="With a timer, points fall by up to half with the time that passes"
    )
    credit: Literal["strict", "partial"] = Field(
        "strict", description="Whether an answer that is partly right gets a part of the points"
    )
    explanation: Annotated[str, MultiLineStr(MAX_EXPLANATION_LENGTH)] | None = Field(
        None, description="Shown with the correct answer"
    )


PUBLIC: Final = {"points", "speed", "credit"}
"""The fields of `Scored` that participants see before the correct answer is revealed."""


def score_of(config: Scored, right: float, seconds: float | None, limit: float | None) -> Score:
    """Return the score of an answer that is `right` to a part between 0 and 1.

    Points fall with time as Kahoot's do: `1 - seconds / limit / 2`, rounded, and full points within
    half a second (https://kahoot.uservoice.com/knowledgebase/articles/462128).
    """
    earned = right if config.credit == "partial" else float(right == 1)
    if config.speed and seconds is not None and limit and seconds > _FULL_POINTS_SECONDS:
        earned *= 1 - min(seconds / limit, 1) / 2
    return Score(correct=right == 1, points=int(config.points * earned + 0.5))
