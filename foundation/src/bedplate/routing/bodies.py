"""Reads the body of a request, and validates it for the dependencies that ask for it.

What it uses that isn't public: of FastAPI 0.165 `request_body_to_args`,
`_should_embed_body_fields`, `get_body_limit_error`; of Starlette 1.10 `Request._receive`,
`_body`, `_json`, `_stream_consumed` and `_is_disconnected`, which it leaves as `Request.body()`
and `Request.json()` do.
"""

import email.message
import functools
import json
from typing import Any

from fastapi._body_limit import get_body_limit_error
from fastapi._compat import Undefined
from fastapi.dependencies.models import Dependant
from fastapi.dependencies.utils import _should_embed_body_fields, request_body_to_args
from fastapi.exceptions import HTTPException, RequestValidationError
from starlette.middleware.body_limit import MAX_BODY_SIZE_SCOPE_KEY
from starlette.requests import ClientDisconnect, Request

from bedplate.routing.parameters import write_value
from bedplate.routing.places import Place
from bedplate.routing.source import Source


class BodyReader:
    """Reads the JSON bodies of one route."""

    def __init__(self, place: Place, *, strict: bool) -> None:
        """Take the route's place; unless `strict`, a body without Content-Type is JSON."""
        self._place = place
        self._strict = strict

    async def read(self, request: Request) -> Any:
        """Return the parsed JSON, or the bytes of a body that isn't JSON, or `Undefined`.

        Raises `RequestValidationError` for bad JSON, and `HTTPException` for a body that can't
        be read.
        """
        try:
            received = await _bytes(request)
            if not received:
                return Undefined
            content_type = request.headers.get("content-type")
            if _is_json(content_type) if content_type else not self._strict:
                request._json = json.loads(received)
                return request._json
        except json.JSONDecodeError as error:
            failed = {
                "type": "json_invalid",
                "loc": ("body", error.pos),
                "msg": "JSON decode error",
                "input": {},
                "ctx": {"error": error.msg},
            }
            raise RequestValidationError(
                [failed], body=error.doc, endpoint_ctx=self._place.of(request)
            ) from error
        except HTTPException:
            raise
        except Exception as error:
            if MAX_BODY_SIZE_SCOPE_KEY in request.scope:
                limit_error = get_body_limit_error(error)
                if limit_error is not None:
                    raise limit_error from error
            raise HTTPException(400, "There was an error parsing the body") from error
        else:
            return received


def write_body(source: Source, dependant: Dependant, *, embed: bool) -> dict[str, str]:
    """Write what validates `body` for a dependency; return the expression of each parameter."""
    fields = dependant.body_params
    if not fields:
        return {}
    if len(fields) == 1 and not embed and not _should_embed_body_fields(fields):
        absent = f"body is {source.constant('Undefined', Undefined)}"
        return {fields[0].name: write_value(source, fields[0], "body", absent, ("body",))}
    values, failed = source.variable("values"), source.variable("failed")
    read = source.constant("read", request_body_to_args)
    arguments = f"body_fields={source.constant('fields', fields)}, received_body=body"
    source.line(f"{values}, {failed} = await {read}({arguments}, embed_body_fields={embed})")
    source.line(f"errors += {failed}")
    return {field.name: f"{values}[{field.name!r}]" for field in fields}


async def _bytes(request: Request) -> bytes:
    """Return the whole body of a new request, as `Request.body()` does by two generators."""
    chunks = []
    while not request._stream_consumed:
        message = await request._receive()
        if message["type"] == "http.disconnect":
            request._is_disconnected = True
            raise ClientDisconnect
        if message["type"] == "http.request":
            chunks.append(message.get("body", b""))
            request._stream_consumed = not message.get("more_body", False)
    request._body = b"".join(chunks)
    return request._body


@functools.lru_cache(maxsize=256)
def _is_json(content_type: str) -> bool:
    message = email.message.Message()
    message["content-type"] = content_type
    subtype = message.get_content_subtype()
    return message.get_content_maintype() == "application" and (
        subtype == "json" or subtype.endswith("+json")
    )
