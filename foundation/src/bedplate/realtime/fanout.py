import asyncio
from collections import deque
from collections.abc import Callable, Collection, Iterable
from typing import Protocol

from bedplate import clock

INTERVAL_SECONDS = 0.02
"""How long durable events are collected after some went out: 50 times a second at most."""

_SLICE = 250  # followers woken in a row, some 10 ms; then other work has its turn
_REST = 1.5  # times as long as sending took: it has at most 40 % of the event loop


def pace(followers: int) -> float:
    """Return the seconds between two ephemeral values for so many followers of a channel.

    Sending costs 29 to 47 µs for each follower [measured]: four times a second to 5,000 would take
    most of a core.
    """
    if followers <= 1_000:  # noqa: PLR2004 - the steps are said here only
        return 0.25
    return 0.5 if followers <= 3_000 else 1.0  # noqa: PLR2004


class Wakeable(Protocol):
    """Somebody who waits for something new."""

    def wake(self) -> None:
        """Have another look."""


class Fanout:
    """Decides when the followers of a channel are woken.

    Durable events go out at once after a silence, and then after a rest that depends on how long
    sending took. Ephemeral values go out at a pace: `seconds` returns it for the fast audiences
    (True) and for the others (False). `release` is called with what is due, whether durable events
    are and for which of the two kinds of audiences values are, and returns whom to wake.
    """

    def __init__(
        self,
        release: Callable[[bool, Collection[bool]], Iterable[Wakeable]],
        seconds: Callable[[bool], float],
    ) -> None:
        self._release = release
        self._seconds = seconds
        self._events = False
        self._values: set[bool] = set()
        self._values_due = {True: 0.0, False: 0.0}
        self._rested = 0.0
        self._spent = 0.0
        self._woken: deque[Wakeable] = deque()
        self._sending = False
        self._next: asyncio.Handle | None = None
        self._next_at = 0.0

    def events_came(self) -> None:
        """Plan for durable events, which are to go out soon."""
        self._events = True
        self._plan()

    def values_came(self) -> None:
        """Plan for changed values, which are to go out at their pace."""
        self._values = {True, False}
        self._plan()

    def stop(self) -> None:
        """Forget all plans."""
        if self._next is not None:
            self._next.cancel()
            self._next = None
        self._events, self._sending = False, False
        self._values.clear()
        self._woken.clear()

    def _plan(self) -> None:
        if self._sending:
            return
        due = [max(self._rested, self._values_due[kind]) for kind in self._values]
        if self._events:
            due.append(self._rested)
        if not due:
            return
        at = min(due)
        if self._next is not None:
            if self._next_at <= at:
                return
            self._next.cancel()
        loop = asyncio.get_running_loop()
        self._next_at = at
        if at <= loop.time():
            self._next = loop.call_soon(self._begin)
        else:
            self._next = loop.call_at(at, self._begin)

    def _begin(self) -> None:
        self._next = None
        now = asyncio.get_running_loop().time()
        kinds = {kind for kind in self._values if self._values_due[kind] <= now}
        if self._rested > now or not (kinds or self._events):  # a timer may come a little early
            self._plan()
            return
        for kind in kinds:
            self._values_due[kind] = now + self._seconds(kind)
        events, self._events = self._events, False
        self._values -= kinds
        self._woken.extend(self._release(events, kinds))
        self._sending, self._spent = True, 0.0
        self._wake_some()

    def _wake_some(self) -> None:
        began = clock.monotonic()
        for _ in range(min(_SLICE, len(self._woken))):
            self._woken.popleft().wake()
        # Those who were woken run before this call.
        self._next = asyncio.get_running_loop().call_soon(self._measure, began)

    def _measure(self, began: float) -> None:
        self._spent += clock.monotonic() - began
        loop = asyncio.get_running_loop()
        if self._woken:
            self._next = loop.call_soon(self._wake_some)
            return
        self._next, self._sending = None, False
        self._rested = loop.time() + max(INTERVAL_SECONDS, self._spent * _REST)
        self._plan()
