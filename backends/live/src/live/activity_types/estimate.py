from collections.abc import Sequence
from typing import Annotated, Any, Final, Self

from pydantic import Field, model_validator

from bedplate.schemas import Schema, WholeNumber
from live.activity_type import ActivityType, Count, Example, Score, Tally, refusal
from live.numbers import Number, ScaleLabel
from live.scoring import PUBLIC, RIGHT, Scored, score_of

MAX_MAGNITUDE: Final = 1_000_000_000
MAX_DECIMALS: Final = 3
MAX_BUCKETS: Final = 50

_SUM: Final = "sum"

EstimatedNumber = Annotated[float, Number(-MAX_MAGNITUDE, MAX_MAGNITUDE)]


class EstimateConfig(Scored):
    """A number to estimate, the range in which it is, and what counts as right.

    With partial credit the points fall evenly from the tolerance to nothing at twice the tolerance.
    """

    minimum: EstimatedNumber = Field(description="The lowest estimate that can be given")
    maximum: EstimatedNumber = Field(description="The highest estimate that can be given")
    correct: EstimatedNumber = Field(description="Hidden until it is revealed")
    tolerance: Annotated[float, Number(0, MAX_MAGNITUDE)] = Field(
        0.0, description="How far from the correct number an estimate is still right"
    )
    decimals: Annotated[int, WholeNumber(0, MAX_DECIMALS)] = Field(
        0, description="How many digits estimates have after the point; they are rounded"
    )
    unit: ScaleLabel | None = Field(None, description="What is shown behind the number")
    buckets: Annotated[int, WholeNumber(1, MAX_BUCKETS)] = Field(
        10, description="How many bars the histogram has at most"
    )

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        numbers = (self.minimum, self.maximum, self.correct, self.tolerance)
        if any(number != round(number, self.decimals) for number in numbers):
            raise ValueError("Numbers should have at most as many decimals as decimals says")
        if self.minimum >= self.maximum:
            raise ValueError("minimum should be below maximum")
        if not self.minimum <= self.correct <= self.maximum:
            raise ValueError("correct should be within minimum and maximum")
        return self

    def steps(self, number: float) -> int:
        """Return a number in units of its last decimal."""
        return round(number * 10.0**self.decimals)

    def number(self, steps: float) -> float:
        """Return the number that `steps` stands for."""
        return round(steps / 10.0**self.decimals, self.decimals)

    @property
    def width(self) -> int:
        """How many different estimates there can be."""
        return self.steps(self.maximum) - self.steps(self.minimum) + 1

    @property
    def bars(self) -> int:
        """How many bars the histogram has: never more than there can be different estimates."""
        return min(self.buckets, self.width)

    def bar(self, value: float) -> int:
        """Return the bar of an estimate, from 0."""
        return (self.steps(value) - self.steps(self.minimum)) * self.bars // self.width

    def edge(self, bar: int) -> int:
        """Return where a bar begins, in steps."""
        return self.steps(self.minimum) - (-bar * self.width // self.bars)

    def right(self, value: float) -> float:
        """Return how right an estimate is, between 0 and 1."""
        distance = abs(self.steps(value) - self.steps(self.correct))
        tolerance = self.steps(self.tolerance)
        if distance <= tolerance:
            return 1.0
        return max(0.0, 2 - distance / tolerance) if tolerance else 0.0


class EstimateAnswer(Schema):
    """One estimate."""

    value: EstimatedNumber = Field(description="Within the activity's range")


class Estimate(ActivityType[EstimateConfig, EstimateAnswer]):
    """A number to guess; near enough is right."""

    name = "estimate"
    title = "Numeric estimate"
    config = EstimateConfig
    answer = EstimateAnswer
    example = Example(
        config={
            "minimum": 0,
            "maximum": 1000,
            "correct": 330,
            "tolerance": 10,
            "unit": "m",
            "explanation": "The Eiffel Tower is 330 m high.",
        },
        answer={"value": 324},
    )
    scored = True

    def check(self, config: EstimateConfig, answer: EstimateAnswer) -> EstimateAnswer:
        """Return the answer, rounded to the decimals of the activity."""
        if not config.minimum <= answer.value <= config.maximum:
            message = f"The estimate should be {config.minimum:g} to {config.maximum:g}"
            raise refusal("answer.value", message, "outside_range")
        # The sum makes 0.0 of -0.0.
        return EstimateAnswer(value=round(answer.value, config.decimals) + 0.0)

    def tally(self, config: EstimateConfig, answer: EstimateAnswer) -> Sequence[Count]:
        """Return one count for the bar of the histogram, one that sums, and one for a right answer.

        What is summed is the distance from the minimum, so that no counter is negative.
        """
        counts = [Count(f"bar.{config.bar(answer.value)}")]
        above = config.steps(answer.value) - config.steps(config.minimum)
        if above:
            counts.append(Count(_SUM, amount=above))
        if config.right(answer.value) == 1:
            counts.append(Count(RIGHT))
        return counts

    def result(self, config: EstimateConfig, tally: Tally, *, revealed: bool) -> dict[str, Any]:
        """Return the histogram and the mean; the correct number when it is revealed."""
        counts = [tally[f"bar.{bar}"] for bar in range(config.bars)]
        histogram = [
            {
                "minimum": config.number(config.edge(bar)),
                "maximum": config.number(config.edge(bar + 1) - 1),
                "count": times,
            }
            for bar, times in enumerate(counts)
        ]
        total = sum(counts)
        mean = config.minimum + tally[_SUM] / total / 10.0**config.decimals if total > 0 else None
        result = {
            "answers": tally.stored,
            "histogram": histogram,
            "mean": None if mean is None else round(mean, config.decimals + 2),
        }
        if not revealed:
            return result
        solution = {
            "correct": config.correct,
            "tolerance": config.tolerance,
            "explanation": config.explanation,
        }
        return {**result, **solution, "right": tally[RIGHT]}

    def public(self, config: EstimateConfig) -> dict[str, Any]:
        """Return the range, without the correct number, its tolerance and explanation."""
        return config.model_dump(
            mode="json", include={"minimum", "maximum", "decimals", "unit", "buckets", *PUBLIC}
        )

    def score(
        self,
        config: EstimateConfig,
        answer: EstimateAnswer,
        *,
        seconds: float | None,
        limit: float | None,
    ) -> Score:
        """Return the points of an answer."""
        return score_of(config, config.right(answer.value), seconds, limit)
