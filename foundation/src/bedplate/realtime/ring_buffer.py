"""The last items of an endless row, each with its number."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Item = TypeVar("Item")


@dataclass(slots=True)
class Numbered(Generic[Item]):
    """An item and its number; numbers count from 1 and have no gaps."""

    number: int
    item: Item
    encoded: str | None = field(default=None, compare=False, repr=False)


def weightless(_: object) -> int:
    """Weigh nothing: only the number of items counts."""
    return 0


class RingBuffer(Generic[Item]):
    """Holds the newest items; the oldest go when there are too many, or they weigh too much."""

    def __init__(
        self,
        capacity: int,
        *,
        weigh: Callable[[Item], int] = weightless,
        max_weight: int = 1,
        after: int = 0,
    ) -> None:
        """Hold at most `capacity` items that weigh at most `max_weight` together.

        The first item gets the number after `after`.
        `weigh` returns the weight of an item, its bytes for instance, always the same. The newest
        item is held whatever it weighs. Raises ValueError unless both bounds are positive.
        """
        if capacity < 1 or max_weight < 1:
            raise ValueError("capacity and max_weight must be at least 1.")
        self.weigh = weigh
        self._max_weight = max_weight
        self._slots: list[Numbered[Item] | None] = [None] * capacity
        self.weight = 0
        """What the held items weigh together."""
        self.first = after + 1
        """The number of the oldest item that is held; `last + 1` when there is none."""
        self.last = after
        """The number of the newest item; `after` before the first."""

    def __len__(self) -> int:
        """Return how many items are held."""
        return self.last - self.first + 1

    def append(self, item: Item) -> int:
        """Add an item and return its number."""
        if len(self) == len(self._slots):
            self._drop_oldest()
        self.last += 1
        self._slots[self._place(self.last)] = Numbered(self.last, item)
        self.weight += self.weigh(item)
        while self.weight > self._max_weight and self.first < self.last:
            self._drop_oldest()
        return self.last

    def since(
        self, number: int, limit: int | None = None, *, until: int | None = None
    ) -> list[Numbered[Item]]:
        """Return what is held after `number`, oldest first: at most `limit`, none after `until`."""
        begin = max(number + 1, self.first)
        end = self.last if until is None else min(until, self.last)
        if limit is not None:
            end = min(end, begin + limit - 1)
        if end < begin:
            return []
        begin, end = self._place(begin), self._place(end) + 1
        slots = self._slots
        found = slots[begin:end] if begin < end else [*slots[begin:], *slots[:end]]
        return [entry for entry in found if entry is not None]

    def _drop_oldest(self) -> None:
        place = self._place(self.first)
        oldest = self._slots[place]
        if oldest is not None:
            self.weight -= self.weigh(oldest.item)
        self._slots[place] = None
        self.first += 1

    def _place(self, number: int) -> int:
        return (number - 1) % len(self._slots)
