"""What keeps requests from waiting for a Redis that is known to be away."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog
from limits.errors import StorageError

from bedplate import clock

_log = structlog.get_logger(__name__)


class Circuit:
    """Open while Redis is away; a background probe asks every `interval` seconds and closes it.

    No request pays for finding out that Redis is back, and there is one log line when an outage
    begins and one when it ends. `probe` returns when Redis is well, else raises `StorageError`.
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
        """Stop asking Redis until it answers a probe; nothing happens when that is so already."""
        if self._probing is None:
            cause = error.storage_error
            _log.warning(
                "rate_limit_store_lost",
                error=type(cause).__name__,
                reason=str(cause),
                policy=policy,
            )
            self._probing = asyncio.create_task(self._probe_until_well())

    async def aclose(self) -> None:
        """Stop probing."""
        if self._probing is not None:
            self._probing.cancel()
            await asyncio.wait([self._probing])
            self._probing = None

    async def _probe_until_well(self) -> None:
        since = clock.monotonic()
        while not await self._is_well():
            pass
        self._probing = None
        _log.info("rate_limit_store_back", outage_seconds=round(clock.monotonic() - since, 3))

    async def _is_well(self) -> bool:
        await asyncio.sleep(self._interval)
        try:
            await self._probe()
        except StorageError:
            return False
        return True
