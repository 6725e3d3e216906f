from collections import OrderedDict
from dataclasses import dataclass, field

from limits.aio.storage import MemoryStorage

from bedplate import clock
from bedplate.rate_limits.budget import Windows


@dataclass(slots=True)
class _Counters:
    """The counts of the current window and of the previous one, by key."""

    number: float = 0.0
    previous: OrderedDict[str, int] = field(default_factory=OrderedDict)
    current: OrderedDict[str, int] = field(default_factory=OrderedDict)


class MemoryWindows(MemoryStorage):
    """`limits`' memory storage with cheap, bounded sliding windows.

    The original starts a task on every hit that walks all keys, and needs a second call for what
    remains. Here a window is one dictionary, which becomes the previous window and is then dropped
    whole. A window has at most `max_keys` keys: beyond that the oldest is dropped.
    """

    def __init__(self, *, max_keys: int = 100_000) -> None:
        super().__init__()
        self._max_keys = max_keys
        self._counters: dict[int, _Counters] = {}

    def spend(self, key: str, limit: int, seconds: int, amount: int = 1) -> Windows:
        """Count `amount` requests of `key` if `limit` allows them, and return the counts."""
        counters, left = self._at_present(seconds)
        previous, current = counters.previous.get(key, 0), counters.current.get(key, 0)
        if int(previous * left / seconds) + current + amount > limit:
            return Windows(False, previous, left, current, left)
        counters.current[key] = current + amount
        if len(counters.current) > self._max_keys:
            counters.current.popitem(last=False)
        return Windows(True, previous, left, current + amount, left)

    def _at_present(self, seconds: int) -> tuple[_Counters, float]:
        """Return the counters for windows of `seconds`, and the seconds left of the current one."""
        counters = self._counters.get(seconds)
        if counters is None:
            counters = self._counters[seconds] = _Counters()
        number, elapsed = divmod(clock.monotonic(), seconds)
        if number != counters.number:
            follows = number == counters.number + 1
            counters.previous = counters.current if follows else OrderedDict()
            counters.current = OrderedDict()
            counters.number = number
        return counters, seconds - elapsed

    async def acquire_sliding_window_entry(
        self, key: str, limit: int, expiry: int, amount: int = 1
    ) -> bool:
        """Count as `spend` does, for `limits`' own strategy."""
        return self.spend(key, limit, expiry, amount).allowed

    async def get_sliding_window(self, key: str, expiry: int) -> tuple[int, float, int, float]:
        """Return counts and seconds to live of both windows, for `limits`' own strategy."""
        counters, left = self._at_present(expiry)
        previous, current = counters.previous.get(key, 0), counters.current.get(key, 0)
        return previous, left if previous else 0.0, current, left + expiry

    async def clear_sliding_window(self, key: str, expiry: int) -> None:
        """Forget the requests of `key` in windows of `expiry` seconds."""
        counters, _ = self._at_present(expiry)
        counters.previous.pop(key, None)
        counters.current.pop(key, None)

    async def reset(self) -> int | None:
        """Forget all keys, and return their number."""
        keys = sum(len(counters.current) for counters in self._counters.values())
        self._counters.clear()
        return keys + (await super().reset() or 0)
