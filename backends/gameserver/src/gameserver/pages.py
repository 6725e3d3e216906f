"""Pages of lists that are in memory or in files."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import dropwhile, islice
from typing import Generic, TypeVar

Item = TypeVar("Item")


@dataclass(frozen=True)
class Page(Generic[Item]):
    """Some items of a list, and the key to continue after; None on the last page."""

    items: list[Item]
    next_key: str | None


def page_of(
    items: Iterable[Item], *, key: Callable[[Item], str], after: str | None, limit: int
) -> Page[Item]:
    """Return at most `limit` items after the one with the key `after`; from the start for None.

    `items` is read no further than necessary. When that item is gone, so are those behind it, as
    in lists that drop their oldest entries.
    """
    if after is not None:
        items = islice(dropwhile(lambda item: key(item) != after, items), 1, None)
    ahead = list(islice(items, limit + 1))
    page = ahead[:limit]
    return Page(page, key(page[-1]) if len(ahead) > limit else None)
