import asyncio
from collections.abc import Callable

import structlog

from bedplate import clock

_log = structlog.get_logger(__name__)


class Availability:
    """Whether Redis can be reached: by each part that needs it, and altogether.

    An outage is logged when it begins and when it ends, not for each event. `on_change` is called
    then with whether it is available.
    """

    def __init__(self, on_change: Callable[[bool], None]) -> None:
        self._on_change = on_change
        self._lost_by: set[str] = set()
        self._since = 0.0
        self.regained = asyncio.Event()
        """Set while it is available."""
        self.regained.set()

    @property
    def available(self) -> bool:
        """Whether every part reaches it."""
        return not self._lost_by

    def lose(self, part: str, error: Exception) -> None:
        """Note that a part doesn't reach it."""
        first = not self._lost_by
        self._lost_by.add(part)
        if first:
            self._since = clock.monotonic()
            self.regained.clear()
            _log.warning("channel_store_lost", error=type(error).__name__, reason=str(error))
            self._on_change(False)

    def regain(self, part: str) -> None:
        """Note that a part reaches it."""
        if part in self._lost_by:
            self._lost_by.remove(part)
            if not self._lost_by:
                seconds = round(clock.monotonic() - self._since, 3)
                _log.info("channel_store_back", outage_seconds=seconds)
                self.regained.set()
                self._on_change(True)
