from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import Field

from bedplate.schemas import Schema
from live.activity_type import ActivityType, Count, Example, Tally
from live.options import MAX_OPTIONS, Choices, OptionId


class PollConfig(Choices):
    """A question with options: `max_choices` of 1 makes it a single choice."""


class PollAnswer(Schema):
    """The chosen options."""

    choices: Annotated[
        list[OptionId],
        Field(min_length=1, max_length=MAX_OPTIONS, description="Ids of options, each once"),
    ]


class Poll(ActivityType[PollConfig, PollAnswer]):
    """Single and multiple choice, without right and wrong."""

    name = "poll"
    title = "Poll"
    config = PollConfig
    answer = PollAnswer
    example = Example(
        config={"options": [{"text": "Red"}, {"text": "Blue"}, {"text": "Grey"}], "max_choices": 2},
        answer={"choices": ["a", "c"]},
    )

    def check(self, config: PollConfig, answer: PollAnswer) -> PollAnswer:
        """Return the answer with its choices in the order of the options."""
        return PollAnswer(choices=config.check("answer.choices", answer.choices))

    def tally(self, config: PollConfig, answer: PollAnswer) -> Sequence[Count]:
        """Return one count for each chosen option."""
        return [Count(choice) for choice in answer.choices]

    def result(self, config: PollConfig, tally: Tally, *, revealed: bool) -> dict[str, Any]:
        """Return how often each option was chosen."""
        return {
            "answers": tally.stored,
            "counts": {option.id: tally[option.id] for option in config.options},
        }
