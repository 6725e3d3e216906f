"""What the other services answer, as far as a story needs it.

Characters, actions and spoken words come in the shape that stories have: their schemas do.
"""

from typing import Any, TypeVar

from pydantic import MISSING, BaseModel, ConfigDict, TypeAdapter, ValidationError
from pydantic.alias_generators import to_camel

from bedplate.clients import UpstreamUnavailable

Value = TypeVar("Value")


class Answer(BaseModel):
    """The base of all answers: members that nobody asked for are ignored."""

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
    """What stands at one position of a script; each id may be of something unknown."""

    position: int
    heading_id: int | None = None
    character_id: int | None = None
    action_id: int | None = None
    spoken_word_id: int | None = None
    context_id: int | None = None


class Structure(Answer):
    """A script with its headings and elements, all as they were at one moment."""

    script: Script
    sections: list[Section]
    elements: list[Element]


class Session(Answer):
    """A session with its context."""

    session_id: int
    context: str | MISSING = MISSING


def read(adapter: TypeAdapter[Value], answer: Any, name: str) -> Value:
    """Return the answer of the service `name`. Raises `UpstreamUnavailable` if it makes no sense.

    That is a 503: a service which is just being replaced may answer so, and the next one not.
    """
    try:
        return adapter.validate_python(answer)
    except ValidationError as error:
        raise UpstreamUnavailable(
            f"{name} gave an answer that can't be used; try again."
        ) from error
