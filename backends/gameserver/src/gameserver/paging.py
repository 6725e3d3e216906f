"""How routes answer with a page: a JSON array, and a `Link` header (RFC 8288) to the next page."""

from typing import Annotated, TypeVar

from fastapi import Depends, Query, Request, Response

from bedplate.pagination import next_link
from gameserver.pages import Page

Item = TypeVar("Item")


class Paging:
    """Reads the cursor of a request, and sends that of the next page.

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
