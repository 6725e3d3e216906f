"""HTTP: what a language model reads in the trail. JSON, or server-sent events."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any, TypeVar

from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel
from starlette.requests import ClientDisconnect

from audits.insights.exceptions import (
    ModelAnswerBroken,
    ModelAnswerTruncated,
    ModelBusy,
    ModelMisconfigured,
    ModelRefused,
    ModelTimeout,
    ModelUnavailable,
    NoModel,
)
from audits.insights.model import LanguageModel, Question
from audits.insights.schemas import ChatAnswer, ChatRequest, Insights, InsightsRequest
from audits.insights.service import chat_question
from audits.insights.wiring import CurrentReaderOfRecords
from audits.records import service as records
from audits.records.wiring import CurrentTrail, record_access
from audits.security import CurrentModelUser, tenant_for
from bedplate.database.dependencies import ReadSession
from bedplate.openapi import errors
from bedplate.problems import Forbidden, ProblemError
from bedplate.realtime import frame

T = TypeVar("T")

router = APIRouter(prefix="/api/v1", tags=["insights"])
_EVENTS = "text/event-stream"
_EVENT_SCHEMA = {
    "type": "object",
    "properties": {
        "event": {"enum": ["delta", "result", "error"]},
        "data": {"type": "string", "contentMediaType": "application/json"},
    },
    "required": ["event", "data"],
}
_STREAM: dict[int | str, dict[str, Any]] = {200: {"content": {_EVENTS: {"schema": _EVENT_SCHEMA}}}}
_RESPONSES = _STREAM | errors(
    Forbidden,
    ModelRefused,
    ModelBusy,
    ModelAnswerBroken,
    ModelAnswerTruncated,
    NoModel,
    ModelMisconfigured,
    ModelUnavailable,
    ModelTimeout,
)


@router.post(
    "/audits/insights",
    response_model=Insights,
    responses=_RESPONSES,
    summary="What stands out in some records",
)
async def insights(
    request: Request,
    body: InsightsRequest,
    principal: CurrentModelUser,
    session: ReadSession,
    trail: CurrentTrail,
    reader: CurrentReaderOfRecords,
) -> Insights | StreamingResponse:
    """Let a language model read the records that the filters choose, newest first.

    It sees only the members that `AUDITS_INSIGHTS_MEMBERS` declares, and does nothing: its answer
    is a reading. With `stream`, its parts come as events `delta`, and at the end `result`.
    """
    tenant = tenant_for(principal, body.tenant)
    filters = body.model_dump(mode="json", exclude_none=True, exclude={"question", "stream"})
    await record_access(request, principal, trail, tenant, filters=filters)
    page = await records.page_after(
        session, tenant, records.to_filter(body), limit=body.limit, cursor=None
    )
    question = reader.question(page.items, body.question)
    if body.stream:
        streamed = _streamed(
            reader.model, question, lambda answer: reader.insights(answer, page.items)
        )
        return await _unless_client_leaves(request, streamed)
    answer = await _unless_client_leaves(request, reader.model.answer(question))
    return reader.insights(answer, page.items)


@router.post(
    "/openai/chat",
    response_model=ChatAnswer,
    responses=_RESPONSES,
    summary="Ask the language model",
)
async def chat(
    request: Request,
    body: ChatRequest,
    principal: CurrentModelUser,  # noqa: ARG001 - asks for a key
    reader: CurrentReaderOfRecords,
) -> ChatAnswer | StreamingResponse:
    """Send a message to the language model and return its answer. It sees no records."""
    question = chat_question(body.message, body.instructions)
    if body.stream:
        streamed = _streamed(reader.model, question, lambda answer: ChatAnswer(answer=answer))
        return await _unless_client_leaves(request, streamed)
    return ChatAnswer(answer=await _unless_client_leaves(request, reader.model.answer(question)))


async def _unless_client_leaves(request: Request, work: Coroutine[Any, Any, T]) -> T:
    """Return what the work returns. When the client leaves before, end it: each token costs.

    Raises `ClientDisconnect`, and what the work raises.
    """
    working = asyncio.ensure_future(work)
    # The body was read, so that nothing else comes any more.
    leaving = asyncio.ensure_future(request.receive())
    try:
        await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise ClientDisconnect
        return working.result()
    finally:
        working.cancel()
        leaving.cancel()
        await asyncio.wait({working, leaving})


async def _streamed(
    model: LanguageModel, question: Question, result: Callable[[str], BaseModel]
) -> StreamingResponse:
    """Return the answer as events. What fails before the first part is an ordinary error."""
    parts = aiter(model.stream(question))
    first = await anext(parts, "")

    async def events() -> AsyncIterator[bytes]:
        answer = first
        yield frame({"text": first}, event="delta")
        try:
            async for part in parts:
                answer += part
                yield frame({"text": part}, event="delta")
            yield frame(result(answer).model_dump(mode="json"), event="result")
        except ProblemError as error:
            problem = {"status": error.status, "code": error.code, "detail": error.detail}
            yield frame(problem, event="error")
        finally:
            close = getattr(parts, "aclose", None)
            if close is not None:
                await close()

    return StreamingResponse(events(), media_type=_EVENTS, headers={"Cache-Control": "no-store"})
