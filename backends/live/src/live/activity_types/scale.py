from collections.abc import Sequence
from typing import Annotated, Any, Final, Self

from pydantic import AfterValidator, Field, StrictBool, model_validator

from bedplate.schemas import Schema
from live import numbers
from live.activity_type import MAX_COUNTERS, ActivityType, Count, Example, Tally, refusal
from live.numbers import Rating, rating_result
from live.options import Option, OptionId, refuse_unknown, with_ids_and_texts

MAX_STATEMENTS: Final = 20


class Statement(Option):
    """What is rated."""


class ScaleConfig(numbers.Scale):
    """Statements, and the scale on which each is rated."""

    statements: Annotated[
        list[Statement],
        Field(min_length=1, max_length=MAX_STATEMENTS, description="In the order of display"),
        AfterValidator(with_ids_and_texts),
    ]
    skippable: StrictBool = Field(False, description="Whether an answer may leave statements out")

    @model_validator(mode="after")
    def _countable(self) -> Self:
        if len(self.statements) * len(self.values) > MAX_COUNTERS:
            raise ValueError(f"Statements times ratings should be at most {MAX_COUNTERS}")
        return self


class ScaleAnswer(Schema):
    """A rating for each statement."""

    ratings: dict[OptionId, Rating] = Field(
        min_length=1, max_length=MAX_STATEMENTS, description="Ratings by the statement's id"
    )


class Scale(ActivityType[ScaleConfig, ScaleAnswer]):
    """Ratings of one or several statements, such as 1 to 5."""

    name = "scale"
    title = "Rating"
    config = ScaleConfig
    answer = ScaleAnswer
    example = Example(
        config={
            "statements": [{"text": "The pace was right"}, {"text": "I learned something"}],
            "minimum_label": "Not at all",
            "maximum_label": "Completely",
        },
        answer={"ratings": {"a": 4, "b": 5}},
    )

    def check(self, config: ScaleConfig, answer: ScaleAnswer) -> ScaleAnswer:
        """Return the answer in the order of the statements."""
        ids = [statement.id for statement in config.statements]
        refuse_unknown("answer.ratings", answer.ratings, ids)
        if len(answer.ratings) < len(ids) and not config.skippable:
            raise refusal("answer.ratings", "Each statement should be rated", "not_rated")
        config.refuse_outside("answer.ratings", answer.ratings.values())
        ratings = {key: answer.ratings[key] for key in ids if key in answer.ratings}
        return ScaleAnswer(ratings=ratings)

    def tally(self, config: ScaleConfig, answer: ScaleAnswer) -> Sequence[Count]:
        """Return one count for each rating of each statement."""
        return [Count(f"{key}.{rating}") for key, rating in answer.ratings.items()]

    def result(self, config: ScaleConfig, tally: Tally, *, revealed: bool) -> dict[str, Any]:
        """Return the distribution of each statement's ratings, their mean and their median."""
        statements = {
            statement.id: rating_result(config, tally, f"{statement.id}.")
            for statement in config.statements
        }
        return {"answers": tally.stored, "statements": statements}
