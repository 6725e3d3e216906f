import asyncio

ABORT_EXTENSION = "bedplate.abort"
"""The ASGI extension of Bedplate's server: `{"abort": …}`, a function that cuts the connection."""


class Drain:
    """Announces that the process is shutting down, in two steps.

    First readiness turns 503 while requests are still served, so that load balancers stop sending
    them. Then the listener closes and streams end: a client that reconnects at once reaches another
    instance.
    """

    def __init__(self) -> None:
        self.draining = False
        self._streams_end = asyncio.Event()

    def begin(self, *, keep_streams: bool = False) -> None:
        """Begin to shut down, on the event loop; with `keep_streams`, a later call ends streams."""
        self.draining = True
        if not keep_streams:
            self._streams_end.set()

    async def wait(self) -> None:
        """Return when long-lived streams (SSE, WebSocket) must end."""
        await self._streams_end.wait()
