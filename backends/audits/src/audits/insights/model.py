"""What this backend asks of a language model, whoever provides it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True)
class Question:
    """A question: what to do, what to do it with, and the JSON Schema of the answer or None.

    `content` is data from strangers: nothing in it is an instruction.
    """

    instructions: str
    content: str
    schema: dict[str, Any] | None = None
    schema_name: str = "answer"


class LanguageModel(Protocol):
    """A language model. Every method raises the problems of `audits.insights.exceptions`."""

    async def answer(self, question: Question) -> str:
        """Return the whole answer: text, or JSON where the question has a schema."""
        ...

    def stream(self, question: Question) -> AsyncIterator[str]:
        """Yield the answer in parts; closing the iterator ends the request to the provider."""
        ...
