from collections.abc import Sequence
from typing import Annotated, Any, Final, Self

from pydantic import AfterValidator, Field, model_validator

from bedplate.schemas import Schema, WholeNumber
from live.activity_type import ActivityType, Count, Example, Tally, refusal
from live.numbers import mean_of
from live.options import Option, OptionId, refuse_unknown, with_ids_and_texts

MAX_OPTIONS: Final = 20


class RankingConfig(Schema):
    """Options to put in order: all of them, or the best few."""

    options: Annotated[
        list[Option],
        Field(min_length=2, max_length=MAX_OPTIONS, description="In the order of display"),
        AfterValidator(with_ids_and_texts),
    ]
    top: Annotated[int, WholeNumber(1, MAX_OPTIONS)] | None = Field(
        None, description="How many places an answer fills; without it one for each option"
    )

    @model_validator(mode="after")
    def _can_be_filled(self) -> Self:
        if self.places > len(self.options):
            raise ValueError("top should not exceed the number of options")
        return self

    @property
    def places(self) -> int:
        """How many places an answer fills."""
        return len(self.options) if self.top is None else self.top


class RankingAnswer(Schema):
    """Options in order."""

    order: Annotated[
        list[OptionId],
        Field(min_length=1, max_length=MAX_OPTIONS, description="Ids of options, best first"),
    ]


class Ranking(ActivityType[RankingConfig, RankingAnswer]):
    """Options that participants put in order."""

    name = "ranking"
    title = "Ranking"
    config = RankingConfig
    answer = RankingAnswer
    example = Example(
        config={"options": [{"text": "Price"}, {"text": "Quality"}, {"text": "Service"}], "top": 2},
        answer={"order": ["b", "a"]},
    )

    def check(self, config: RankingConfig, answer: RankingAnswer) -> RankingAnswer:
        """Return the answer, whose order is the answer itself."""
        ids = [option.id for option in config.options]
        refuse_unknown("answer.order", answer.order, ids)
        if len(answer.order) != config.places:
            message = f"{config.places} options should be put in order"
            raise refusal("answer.order", message, "wrong_number_of_places")
        return answer

    def tally(self, config: RankingConfig, answer: RankingAnswer) -> Sequence[Count]:
        """Return one count for the place of each option."""
        return [Count(f"{key}.{place}") for place, key in enumerate(answer.order, start=1)]

    def result(self, config: RankingConfig, tally: Tally, *, revealed: bool) -> dict[str, Any]:
        """Return each option's Borda points, rank, mean place and how often it got which place.

        Of n places the first is worth n points and the last 1; no place is worth none and isn't in
        the mean. Equal points share a rank: 1, 2, 2, 4.
        """
        places = range(1, config.places + 1)
        counts = {
            option.id: {place: tally[f"{option.id}.{place}"] for place in places}
            for option in config.options
        }
        points = {
            key: sum(times * (config.places + 1 - place) for place, times in by_place.items())
            for key, by_place in counts.items()
        }
        options = {
            key: {
                "points": points[key],
                "rank": 1 + sum(other > points[key] for other in points.values()),
                "mean_place": mean_of(by_place),
                "places": list(by_place.values()),
            }
            for key, by_place in counts.items()
        }
        return {"answers": tally.stored, "options": options}
