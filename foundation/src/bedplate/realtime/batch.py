"""Items that go out together."""

from collections.abc import Callable
from typing import Generic

from bedplate.realtime.ring_buffer import Item, Numbered

Encode = Callable[[Numbered[Item]], str]
"""Returns the JSON of a numbered item."""


class Batch(Generic[Item]):
    """Some items in their order; shared by all followers that get the same."""

    __slots__ = ("_encode", "_text", "items", "last")

    def __init__(self, items: tuple[Numbered[Item], ...], last: int, encode: Encode[Item]) -> None:
        self.items = items
        self.last = last
        """The number to go on after: of the last item that was looked at, wanted or not."""
        self._encode = encode
        self._text: str | None = None

    @property
    def text(self) -> str:
        """The batch as JSON, made once: `{"type":"items","last":…,"items":[…]}`."""
        if self._text is None:
            items = ",".join(self._encoded(entry) for entry in self.items)
            self._text = f'{{"type":"items","last":{self.last},"items":[{items}]}}'
        return self._text

    def _encoded(self, entry: Numbered[Item]) -> str:
        if entry.encoded is None:
            entry.encoded = self._encode(entry)
        return entry.encoded
