from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

from pydantic import Field

from bedplate.schemas import Schema
from live.activity_type import ActivityType, Count, Example, Tally, refusal
from live.numbers import mean_of, median_of

UNSURE: Final = ("?", "coffee")
"""The cards that estimate nothing: don't know, and let's have a break."""

SCALES: Final[Mapping[str, tuple[str, ...]]] = {
    "fibonacci": ("0", "1", "2", "3", "5", "8", "13", "21", "34", "55", "89"),
    "t-shirt": ("XS", "S", "M", "L", "XL", "XXL"),
    "linear": tuple(map(str, range(1, 11))),
}

Card = Literal[
    "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "13", "21", "34", "55", "89",
    "XS", "S", "M", "L", "XL", "XXL", "?", "coffee",
]  # fmt: skip


class PlanningPokerConfig(Schema):
    """The cards that are played."""

    scale: Literal["fibonacci", "t-shirt", "linear"] = Field(
        "fibonacci", description="The values of the cards; ? and coffee are always among them"
    )

    @property
    def estimates(self) -> tuple[str, ...]:
        """The cards with a value, in order."""
        return SCALES[self.scale]

    @property
    def cards(self) -> tuple[str, ...]:
        """All cards, in order."""
        return (*self.estimates, *UNSURE)


class PlanningPokerAnswer(Schema):
    """One card."""

    card: Card = Field(description="A card of the activity's scale")


class PlanningPoker(ActivityType[PlanningPokerConfig, PlanningPokerAnswer]):
    """Estimates with cards, which all turn over together.

    Whatever the policy for results says, they hold nothing but the number of answers until the
    activity is revealed.
    """

    name = "planning_poker"
    title = "Planning poker"
    config = PlanningPokerConfig
    answer = PlanningPokerAnswer
    example = Example(config={"scale": "t-shirt"}, answer={"card": "M"})

    def check(
        self, config: PlanningPokerConfig, answer: PlanningPokerAnswer
    ) -> PlanningPokerAnswer:
        """Return the answer, whose card is of the scale."""
        if answer.card not in config.cards:
            raise refusal("answer.card", "Input should be a card of the scale", "unknown_card")
        return answer

    def tally(self, config: PlanningPokerConfig, answer: PlanningPokerAnswer) -> Sequence[Count]:
        """Return one count for the card."""
        return [Count(answer.card)]

    def result(
        self, config: PlanningPokerConfig, tally: Tally, *, revealed: bool
    ) -> dict[str, Any]:
        """Return how many have played a card; when it is revealed also which, and the agreement.

        The agreement is the share of the most frequent estimate among all estimates, so 1 when all
        agree. The median of t-shirt sizes is the lower one of two in the middle, and they have no
        mean.
        """
        result: dict[str, Any] = {"answers": tally.stored}
        if not revealed:
            return result
        estimates = {card: tally[card] for card in config.estimates}
        total, highest = sum(estimates.values()), max(estimates.values())
        return {
            **result,
            "counts": {card: tally[card] for card in config.cards},
            **_middle(config, estimates),
            "agreement": round(highest / total, 2) if total > 0 else None,
            "most_frequent": [
                card for card, times in estimates.items() if times == highest and total > 0
            ],
        }

    def public(self, config: PlanningPokerConfig) -> dict[str, Any]:
        """Return the scale and its cards."""
        return {"scale": config.scale, "cards": list(config.cards)}


def _middle(config: PlanningPokerConfig, estimates: Mapping[str, int]) -> dict[str, Any]:
    if config.scale != "t-shirt":
        by_value = {int(card): times for card, times in estimates.items()}
        return {"median": median_of(by_value), "mean": mean_of(by_value)}
    place = median_of(dict(enumerate(estimates.values())))
    return {"median": None if place is None else config.estimates[int(place)], "mean": None}
