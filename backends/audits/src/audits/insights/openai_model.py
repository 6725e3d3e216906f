"""OpenAI's models, and those of servers with the same API."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator
from functools import partial
from typing import Any, TypeVar

import httpx2
import openai
import structlog
from openai import AsyncOpenAI, AsyncStream

from audits.insights.exceptions import (
    ModelAnswerBroken,
    ModelAnswerTruncated,
    ModelBusy,
    ModelMisconfigured,
    ModelRefused,
    ModelTimeout,
    ModelUnavailable,
)
from audits.insights.model import Question
from bedplate.problems import ProblemError

T = TypeVar("T")
_log = structlog.get_logger("audits.insights")
# What reading a 200 with a broken body, or with another shape, raises in the SDK and here.
_UNREADABLE = (
    openai.OpenAIError,
    httpx2.HTTPError,
    ValueError,
    TypeError,
    AttributeError,
    LookupError,
    RecursionError,
)
_RETRIES = 2
_FIRST_PAUSE = 0.2
_MAX_RETRY_AFTER = 3600
_SERVER_ERROR = 500


class OpenAIModel:
    """A model behind the Responses API, or behind chat completions where a server lacks that.

    `seconds` bound each answer, retries and slow bytes included: the SDK's own timeout is one for
    each network operation. Nothing is kept by the provider (`store=false`).
    """

    def __init__(
        self, client: AsyncOpenAI, model: str, *, seconds: float, max_output_tokens: int
    ) -> None:
        # The SDK would sleep as long as the provider asks, beyond our own limit: see `_create`.
        self._client = client.with_options(timeout=seconds, max_retries=0)
        self._model = model
        self._seconds = seconds
        self._max_output_tokens = max_output_tokens
        self._has_responses = True

    async def answer(self, question: Question) -> str:
        """Return the whole answer."""
        return "".join([part async for part in self._parts(question, stream=False)])

    async def stream(self, question: Question) -> AsyncIterator[str]:
        """Yield the answer in parts."""
        async with contextlib.aclosing(self._parts(question, stream=True)) as parts:
            async for part in parts:
                yield part

    async def _parts(self, question: Question, *, stream: bool) -> AsyncGenerator[str]:
        deadline = asyncio.get_running_loop().time() + self._seconds
        asked = self._ask(question, deadline, stream=stream)
        async with contextlib.aclosing(asked) as parts:
            while True:
                # Not around the yield: a timeout there would cancel whoever reads the parts.
                with _translated():
                    async with asyncio.timeout_at(deadline):
                        part = await anext(parts, None)
                    if part is None:
                        return
                    # Some servers send another type, or half of a character.
                    part.encode()
                yield part

    async def _ask(
        self, question: Question, deadline: float, *, stream: bool
    ) -> AsyncGenerator[str]:
        if self._has_responses:
            create = self._client.responses.create
            try:
                response = await _create(
                    partial(create, **self._response(question), stream=stream), deadline
                )
            except openai.NotFoundError as error:
                if error.code == "model_not_found":
                    raise
                _log.info("responses_api_missing", using="chat completions")
                self._has_responses = False
            else:
                async for part in _of_response(response):
                    yield part
                return
        complete = self._client.chat.completions.create
        completion = await _create(
            partial(complete, **self._chat(question), stream=stream), deadline
        )
        async for part in _of_chat(completion):
            yield part

    def _response(self, question: Question) -> dict[str, Any]:
        asked: dict[str, Any] = {
            "model": self._model,
            "instructions": question.instructions,
            "input": question.content,
            "max_output_tokens": self._max_output_tokens,
            "store": False,
        }
        if question.schema is not None:
            asked["text"] = {"format": {"type": "json_schema", **_strict(question)}}
        return asked

    def _chat(self, question: Question) -> dict[str, Any]:
        asked: dict[str, Any] = {
            "model": self._model,
            "messages": [
                {"role": "system", "content": question.instructions},
                {"role": "user", "content": question.content},
            ],
            "max_completion_tokens": self._max_output_tokens,
            "store": False,
        }
        if question.schema is not None:
            asked["response_format"] = {"type": "json_schema", "json_schema": _strict(question)}
        return asked


async def _create(create: Callable[[], Awaitable[T]], deadline: float) -> T:
    """Return what the provider answers; what may pass is tried again while there is time."""
    for attempt in range(_RETRIES):
        try:
            return await create()
        except (
            openai.RateLimitError,
            openai.InternalServerError,
            openai.APIConnectionError,
        ) as error:
            if isinstance(error.__cause__, ModelAnswerBroken):
                raise
            pause = _FIRST_PAUSE * 2**attempt
            if isinstance(error, openai.RateLimitError):
                pause = max(pause, _retry_after(error))
            if asyncio.get_running_loop().time() + pause >= deadline:
                raise
            await asyncio.sleep(pause)
    return await create()


def _strict(question: Question) -> dict[str, Any]:
    return {"name": question.schema_name, "schema": question.schema, "strict": True}


async def _of_response(answer: Any) -> AsyncGenerator[str]:
    """Yield the text of an answer of the Responses API, whole or streamed."""
    if not isinstance(answer, AsyncStream):
        _check_response(answer)
        if not answer.output_text:
            raise ModelAnswerBroken
        yield answer.output_text
        return
    async with answer:
        async for event in answer:
            if event.type == "response.output_text.delta":
                yield event.delta
            elif event.type == "response.refusal.delta":
                raise ModelRefused
            elif event.type in {"response.completed", "response.incomplete", "response.failed"}:
                _check_response(event.response)
                return
    raise ModelAnswerBroken


def _check_response(response: Any) -> None:
    if response.status == "incomplete":
        raise ModelAnswerTruncated
    contents = [
        part for item in response.output or () for part in getattr(item, "content", ()) or ()
    ]
    if any(part.type == "refusal" for part in contents):
        raise ModelRefused
    if response.status not in {"completed", None} or not contents:
        raise ModelAnswerBroken


async def _of_chat(answer: Any) -> AsyncGenerator[str]:
    """Yield the text of a chat completion, whole or streamed."""
    if not isinstance(answer, AsyncStream):
        [choice, *_] = answer.choices
        _check_chat(choice.finish_reason, choice.message.refusal)
        if not choice.message.content:
            raise ModelAnswerBroken
        yield choice.message.content
        return
    finished = None
    async with answer:
        async for chunk in answer:
            for choice in chunk.choices[:1]:
                _check_chat(choice.finish_reason, choice.delta.refusal)
                finished = choice.finish_reason or finished
                if choice.delta.content:
                    yield choice.delta.content
    if finished is None:
        raise ModelAnswerBroken


def _check_chat(finish_reason: str | None, refusal: str | None) -> None:
    if refusal or finish_reason == "content_filter":
        raise ModelRefused
    if finish_reason == "length":
        raise ModelAnswerTruncated


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    """Raise what the SDK's error means to a client; why it failed is for the log alone."""
    try:
        yield
    except ProblemError:
        raise
    except (TimeoutError, openai.APITimeoutError):
        raise ModelTimeout(retry_after=1) from None
    except openai.RateLimitError as error:
        _failed(error)
        raise ModelBusy(retry_after=_retry_after(error)) from None
    except openai.APIStatusError as error:
        _failed(error)
        if error.status_code >= _SERVER_ERROR:
            raise ModelUnavailable(retry_after=5) from None
        raise ModelMisconfigured(retry_after=60) from None
    except openai.APIConnectionError as error:
        _failed(error)
        if isinstance(error.__cause__, ModelAnswerBroken):
            raise ModelAnswerBroken from None
        raise ModelUnavailable(retry_after=5) from None
    except _UNREADABLE as error:
        _failed(error)
        raise ModelAnswerBroken from None


def _failed(error: Exception) -> None:
    _log.warning(
        "language_model_failed",
        error=type(error).__name__,
        status=getattr(error, "status_code", None),
        code=getattr(error, "code", None),
        upstream_request_id=getattr(error, "request_id", None),
    )


def _retry_after(error: openai.RateLimitError) -> int:
    """Return the seconds that the provider asks to wait, between 1 and 3,600."""
    try:
        asked = round(float(error.response.headers.get("retry-after", "1")))
    except ValueError:
        asked = 1
    return min(max(asked, 1), _MAX_RETRY_AFTER)
