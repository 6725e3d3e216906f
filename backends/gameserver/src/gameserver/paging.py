"""How routes answer with a page: a JSON array, and a `Link` header (RFC 8288) to the next page."""

import base64
import binascii
from typing import Annotated, TypeVar

from fastapi import Depends, Query, Request, Response

from bedplate.pagination import next_link
from bedplate.problems import FieldError, InvalidInput
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
            Query(max_length=16_384, description="From the Link header of the previous page"),
        ] = None,
    ) -> None:
        self.after = None if cursor is None else _decode(cursor)
        self._request = request
        self._response = response

    def __call__(self, page: Page[Item]) -> list[Item]:
        """Return the items of a page, after setting `Link` unless it is the last."""
        if page.next_key is not None:
            cursor = base64.urlsafe_b64encode(page.next_key.encode()).decode().rstrip("=")
            self._response.headers["Link"] = next_link(self._request, cursor=cursor)
        return page.items


CurrentPaging = Annotated[Paging, Depends()]


def _decode(cursor: str) -> str:
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        return base64.b64decode(padded, altchars=b"-_", validate=True).decode()
    except (ValueError, binascii.Error):
        message = "Input should be a cursor from a Link header"
        error: FieldError = {"field": "cursor", "message": message, "code": "cursor_invalid"}
        raise InvalidInput([error]) from None
