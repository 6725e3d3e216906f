from collections.abc import Sequence
from typing import Annotated, Any, Final

from pydantic import Field

from bedplate.schemas import Schema, WholeNumber
from live.activity_type import ActivityType, Count, Example, Tally
from live.text import MAX_TEXT_LENGTH, OwnText
from live.words import MAX_LISTED, count_texts, distinct, listed

MAX_TEXTS: Final = 10


class OpenTextConfig(Schema):
    """How many texts an answer has, and how long they are."""

    max_texts: Annotated[int, WholeNumber(1, MAX_TEXTS)] = Field(
        1, description="How many different texts an answer has at most"
    )
    max_length: Annotated[int, WholeNumber(1, MAX_TEXT_LENGTH)] = Field(
        MAX_TEXT_LENGTH, description="How many characters a text has at most"
    )
    max_listed: Annotated[int, WholeNumber(1, MAX_LISTED)] = Field(
        100, description="How many texts a result lists, the most frequent first"
    )


class OpenTextAnswer(Schema):
    """One participant's texts."""

    texts: Annotated[
        list[OwnText],
        Field(min_length=1, max_length=MAX_TEXTS, description="Line breaks become spaces"),
    ]


class OpenText(ActivityType[OpenTextConfig, OpenTextAnswer]):
    """Answers in the participants' own words. Equal ones are merged."""

    name = "open_text"
    title = "Open text"
    config = OpenTextConfig
    answer = OpenTextAnswer
    example = Example(config={}, answer={"texts": ["More time for questions, please."]})
    words = True

    def check(self, config: OpenTextConfig, answer: OpenTextAnswer) -> OpenTextAnswer:
        """Return the answer with each text once."""
        texts = distinct(
            answer.texts,
            field="answer.texts",
            max_count=config.max_texts,
            max_length=config.max_length,
            code="too_many_texts",
        )
        return OpenTextAnswer(texts=texts)

    def tally(self, config: OpenTextConfig, answer: OpenTextAnswer) -> Sequence[Count]:
        """Return one count for each text."""
        return count_texts(answer.texts)

    def result(self, config: OpenTextConfig, tally: Tally, *, revealed: bool) -> dict[str, Any]:
        """Return the most frequent texts, and how many others there are."""
        texts, left_out = listed(tally.items, config.max_listed)
        return {"answers": tally.stored, "texts": texts, "left_out": left_out}

    def texts(self, answer: OpenTextAnswer) -> Sequence[str]:
        """Return the texts."""
        return answer.texts
