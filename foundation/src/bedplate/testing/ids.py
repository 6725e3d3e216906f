"""Ids and secrets that are the same in every run of a test."""

from collections import deque
from collections.abc import Callable
from random import Random
from typing import Self

from bedplate import ids


class SettableIds:
    """A source of repeatable randomness: `with SettableIds(seed=1) as ids:`.

    Within the context every id and token of `bedplate.ids` comes from it; the same `seed` gives
    the same values.
    """

    def __init__(self, seed: int = 0) -> None:
        self._random = Random(seed)  # noqa: S311 - repeatable is what it is for
        self._next: deque[bytes] = deque()
        self._previous: Callable[[int], bytes] | None = None

    def then(self, *values: bytes) -> None:
        """Return these values next; the same value twice makes a collision."""
        self._next.extend(values)

    def __call__(self, size: int) -> bytes:
        """Return the next `size` bytes. Raises ValueError if `then` set another length."""
        if not self._next:
            return self._random.randbytes(size)
        value = self._next.popleft()
        if len(value) != size:
            raise ValueError(f"{size} bytes are needed, but the next value has {len(value)}")
        return value

    def __enter__(self) -> Self:
        self._previous = ids.use(self)
        return self

    def __exit__(self, *_: object) -> None:
        if self._previous is not None:
            ids.use(self._previous)
            self._previous = None
