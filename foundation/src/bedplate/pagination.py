"""Pages of lists: the `Link` header (RFC 8288), and keyset pages of what isn't in a database.

Lists in a database take `bedplate.database.pages`.
"""

import operator
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import dropwhile, islice
from typing import Annotated, Generic, Literal, TypeVar
from urllib.parse import parse_qsl, urlencode

from fastapi import Depends, Query, Request, Response
from fastapi.requests import HTTPConnection

Item = TypeVar("Item")


@dataclass(frozen=True)
class Page(Generic[Item]):
    """Some items of a list, and the key to continue after; None on the last page."""

    items: list[Item]
    next_key: str | None


def page_of(
    items: Iterable[Item],
    *,
    key: Callable[[Item], str],
    after: str | None,
    limit: int,
    order: Literal["ascending", "descending"] | None = None,
) -> Page[Item]:
    """Return at most `limit` items after the one with the key `after`; from the start for None.

    `items` is read no further than necessary. `order` says that the items are sorted by their keys:
    such a list continues beyond `after` even when that item is gone. Without an order nothing
    follows an item that is gone, as in lists that drop their oldest entries.
    """
    if after is not None and order is not None:
        is_behind = operator.gt if order == "ascending" else operator.lt
        items = (item for item in items if is_behind(key(item), after))
    elif after is not None:
        items = islice(dropwhile(lambda item: key(item) != after, items), 1, None)
    ahead = list(islice(items, limit + 1))
    page = ahead[:limit]
    return Page(page, key(page[-1]) if len(ahead) > limit else None)


class Paging:
    """Reads the cursor of a request, and sets the `Link` header of its response.

    after: the key that the cursor stands for; None for the first page.
    """

    def __init__(
        self,
        request: Request,
        response: Response,
        cursor: Annotated[
            str | None,
            Query(
                max_length=16_384,
                pattern="^([0-9a-f]{2})*$",
                description="From the Link header of the previous page",
            ),
        ] = None,
    ) -> None:
        # Every cursor of this form is read: one that leads nowhere has nothing behind it.
        self.after = None if cursor is None else bytes.fromhex(cursor).decode("utf-8", "replace")
        self._request = request
        self._response = response

    def __call__(self, page: Page[Item]) -> list[Item]:
        """Return the items of a page, after setting `Link` unless it is the last."""
        if page.next_key is not None:
            cursor = page.next_key.encode().hex()
            self._response.headers["Link"] = next_link(self._request, cursor=cursor)
        return page.items


CurrentPaging = Annotated[Paging, Depends()]


def next_link(connection: HTTPConnection, **parameters: object) -> str:
    """Return the value of `Link` for the same request with other query parameters.

    `next_link(request, cursor=cursor)` keeps all other parameters of the query, repeated
    ones too.
    """
    query = connection.scope["query_string"].decode("latin-1")
    others = [
        (name, value)
        for name, value in parse_qsl(query, keep_blank_values=True)
        if name not in parameters
    ]
    changed = [(name, str(value)) for name, value in parameters.items()]
    return f'<{connection.url.path}?{urlencode([*others, *changed])}>; rel="next"'
