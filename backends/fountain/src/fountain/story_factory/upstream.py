"""The answers of the other services, as far as a story needs them.

Characters, actions and spoken words have the shape of the story's own schemas.
"""

from typing import Any, TypeVar

from pydantic import MISSING, BaseModel, ConfigDict, TypeAdapter, ValidationError
from pydantic.alias_generators import to_camel

from bedplate.clients import UpstreamUnavailable

Value = TypeVar("Value")


class Answer(BaseModel):
    """The base of all answers; other members are ignored."""

    model_config = ConfigDict(alias_generator=to_camel, extra="ignore", frozen=True, strict=True)


class Script(Answer):
    """A script."""

    script_id: int
    title: str | MISSING = MISSING
    author: str | MISSING = MISSING
    description: str | MISSING = MISSING


class Section(Answer):
    """A section heading of a script."""

    heading_id: int
    title: str
    sequence_number: int


class Element(Answer):
    """An element at its position in a script; it may refer to unknown objects."""

    position: int
    heading_id: int | None = None
    character_id: int | None = None
    action_id: int | None = None
    spoken_word_id: int | None = None
    context_id: int | None = None


class Structure(Answer):
    """A script with its headings and elements, as they were at one moment."""

    script: Script
    sections: list[Section]
    elements: list[Element]


class Session(Answer):
    """A session with its context."""

    session_id: int
    context: str | MISSING = MISSING


def parse(adapter: TypeAdapter[Value], answer: Any, name: str) -> Value:
    """Return the parsed answer of a service. Raises `UpstreamUnavailable` if it is invalid.

    So the client gets a 503, and may try again: a service that is being replaced may answer so.
    """
    try:
        return adapter.validate_python(answer)
    except ValidationError as error:
        raise UpstreamUnavailable(
            f"{name} gave an answer that can't be used; try again."
        ) from error
