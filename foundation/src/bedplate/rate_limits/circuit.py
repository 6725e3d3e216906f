import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import structlog
from limits.errors import StorageError

from bedplate import clock

_log = structlog.get_logger(__name__)


class Circuit:
    """A circuit breaker: open while Redis is unavailable, so that no request waits for it.

    `probe` runs in the background every `interval` seconds; it closes the circuit when it doesn't
    raise `StorageError`. An outage is logged when it begins and when it ends.
    """

    def __init__(self, probe: Callable[[], Awaitable[object]], *, interval: float) -> None:
        self._probe = probe
        self._interval = interval
        self._probing: asyncio.Task[None] | None = None

    @property
    def closed(self) -> bool:
        """Whether Redis can be asked."""
        return self._probing is None

    def open(self, error: StorageError, policy: str) -> None:
        """Stop asking Redis until it answers a probe, unless the circuit is open already."""
        if self._probing is None:
            cause = error.storage_error
            details = {"error": type(cause).__name__, "reason": str(cause), "policy": policy}
            _log.warning("rate_limit_store_lost", **details)
            self._probing = asyncio.create_task(self._probe_until_available())

    async def aclose(self) -> None:
        """Stop probing."""
        if self._probing is not None:
            self._probing.cancel()
            await asyncio.wait([self._probing])
            self._probing = None

    async def _probe_until_available(self) -> None:
        since = clock.monotonic()
        while self._probing is not None:
            await asyncio.sleep(self._interval)
            with contextlib.suppress(StorageError):
                await self._probe()
                self._probing = None
        _log.info("rate_limit_store_back", outage_seconds=round(clock.monotonic() - since, 3))
