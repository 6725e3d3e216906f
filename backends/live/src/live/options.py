"""What participants choose from: options with ids that stay, and texts that differ."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import count, product
from string import ascii_lowercase
from typing import Annotated, Any, Final, Self, TypeVar

from pydantic import (
    AfterValidator,
    Field,
    GetJsonSchemaHandler,
    StringConstraints,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from bedplate.schemas import Schema, SingleLineStr, WholeNumber
from live.activity_type import refusal
from live.text import fold

MAX_OPTIONS: Final = 50
MAX_OPTION_LENGTH: Final = 200

OptionId = Annotated[str, StringConstraints(pattern="^[A-Za-z0-9_-]{1,20}$")]
"""An id within one configuration: 1 to 20 letters, digits, hyphens and underscores."""

OptionText = Annotated[str, SingleLineStr(MAX_OPTION_LENGTH, printable=True)]
"""What an option says: 1 to 200 characters on one line."""


class Identified(Schema):
    """Something that answers refer to."""

    # A factory's default stays out of the JSON Schema: an empty id means that none was given.
    id: OptionId = Field(default_factory=str, description="a, b, c … when it isn't given")


class Option(Identified):
    """One of several options; a text alone is an option too."""

    text: OptionText = Field(description="What it says; options of one list differ")

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: Any) -> Any:
        return {"text": value} if isinstance(value, str) else value

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Return a schema that takes a text too."""
        schema = handler(core_schema)
        if handler.mode == "serialization":
            return schema
        text = {"type": "string", "minLength": 1, "maxLength": MAX_OPTION_LENGTH}
        return {"description": schema.pop("description"), "anyOf": [schema, text]}


Something = TypeVar("Something", bound=Identified)


def with_ids(items: list[Something]) -> list[Something]:
    """Return the items, each with an id of its own. Raises `ValueError` for equal ids."""
    given = [item.id for item in items if item.id]
    if len(set(given)) < len(given):
        raise ValueError("Ids should differ")
    free = (letters for letters in _letters() if letters not in given)
    return [item if item.id else item.model_copy(update={"id": next(free)}) for item in items]


def _letters() -> Iterator[str]:
    for length in count(1):
        for letters in product(ascii_lowercase, repeat=length):
            yield "".join(letters)


def refuse_equal(texts: Iterable[str]) -> None:
    """Raise `ValueError` when two texts are the same to a reader."""
    folded = [fold(text) for text in texts]
    if "" in folded:
        raise ValueError("Text should have at least one visible character")
    if len(set(folded)) < len(folded):
        raise ValueError("Texts should differ")


Texts = TypeVar("Texts", bound=Option)


def with_ids_and_texts(options: list[Texts]) -> list[Texts]:
    """Return the options, each with an id of its own. Raises `ValueError` for equal texts."""
    refuse_equal(option.text for option in options)
    return with_ids(options)


class Choices(Schema):
    """Options, and how many of them one answer may choose."""

    options: Annotated[
        list[Option],
        Field(min_length=2, max_length=MAX_OPTIONS, description="In the order of display"),
        AfterValidator(with_ids_and_texts),
    ]
    min_choices: Annotated[int, WholeNumber(1, MAX_OPTIONS)] = Field(
        1, description="How many options an answer chooses at least"
    )
    max_choices: Annotated[int, WholeNumber(1, MAX_OPTIONS)] = Field(
        1, description="How many options an answer chooses at most: 1 for a single choice"
    )

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not self.min_choices <= self.max_choices <= len(self.options):
            raise ValueError(
                "min_choices should not exceed max_choices, nor these the number of options"
            )
        return self

    def check(self, field: str, chosen: Sequence[str]) -> list[str]:
        """Return the chosen ids in the order of the options. Raises `InvalidInput`."""
        return choose(
            field,
            chosen,
            [option.id for option in self.options],
            minimum=self.min_choices,
            maximum=self.max_choices,
        )


def choose(
    field: str, chosen: Sequence[str], ids: Sequence[str], *, minimum: int, maximum: int
) -> list[str]:
    """Return the chosen ids in the order of `ids`. Raises `InvalidInput`."""
    refuse_unknown(field, chosen, ids)
    if len(chosen) < minimum:
        raise refusal(field, f"At least {minimum} should be chosen", "too_few_choices")
    if len(chosen) > maximum:
        raise refusal(field, f"At most {maximum} should be chosen", "too_many_choices")
    return [option for option in ids if option in chosen]


def refuse_unknown(field: str, chosen: Iterable[str], ids: Iterable[str]) -> None:
    """Raise `InvalidInput` for an id that isn't among `ids`, or that is chosen twice."""
    chosen = list(chosen)
    if not set(chosen) <= set(ids):
        raise refusal(field, "Input should be ids of this activity's options", "unknown_option")
    if len(set(chosen)) < len(chosen):
        raise refusal(field, "Each option should be chosen once", "repeated_option")
