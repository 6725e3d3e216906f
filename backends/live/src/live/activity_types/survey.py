from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Final, Literal, Self, TypeVar

from pydantic import AfterValidator, Field, StrictBool, model_validator

from bedplate.schemas import Schema, WholeNumber
from live.activity_type import MAX_COUNTERS, ActivityType, Count, Example, Tally, refusal
from live.numbers import Rating, Scale, rating_result
from live.options import MAX_OPTIONS, Choices, Identified, OptionId, OptionText, with_ids
from live.text import MAX_TEXT_LENGTH, OwnText
from live.words import MAX_LISTED, count_texts, listed

MAX_QUESTIONS: Final = 20


class SurveyQuestion(Identified):
    """A question of a survey."""

    title: OptionText = Field(description="What is asked")
    required: StrictBool = Field(False, description="Whether each answer needs it")


class ChoiceQuestion(SurveyQuestion, Choices):
    """A question with options."""

    kind: Literal["choice"]

    def result(self, tally: Tally, _: int) -> dict[str, Any]:
        """Return how often each option was chosen."""
        return {"counts": {option.id: tally[f"{self.id}.{option.id}"] for option in self.options}}


class ScaleQuestion(SurveyQuestion, Scale):
    """A question that is answered with a rating."""

    kind: Literal["scale"]

    def result(self, tally: Tally, _: int) -> dict[str, Any]:
        """Return the distribution of the ratings, their mean and their median."""
        return rating_result(self, tally, f"{self.id}.")


class TextQuestion(SurveyQuestion):
    """A question that is answered in the participant's own words."""

    kind: Literal["text"]
    max_length: Annotated[int, WholeNumber(1, MAX_TEXT_LENGTH)] = Field(
        MAX_TEXT_LENGTH, description="How many characters a text has at most"
    )

    def result(self, tally: Tally, max_listed: int) -> dict[str, Any]:
        """Return the most frequent texts, and how many others there are."""
        items = (item for item in tally.items if item.key.startswith(f"{self.id}."))
        texts, left_out = listed(items, max_listed)
        return {"texts": texts, "left_out": left_out}


Question = ChoiceQuestion | ScaleQuestion | TextQuestion


class SurveyConfig(Schema):
    """Several questions, which each participant answers at their own pace."""

    questions: Annotated[
        list[Annotated[Question, Field(discriminator="kind")]],
        Field(min_length=1, max_length=MAX_QUESTIONS, description="In the order of display"),
        AfterValidator(with_ids),
    ]
    max_listed: Annotated[int, WholeNumber(1, MAX_LISTED)] = Field(
        50, description="How many texts a result lists for each question, the most frequent first"
    )

    @model_validator(mode="after")
    def _countable(self) -> Self:
        if sum(map(_counters, self.questions)) > MAX_COUNTERS:
            raise ValueError(f"Options and ratings should be at most {MAX_COUNTERS} together")
        return self


def _counters(question: Question) -> int:
    match question:
        case ChoiceQuestion():
            return 1 + len(question.options)
        case ScaleQuestion():
            return 1 + len(question.values)
    return 1


Part = TypeVar("Part")
ById = Annotated[dict[OptionId, Part], Field(max_length=MAX_QUESTIONS)]


class SurveyAnswer(Schema):
    """All answers of one participant by the question's id; what is left out is taken back."""

    choices: ById[Annotated[list[OptionId], Field(min_length=1, max_length=MAX_OPTIONS)]] = Field(
        {}, description="Ids of options for questions of the kind choice"
    )
    ratings: ById[Rating] = Field({}, description="Ratings for questions of the kind scale")
    texts: ById[OwnText] = Field({}, description="Texts for questions of the kind text")


class Survey(ActivityType[SurveyConfig, SurveyAnswer]):
    """Several questions in one activity, answered at each participant's own pace."""

    name = "survey"
    title = "Survey"
    config = SurveyConfig
    answer = SurveyAnswer
    example = Example(
        config={
            "questions": [
                {
                    "kind": "choice",
                    "title": "Where do you work?",
                    "options": [{"text": "Office"}, {"text": "Home"}],
                },
                {"kind": "scale", "title": "How was the day?", "required": True},
                {"kind": "text", "title": "What should change?"},
            ]
        },
        answer={"choices": {"a": ["b"]}, "ratings": {"b": 4}, "texts": {"c": "More breaks"}},
    )
    words = True

    def check(self, config: SurveyConfig, answer: SurveyAnswer) -> SurveyAnswer:
        """Return the answer in the order of the questions and of their options."""
        checked = SurveyAnswer()
        for question in config.questions:
            match question:
                case ChoiceQuestion() if question.id in answer.choices:
                    field = f"answer.choices.{question.id}"
                    choices = question.check(field, answer.choices[question.id])
                    checked.choices[question.id] = choices
                case ScaleQuestion() if question.id in answer.ratings:
                    rating = answer.ratings[question.id]
                    question.refuse_outside(f"answer.ratings.{question.id}", [rating])
                    checked.ratings[question.id] = rating
                case TextQuestion() if question.id in answer.texts:
                    text = answer.texts[question.id]
                    _refuse_long(question, text)
                    checked.texts[question.id] = text
                case _ if question.required:
                    raise refusal("answer", f"Question {question.id} is required", "not_answered")
        _refuse_others("answer.choices", answer.choices, checked.choices)
        _refuse_others("answer.ratings", answer.ratings, checked.ratings)
        _refuse_others("answer.texts", answer.texts, checked.texts)
        return checked

    def tally(self, config: SurveyConfig, answer: SurveyAnswer) -> Sequence[Count]:
        """Return one count for each answered question, and those of what was answered."""
        answered = [*answer.choices, *answer.ratings, *answer.texts]
        chosen = [
            f"{key}.{choice}" for key, choices in answer.choices.items() for choice in choices
        ]
        rated = [f"{key}.{rating}" for key, rating in answer.ratings.items()]
        counts = [Count(key) for key in (*answered, *chosen, *rated)]
        for key, text in answer.texts.items():
            counts += count_texts([text], prefix=f"{key}.")
        return counts

    def result(self, config: SurveyConfig, tally: Tally, *, revealed: bool) -> dict[str, Any]:
        """Return for each question how many answered it, and what."""
        questions = {
            question.id: {
                "answers": tally[question.id],
                **question.result(tally, config.max_listed),
            }
            for question in config.questions
        }
        return {"answers": tally.stored, "questions": questions}

    def texts(self, answer: SurveyAnswer) -> Sequence[str]:
        """Return the answers to questions of the kind text."""
        return list(answer.texts.values())


def _refuse_long(question: TextQuestion, text: str) -> None:
    if len(text) > question.max_length:
        message = f"Text should have at most {question.max_length} characters"
        raise refusal(f"answer.texts.{question.id}", message, "too_long")


def _refuse_others(field: str, answered: Iterable[str], known: Iterable[str]) -> None:
    if set(answered) - set(known):
        message = "Input should be ids of this activity's questions of that kind"
        raise refusal(field, message, "unknown_question")
