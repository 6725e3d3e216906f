"""Trace ids for log lines, and spans around what a request waits for.

Where OpenTelemetry is off, its API does nothing: no span is recorded and no id is written.
"""

import contextlib
from collections.abc import Iterator
from typing import Final

from opentelemetry.trace import (
    INVALID_SPAN,
    Span,
    SpanKind,
    StatusCode,
    get_current_span,
    get_tracer,
)

Attributes = dict[str, str | int]

_TRACER: Final = get_tracer("bedplate")


def trace_ids() -> dict[str, str]:
    """Return the `trace_id` and `span_id` of the current span in hexadecimal; nothing without."""
    span = get_current_span()
    if span is INVALID_SPAN:
        return {}
    context = span.get_span_context()
    if not context.is_valid:
        return {}
    return {"trace_id": f"{context.trace_id:032x}", "span_id": f"{context.span_id:016x}"}


@contextlib.contextmanager
def client_span(name: str, attributes: Attributes) -> Iterator[Span]:
    """Record that the request waits for another system, and the type of what that raises.

    An exception's text stays out of the span: a database's repeats the values of a row.
    """
    with _TRACER.start_as_current_span(
        name,
        kind=SpanKind.CLIENT,
        attributes=attributes,
        record_exception=False,
        set_status_on_exception=False,
    ) as span:
        try:
            yield span
        except BaseException as error:
            span.set_attribute("error.type", type(error).__qualname__)
            span.set_status(StatusCode.ERROR)
            raise
