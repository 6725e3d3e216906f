"""Numbers in answers, and what counters say about them."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final, Self, TypeVar

from pydantic import Field, GetCoreSchemaHandler, model_validator
from pydantic_core import CoreSchema, PydanticKnownError, core_schema

from bedplate.schemas import MAX_INT64, Schema, SingleLineStr, WholeNumber
from live.activity_type import Tally, refusal

MAX_LABEL_LENGTH: Final = 50
MAX_SCALE: Final = 100

ScaleLabel = Annotated[str, SingleLineStr(MAX_LABEL_LENGTH, printable=True)]
Rating = Annotated[int, WholeNumber(-MAX_SCALE, MAX_SCALE)]


@dataclass(frozen=True)
class Number:
    """Marks a number in a JSON body, never `true` or a text: `Annotated[float, Number(0, 9)]`."""

    minimum: float
    maximum: float

    def __get_pydantic_core_schema__(self, _: Any, __: GetCoreSchemaHandler) -> CoreSchema:
        number = core_schema.float_schema(
            ge=self.minimum, le=self.maximum, allow_inf_nan=False, strict=True
        )
        return core_schema.no_info_before_validator_function(_float, number)


def _float(value: object) -> object:
    """Return a number of JSON as a float; -0.0 is 0.0."""
    if isinstance(value, bool):
        raise PydanticKnownError("float_type")
    if isinstance(value, int):
        # The schema refuses what is infinite; a float can't hold every int.
        return float(value) if abs(value) <= MAX_INT64 else math.inf
    return value + 0.0 if isinstance(value, float) else value


class Scale(Schema):
    """Whole numbers from `minimum` to `maximum`, and what the two ends mean."""

    minimum: Rating = Field(1, description="The lowest rating")
    maximum: Rating = Field(5, description="The highest rating, at most 100 above the lowest")
    minimum_label: ScaleLabel | None = Field(None, description="What the lowest rating means")
    maximum_label: ScaleLabel | None = Field(None, description="What the highest rating means")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not 1 <= self.maximum - self.minimum <= MAX_SCALE:
            raise ValueError(f"maximum should be 1 to {MAX_SCALE} above minimum")
        return self

    @property
    def values(self) -> range:
        """The ratings, from the lowest to the highest."""
        return range(self.minimum, self.maximum + 1)

    def refuse_outside(self, field: str, ratings: Iterable[int]) -> None:
        """Raise `InvalidInput` for a rating that isn't on the scale."""
        if not all(rating in self.values for rating in ratings):
            message = f"Ratings should be {self.minimum} to {self.maximum}"
            raise refusal(field, message, "outside_scale")


Value = TypeVar("Value", int, float)


def mean_of(counts: Mapping[Value, int], digits: int = 2) -> float | None:
    """Return the mean of values that were counted, None without any."""
    total = sum(counts.values())
    if total <= 0:
        return None
    return round(sum(value * times for value, times in counts.items()) / total, digits)


def median_of(counts: Mapping[Value, int]) -> float | None:
    """Return the median of values that were counted: the mean of both middle ones if need be."""
    total = sum(counts.values())
    if total <= 0:
        return None
    low, high = _nth(counts, (total - 1) // 2), _nth(counts, total // 2)
    return (low + high) / 2


def _nth(counts: Mapping[Value, int], index: int) -> Value:
    values = sorted(value for value, times in counts.items() if times > 0)
    for value in values:
        index -= counts[value]
        if index < 0:
            return value
    return values[-1]


def rating_result(scale: Scale, tally: Tally, prefix: str) -> dict[str, Any]:
    """Return how often each rating was given, counted as `prefix` and the rating, and the mean."""
    counts = {value: tally[f"{prefix}{value}"] for value in scale.values}
    return {
        "ratings": sum(counts.values()),
        "counts": {str(value): times for value, times in counts.items()},
        "mean": mean_of(counts),
        "median": median_of(counts),
    }
