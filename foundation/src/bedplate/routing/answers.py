"""Makes the response of what an endpoint returned.

What it uses of FastAPI 0.165 that isn't public: `ModelField._type_adapter`, `DefaultPlaceholder`,
`serialize_response`.
"""

from collections.abc import Callable
from typing import Any

from fastapi._compat import ModelField
from fastapi.datastructures import DefaultPlaceholder
from fastapi.exceptions import ResponseValidationError
from fastapi.routing import serialize_response
from fastapi.utils import is_body_allowed_for_status_code
from pydantic import ValidationError
from pydantic_core import SchemaSerializer
from starlette.background import BackgroundTasks
from starlette.requests import Request
from starlette.responses import Response

from bedplate.routing.parameters import errors_of, validator_of
from bedplate.routing.places import Place


def blank_response() -> Response:
    """Return the response whose headers, cookies and status dependencies may set."""
    response = Response()
    del response.headers["content-length"]
    response.status_code = None  # type: ignore[assignment]  # not set by anyone yet
    return response


class Answers:
    """Makes the responses of one route from what its endpoint returns."""

    def __init__(self, described: Any, place: Place, *, coroutine: bool) -> None:
        """Take FastAPI's description of the route, its place, and whether its endpoint is async."""
        self._place = place
        self._status: int | None = described.status_code
        self._field: ModelField | None = described.response_field
        self._shape = {
            name: getattr(described, f"response_model_{name}")
            for name in (
                "include", "exclude", "by_alias", "exclude_unset", "exclude_defaults",
                "exclude_none",
            )
        }  # fmt: skip
        chosen = described.response_class
        self._is_default_class = isinstance(chosen, DefaultPlaceholder)
        self._class: type[Response] = chosen.value if self._is_default_class else chosen
        self._coroutine = coroutine
        if self._field is not None and self.is_plain:
            self._validate = validator_of(self._field)
            self._to_json = _serializer_of(self._field)

    @property
    def is_plain(self) -> bool:
        """Whether Pydantic makes the JSON at once, on the event loop: then `plain` makes it."""
        return self._field is not None and self._is_default_class and self._coroutine

    def plain(
        self, returned: Any, request: Request, blank: Response | None, background: Any
    ) -> Response:
        """Return the response. Raises `ResponseValidationError` for a value of another shape."""
        try:
            value = self._validate(returned, from_attributes=True)
        except ValidationError as failed:
            raise ResponseValidationError(
                errors=errors_of(failed, ("response",)),
                body=returned,
                endpoint_ctx=self._place.of(request),
            ) from None
        content = self._to_json(value, **self._shape)
        return self._response(Response, content, blank, background, media_type="application/json")

    async def any(
        self, returned: Any, request: Request, blank: Response | None, background: Any
    ) -> Response:
        """Return the response, made by FastAPI. Raises as `plain` does."""
        dump_json = self._field is not None and self._is_default_class
        content = await serialize_response(
            field=self._field,
            response_content=returned,
            **self._shape,
            is_coroutine=self._coroutine,
            endpoint_ctx=self._place.of(request),
            dump_json=dump_json,
        )
        if dump_json:
            return self._response(
                Response, content, blank, background, media_type="application/json"
            )
        return self._response(self._class, content, blank, background)

    def _response(
        self,
        kind: type[Response],
        content: Any,
        blank: Response | None,
        background: BackgroundTasks | None,
        **more: str,
    ) -> Response:
        # Without any, it is the class's own: a redirect has another than the others.
        status = (blank.status_code if blank else None) or self._status
        if status is not None:
            more["status_code"] = status  # type: ignore[assignment]
        response = kind(content, background=background, **more)  # type: ignore[arg-type]
        if not is_body_allowed_for_status_code(response.status_code):
            response.body = b""
        if blank is not None:
            response.headers.raw.extend(blank.headers.raw)
        return response


def _serializer_of(field: ModelField) -> Callable[..., bytes]:
    adapter = field._type_adapter
    serializer: Any = adapter.serializer
    return serializer.to_json if isinstance(serializer, SchemaSerializer) else adapter.dump_json
