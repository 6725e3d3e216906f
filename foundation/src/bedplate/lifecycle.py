"""What a process tells its parts when it goes away."""

import asyncio


class Drain:
    """Says that the process is going away.

    It goes in two steps. First readiness turns 503, while everything is still served, so that
    load balancers stop sending. Then the listener closes and streams are told to end: a client
    that reconnects at once reaches another instance, not this one.
    """

    def __init__(self) -> None:
        self._draining = False
        self._streams_end = asyncio.Event()

    @property
    def draining(self) -> bool:
        """Whether the process is going away; readiness is 503 as soon as it is."""
        return self._draining

    def begin(self, *, keep_streams: bool = False) -> None:
        """Say that the process is going away; to be called on the event loop.

        `keep_streams` lets streams go on until `begin` is called once more without it.
        """
        self._draining = True
        if not keep_streams:
            self._streams_end.set()

    async def wait(self) -> None:
        """Return when long-lived streams (SSE, WebSocket) have to end."""
        await self._streams_end.wait()
