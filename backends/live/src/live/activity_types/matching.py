from collections.abc import Sequence
from functools import cached_property
from typing import Annotated, Any, Final, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from bedplate.schemas import Schema
from live.activity_type import ActivityType, Count, Example, Score, Tally
from live.options import Identified, OptionId, OptionText, refuse_equal, refuse_unknown, with_ids
from live.scoring import PUBLIC, RIGHT, Scored, score_of
from live.text import KEY_LENGTH, key_of

MAX_PAIRS: Final = 20
MAX_EXTRA: Final = 10

RightKey = Annotated[str, StringConstraints(pattern=f"^[0-9a-f]{{{KEY_LENGTH}}}$")]
"""The key of a right side: a hash of its text, so that it says nothing about its left side."""


class Pair(Identified):
    """A left side, and the right side that belongs to it."""

    left: OptionText = Field(description="Shown in the order of the pairs")
    right: OptionText = Field(description="Shown among all right sides, in an order of no meaning")


class MatchingConfig(Scored):
    """Pairs to find, and right sides that belong to none."""

    pairs: Annotated[
        list[Pair], Field(min_length=2, max_length=MAX_PAIRS), AfterValidator(with_ids)
    ]
    extra: Annotated[list[OptionText], Field(max_length=MAX_EXTRA)] = Field(
        [], description="More right sides, which belong to no left one"
    )

    @model_validator(mode="after")
    def _differ(self) -> Self:
        refuse_equal(pair.left for pair in self.pairs)
        refuse_equal([*(pair.right for pair in self.pairs), *self.extra])
        return self

    @cached_property
    def solution(self) -> dict[str, str]:
        """The key of the right side that belongs to each left one."""
        return {pair.id: key_of(pair.right) for pair in self.pairs}

    @cached_property
    def right_sides(self) -> dict[str, str]:
        """The texts of all right sides by key, in the order of keys, which has no meaning."""
        texts = [*(pair.right for pair in self.pairs), *self.extra]
        return dict(sorted((key_of(text), text) for text in texts))

    def right(self, answer: "MatchingAnswer") -> float:
        """Return how right an answer is, between 0 and 1."""
        solution = self.solution
        hits = sum(solution[left] == right for left, right in answer.matches.items())
        return hits / len(solution)


class MatchingAnswer(Schema):
    """Pairs; left sides may be left out."""

    matches: dict[OptionId, RightKey] = Field(
        min_length=1,
        max_length=MAX_PAIRS,
        description="Keys of right sides by the ids of left ones; each right side once",
    )


class Matching(ActivityType[MatchingConfig, MatchingAnswer]):
    """Left sides, each of which belongs to one of the right sides."""

    name = "matching"
    title = "Matching"
    config = MatchingConfig
    answer = MatchingAnswer
    example = Example(
        config={
            "pairs": [{"left": "France", "right": "Paris"}, {"left": "Italy", "right": "Rome"}],
            "extra": ["Madrid"],
            "credit": "partial",
        },
        answer={"matches": {"a": key_of("Paris"), "b": key_of("Madrid")}},
    )
    scored = True

    def check(self, config: MatchingConfig, answer: MatchingAnswer) -> MatchingAnswer:
        """Return the answer in the order of the left sides."""
        ids = [pair.id for pair in config.pairs]
        refuse_unknown("answer.matches", answer.matches, ids)
        refuse_unknown("answer.matches", answer.matches.values(), config.right_sides)
        matches = {left: answer.matches[left] for left in ids if left in answer.matches}
        return MatchingAnswer(matches=matches)

    def tally(self, config: MatchingConfig, answer: MatchingAnswer) -> Sequence[Count]:
        """Return one count for each match, and one for an answer that is right."""
        counts = [Count(f"{left}.{right}") for left, right in answer.matches.items()]
        return [*counts, Count(RIGHT)] if config.right(answer) == 1 else counts

    def result(self, config: MatchingConfig, tally: Tally, *, revealed: bool) -> dict[str, Any]:
        """Return how often which sides were matched, and the pairs when they are revealed."""
        result: dict[str, Any] = {
            "answers": tally.stored,
            "counts": {
                pair.id: {
                    right: times
                    for right in config.right_sides
                    if (times := tally[f"{pair.id}.{right}"])
                }
                for pair in config.pairs
            },
        }
        if not revealed:
            return result
        solution = {"correct": config.solution, "explanation": config.explanation}
        return {**result, **solution, "right": tally[RIGHT]}

    def public(self, config: MatchingConfig) -> dict[str, Any]:
        """Return both sides, without what belongs together."""
        return {
            **config.model_dump(mode="json", include=PUBLIC),
            "left": [{"id": pair.id, "text": pair.left} for pair in config.pairs],
            "right": [{"key": key, "text": text} for key, text in config.right_sides.items()],
        }

    def score(
        self,
        config: MatchingConfig,
        answer: MatchingAnswer,
        *,
        seconds: float | None,
        limit: float | None,
    ) -> Score:
        """Return the points of an answer."""
        return score_of(config, config.right(answer), seconds, limit)
