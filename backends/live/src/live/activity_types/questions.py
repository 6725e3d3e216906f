from collections.abc import Sequence
from typing import Annotated, Any, Final

from pydantic import Field, StringConstraints

from bedplate.schemas import Schema, WholeNumber
from live.activity_type import ActivityType, Count, Example, Tally, refusal
from live.text import KEY_LENGTH, MAX_TEXT_LENGTH, OwnText, key_of
from live.words import MAX_LISTED, count_texts, distinct, listed

MAX_QUESTIONS: Final = 3
MAX_VOTES: Final = 100

QuestionKey = Annotated[str, StringConstraints(pattern=f"^[0-9a-f]{{{KEY_LENGTH}}}$")]
"""The key by which a result names a question."""


class QuestionsConfig(Schema):
    """How much each participant may ask and vote for."""

    max_questions: Annotated[int, WholeNumber(0, MAX_QUESTIONS)] = Field(
        MAX_QUESTIONS, description="How many questions a participant asks at most"
    )
    max_votes: Annotated[int, WholeNumber(0, MAX_VOTES)] = Field(
        MAX_VOTES, description="For how many questions of others a participant votes at most"
    )
    max_length: Annotated[int, WholeNumber(1, MAX_TEXT_LENGTH)] = Field(
        MAX_TEXT_LENGTH, description="How many characters a question has at most"
    )
    max_listed: Annotated[int, WholeNumber(1, MAX_LISTED)] = Field(
        100, description="How many questions a result lists"
    )


class QuestionsAnswer(Schema):
    """All questions of one participant, and all votes; what is left out is taken back."""

    questions: Annotated[list[OwnText], Field(max_length=MAX_QUESTIONS)] = Field(
        [], description="The participant's own questions; each counts as a vote for itself"
    )
    votes: Annotated[list[QuestionKey], Field(max_length=MAX_VOTES)] = Field(
        [], description="Keys of others' questions, from a result"
    )


class Questions(ActivityType[QuestionsConfig, QuestionsAnswer]):
    """Questions from the audience, and up-votes for them. Equal questions are merged."""

    name = "questions"
    title = "Questions and answers"
    config = QuestionsConfig
    answer = QuestionsAnswer
    example = Example(
        config={"max_questions": 2},
        answer={"questions": ["Will there be a recording?"]},
    )
    words = True
    always_changeable = True

    def check(self, config: QuestionsConfig, answer: QuestionsAnswer) -> QuestionsAnswer:
        """Return the answer with each question once, and without votes for these."""
        questions = distinct(
            answer.questions,
            field="answer.questions",
            max_count=config.max_questions,
            max_length=config.max_length,
            code="too_many_questions",
        )
        votes = set(answer.votes) - {key_of(question) for question in questions}
        if len(votes) > config.max_votes:
            raise refusal(
                "answer.votes", f"At most {config.max_votes} should be voted for", "too_many_votes"
            )
        return QuestionsAnswer(questions=questions, votes=sorted(votes))

    def tally(self, config: QuestionsConfig, answer: QuestionsAnswer) -> Sequence[Count]:
        """Return one count for each question that was asked or voted for."""
        return [*count_texts(answer.questions), *map(Count, answer.votes)]

    def result(self, config: QuestionsConfig, tally: Tally, *, revealed: bool) -> dict[str, Any]:
        """Return the questions: pinned ones first, answered ones last, then by votes."""
        questions, left_out = listed(tally.items, config.max_listed)
        return {"answers": tally.stored, "questions": questions, "left_out": left_out}

    def texts(self, answer: QuestionsAnswer) -> Sequence[str]:
        """Return the participant's own questions."""
        return answer.questions

    def needs(self, answer: QuestionsAnswer) -> Sequence[str]:
        """Return the keys of the questions that are voted for."""
        return answer.votes
