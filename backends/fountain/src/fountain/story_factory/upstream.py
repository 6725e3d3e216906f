"""The answers of the other services, as far as a story needs them.

Characters, actions and spoken words have the shape of the story's own schemas.
"""

from typing import Annotated, Any, TypeVar

from pydantic import MISSING, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.alias_generators import to_camel

from bedplate.clients import UpstreamUnavailable
from bedplate.schemas import MAX_INT64, MIN_INT64
from fountain.common.chunks import chunks

Value = TypeVar("Value")
Number = Annotated[int, Field(ge=MIN_INT64, le=MAX_INT64)]


class Answer(BaseModel):
    """The base of all answers; other members are ignored."""

    model_config = ConfigDict(alias_generator=to_camel, extra="ignore", frozen=True, strict=True)


class Script(Answer):
    """A script."""

    script_id: Number
    title: str | MISSING = MISSING
    author: str | MISSING = MISSING
    description: str | MISSING = MISSING


class Section(Answer):
    """A section heading of a script."""

    heading_id: Number
    title: str
    sequence_number: Number


class Element(Answer):
    """An element at its position in a script; it may refer to unknown objects."""

    position: Number
    heading_id: Number | None = None
    character_id: Number | None = None
    action_id: Number | None = None
    spoken_word_id: Number | None = None
    context_id: Number | None = None


class Structure(Answer):
    """A script with its headings and elements, as they were at one moment."""

    script: Script
    sections: list[Section]
    elements: list[Element]


class Outline(Answer):
    """A structure whose elements aren't parsed yet."""

    script: Script
    sections: list[Section]
    elements: list[Any]


class Session(Answer):
    """A session with its context."""

    session_id: Number
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


async def parse_list(adapter: TypeAdapter[list[Value]], answer: Any, name: str) -> list[Value]:
    """Return the parsed list that a service answered; see `parse`."""
    items = parse(_LIST, answer, name)
    return [item async for chunk in chunks(items) for item in parse(adapter, chunk, name)]


_LIST = TypeAdapter(list[Any])
