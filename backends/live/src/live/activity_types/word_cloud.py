from collections.abc import Sequence
from typing import Annotated, Any, Final

from pydantic import Field

from bedplate.schemas import Schema, WholeNumber
from live.activity_type import ActivityType, Count, Example, Tally
from live.text import MAX_WORD_LENGTH, Word
from live.words import MAX_LISTED, count_texts, distinct, listed

MAX_WORDS: Final = 10
MAX_SENT: Final = 50


class WordCloudConfig(Schema):
    """How many words an answer has, and how many the cloud."""

    max_words: Annotated[int, WholeNumber(1, MAX_WORDS)] = Field(
        3, description="How many different words an answer has at most"
    )
    max_length: Annotated[int, WholeNumber(1, MAX_WORD_LENGTH)] = Field(
        MAX_WORD_LENGTH, description="How many characters a word has at most"
    )
    max_listed: Annotated[int, WholeNumber(1, MAX_LISTED)] = Field(
        100, description="How many words a result lists, the most frequent first"
    )


class WordCloudAnswer(Schema):
    """One participant's words."""

    words: Annotated[
        list[Word],
        Field(min_length=1, max_length=MAX_SENT, description="A word that is repeated counts once"),
    ]


class WordCloud(ActivityType[WordCloudConfig, WordCloudAnswer]):
    """Words in the size of their frequency. Equal words are merged, whatever their case."""

    name = "word_cloud"
    title = "Word cloud"
    config = WordCloudConfig
    answer = WordCloudAnswer
    example = Example(config={"max_words": 2}, answer={"words": ["Grün", "日本語"]})
    words = True

    def check(self, config: WordCloudConfig, answer: WordCloudAnswer) -> WordCloudAnswer:
        """Return the answer with each word once."""
        words = distinct(
            answer.words,
            field="answer.words",
            max_count=config.max_words,
            max_length=config.max_length,
            code="too_many_words",
        )
        return WordCloudAnswer(words=words)

    def tally(self, config: WordCloudConfig, answer: WordCloudAnswer) -> Sequence[Count]:
        """Return one count for each word."""
        return count_texts(answer.words)

    def result(self, config: WordCloudConfig, tally: Tally, *, revealed: bool) -> dict[str, Any]:
        """Return the most frequent words, and how many others there are."""
        words, left_out = listed(tally.items, config.max_listed)
        return {"answers": tally.stored, "words": words, "left_out": left_out}

    def texts(self, answer: WordCloudAnswer) -> Sequence[str]:
        """Return the words."""
        return answer.words
