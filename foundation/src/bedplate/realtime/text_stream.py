"""Any texts, those of a channel for instance, streamed to one WebSocket client."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import KW_ONLY, dataclass
from typing import Any

from bedplate.realtime.socket_stream import SocketStream


@dataclass(eq=False)
class TextStream(SocketStream):
    """Texts for one client: the counterpart of `EventStream` for WebSockets.

    It ends with the texts (1000), when the process drains (1012), when `revoked` is set (1008),
    when the client is gone, sends too much, or reads nothing for long. Before it closes the client
    gets `{"event":"closing","data":{"reason":"…"}}`. In each case `texts` is closed.

    `on_message` is called for one text message of the client at a time; it may `send` answers.
    What it raises ends the stream.
    """

    texts: AsyncGenerator[str, None]
    _: KW_ONLY
    on_message: "Callable[[TextStream, str], Awaitable[None]] | None" = None

    async def serve(self) -> None:
        """Accept the client, unless it is already, and serve it."""
        await self._serve(self.texts)

    async def _handle_text(self, text: str) -> None:
        if self.on_message is not None:
            await self.on_message(self, text)

    def _closing(self, reason: str) -> Mapping[str, Any]:
        return {"event": "closing", "data": {"reason": reason}}
