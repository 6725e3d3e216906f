from collections.abc import Sequence
from typing import Annotated, Any, Final, Self

from pydantic import AfterValidator, Field, StrictBool, model_validator

from bedplate.schemas import Schema
from live.activity_type import ActivityType, Count, Example, Score, Tally
from live.options import Option, OptionId, choose, with_ids_and_texts
from live.scoring import PUBLIC, RIGHT, Scored, score_of

MAX_OPTIONS: Final = 20


class QuizOption(Option):
    """One of several options, right or wrong."""

    correct: StrictBool = Field(False, description="Hidden until the correct answer is revealed")


class QuizConfig(Scored):
    """A question with options, at least one of them correct.

    For a single choice every correct option is a right answer. For `multiple` the right answer is
    all correct options and no other; a partly right one is worth its correct options less its wrong
    ones.
    """

    options: Annotated[
        list[QuizOption],
        Field(min_length=2, max_length=MAX_OPTIONS, description="In the order of display"),
        AfterValidator(with_ids_and_texts),
    ]
    multiple: StrictBool = Field(False, description="Whether an answer may choose several options")

    @model_validator(mode="after")
    def _can_be_answered(self) -> Self:
        if not self.correct:
            raise ValueError("At least one option should be correct")
        return self

    @property
    def correct(self) -> list[str]:
        """The ids of the correct options."""
        return [option.id for option in self.options if option.correct]

    def right(self, choices: Sequence[str]) -> float:
        """Return how right an answer is, between 0 and 1."""
        hits = len(set(choices) & set(self.correct))
        if not self.multiple:
            return float(hits)
        return max(0.0, (hits - (len(choices) - hits)) / len(self.correct))


class QuizAnswer(Schema):
    """The chosen options."""

    choices: Annotated[
        list[OptionId],
        Field(min_length=1, max_length=MAX_OPTIONS, description="Ids of options, each once"),
    ]


class Quiz(ActivityType[QuizConfig, QuizAnswer]):
    """One question of a quiz; several questions are several activities."""

    name = "quiz"
    title = "Quiz"
    config = QuizConfig
    answer = QuizAnswer
    example = Example(
        config={
            "options": [{"text": "Bern", "correct": True}, {"text": "Zürich"}, {"text": "Geneva"}],
            "explanation": "Bern has been the seat of the government since 1848.",
        },
        answer={"choices": ["a"]},
    )
    scored = True

    def check(self, config: QuizConfig, answer: QuizAnswer) -> QuizAnswer:
        """Return the answer with its choices in the order of the options."""
        ids = [option.id for option in config.options]
        maximum = len(ids) if config.multiple else 1
        chosen = choose("answer.choices", answer.choices, ids, minimum=1, maximum=maximum)
        return QuizAnswer(choices=chosen)

    def tally(self, config: QuizConfig, answer: QuizAnswer) -> Sequence[Count]:
        """Return one count for each chosen option, and one for an answer that is right."""
        counts = [Count(choice) for choice in answer.choices]
        return [*counts, Count(RIGHT)] if config.right(answer.choices) == 1 else counts

    def result(self, config: QuizConfig, tally: Tally, *, revealed: bool) -> dict[str, Any]:
        """Return how often each option was chosen, and which are correct when it is revealed."""
        result = {
            "answers": tally.stored,
            "counts": {option.id: tally[option.id] for option in config.options},
        }
        if not revealed:
            return result
        solution = {"correct": config.correct, "explanation": config.explanation}
        return {**result, **solution, "right": tally[RIGHT]}

    def public(self, config: QuizConfig) -> dict[str, Any]:
        """Return the question without its correct options and their explanation."""
        return {
            **config.model_dump(mode="json", include={"multiple", *PUBLIC}),
            "options": [{"id": option.id, "text": option.text} for option in config.options],
        }

    def score(
        self, config: QuizConfig, answer: QuizAnswer, *, seconds: float | None, limit: float | None
    ) -> Score:
        """Return the points of an answer."""
        return score_of(config, config.right(answer.choices), seconds, limit)
