"""The way to the provider: it follows no redirect and reads no more than an answer may have."""

from collections.abc import AsyncIterator
from typing import cast

import httpx2

from audits.insights.exceptions import ModelAnswerBroken


class BoundedTransport(httpx2.AsyncBaseTransport):
    """Raises `ModelAnswerBroken` for an answer of more than `max_bytes`, or a compressed one.

    Compressed answers aren't asked for: a few of their bytes may stand for any number.
    """

    def __init__(self, transport: httpx2.AsyncBaseTransport, max_bytes: int) -> None:
        self._transport = transport
        self._max_bytes = max_bytes

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request, and return its answer, which is read as it comes."""
        request.headers["Accept-Encoding"] = "identity"
        response = await self._transport.handle_async_request(request)
        if response.headers.get("content-encoding", "identity") != "identity":
            await response.aclose()
            raise ModelAnswerBroken
        response.stream = _Bounded(cast("httpx2.AsyncByteStream", response.stream), self._max_bytes)
        return response

    async def aclose(self) -> None:
        """Close the connections."""
        await self._transport.aclose()


class _Bounded(httpx2.AsyncByteStream):
    def __init__(self, stream: httpx2.AsyncByteStream, max_bytes: int) -> None:
        self._stream = stream
        self._left = max_bytes

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._stream:
            self._left -= len(chunk)
            if self._left < 0:
                raise ModelAnswerBroken
            yield chunk

    async def aclose(self) -> None:
        """Close the provider's answer."""
        await self._stream.aclose()
