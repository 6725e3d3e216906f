"""Opens the language model, and names what its routes ask for."""

import contextlib
from collections.abc import AsyncIterator
from typing import Annotated

import httpx2

from audits.insights.exceptions import NoModel
from audits.insights.model import LanguageModel, Question
from audits.insights.service import Reader
from audits.insights.transport import BoundedTransport
from audits.settings import AuditsSettings
from bedplate.state import from_state

# A streamed token is an event of a few hundred bytes.
_MAX_ANSWER_BYTES = 1 << 20
_MAX_TOKEN_BYTES = 1 << 10

CurrentReaderOfRecords = Annotated[Reader, from_state(Reader)]


class Missing:
    """The model of a server without a key: says so."""

    async def answer(self, question: Question) -> str:  # noqa: ARG002
        """Raise `NoModel`."""
        raise NoModel(retry_after=3600)

    def stream(self, question: Question) -> AsyncIterator[str]:  # noqa: ARG002
        """Raise `NoModel`."""
        raise NoModel(retry_after=3600)


@contextlib.asynccontextmanager
async def open_reader(settings: AuditsSettings) -> AsyncIterator[Reader]:
    """Yield the reader of records, with one client of the provider for the whole process."""
    if settings.openai_api_key is None:
        yield Reader(Missing(), settings.insights_members)
        return
    # The SDK takes most of a second to import: only who has a key waits for it.
    from openai import AsyncOpenAI  # noqa: PLC0415

    from audits.insights.openai_model import OpenAIModel  # noqa: PLC0415

    max_bytes = _MAX_ANSWER_BYTES + settings.openai_max_output_tokens * _MAX_TOKEN_BYTES
    async with AsyncOpenAI(
        api_key=settings.openai_api_key.get_secret_value(),
        base_url=settings.openai_base_url,
        http_client=httpx2.AsyncClient(
            transport=BoundedTransport(httpx2.AsyncHTTPTransport(), max_bytes)
        ),
    ) as client:
        model: LanguageModel = OpenAIModel(
            client,
            settings.openai_model,
            seconds=settings.openai_seconds,
            max_output_tokens=settings.openai_max_output_tokens,
        )
        yield Reader(model, settings.insights_members)
