"""Conditional requests and idempotency keys."""

from bedplate.conditional.etags import (
    ETagSet,
    IfAbsent,
    IfMatch,
    IfNoneMatch,
    Preconditions,
    parse_etags,
    version_etag,
)

__all__ = [
    "ETagSet",
    "IfAbsent",
    "IfMatch",
    "IfNoneMatch",
    "Preconditions",
    "parse_etags",
    "version_etag",
]
