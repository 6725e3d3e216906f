"""How often a crashed game is started again."""

from collections import deque
from datetime import datetime, timedelta

_WINDOW = timedelta(hours=1)


class CrashCounter:
    """Counts crashes, and says how long to wait before the next start.

    The pause begins at `first` seconds and doubles up to `longest`. After `most` crashes within an
    hour there is none: the game is given up.
    """

    def __init__(self, *, most: int, first: float, longest: float) -> None:
        self._most = most
        self._first = first
        self._longest = longest
        self._crashes: deque[datetime] = deque(maxlen=max(1, most))

    def note(self, at: datetime) -> float | None:
        """Count a crash, and return the seconds until the next start; None to give up."""
        while self._crashes and at - self._crashes[0] > _WINDOW:
            self._crashes.popleft()
        self._crashes.append(at)
        if len(self._crashes) >= self._most:
            return None
        doubled = self._first * 2.0 ** (len(self._crashes) - 1)
        return min(doubled, self._longest)

    def forget(self) -> None:
        """Begin afresh: a person has started the game."""
        self._crashes.clear()
