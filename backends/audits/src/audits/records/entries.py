"""The entry of an event: the bytes that the log holds, made from what the database gives back."""

from base64 import b64encode
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256
from typing import Any, Final

from audits.transparency.canonical import canonical, is_plain, plain_canonical
from audits.transparency.tree import leaf_hash

Event = dict[str, Any]
"""An event: the names and values of its columns."""

FORMAT: Final = 1
"""The version of the entries' format, which every entry names."""

MAX_PLAIN_DETAILS_BYTES: Final = 32_768
"""Larger details are in the entry as a commitment: an entry has 65,535 bytes at most."""

SALT_BYTES: Final = 32

_PLAIN = (
    "tenant", "seq", "event", "version", "action_type", "action", "entity_type", "entity_ref",
    "actor", "targets", "status", "ip_address", "user_agent", "correlation_id", "commitments",
)  # fmt: skip
_UUIDS = ("id", "entity_id", "user_id")
_TIMES = ("created_at", "recorded_at", "occurred_at")


def entry_of(event: Event) -> bytes:
    """Return the entry of an event: canonical JSON of all its members that aren't null.

    `details` that have a salt are there as their commitment. What `commitments` names is not in
    the event at all.
    """
    members: dict[str, Any] = {"format": FORMAT}
    for name in _PLAIN:
        if event[name] is not None:
            members[name] = event[name]
    for name in _UUIDS:
        if event[name] is not None:
            members[name] = str(event[name])
    for name in _TIMES:
        if event[name] is not None:
            members[name] = instant(event[name])
    if event["salt"] is not None:
        members["details_commitment"] = commitment(event["salt"], event["details"])
        return canonical(members)
    members["details"] = event["details"]
    # Only details may have floats or keys of any kind: nothing else needs to be looked at.
    return plain_canonical(members) if is_plain(event["details"]) else canonical(members)


def leaf_of(event: Event) -> bytes:
    """Return the hash of the leaf that an event is."""
    return leaf_hash(entry_of(event))


@lru_cache(maxsize=64)
def instant(time: datetime) -> str:
    """Return a time in UTC with its microseconds, which both databases keep."""
    return f"{time.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}Z"


def commitment(salt: bytes, value: Any) -> str:
    """Return what stands for a value in the log: without salt and value nobody can tell which."""
    return b64encode(sha256(salt + canonical(value)).digest()).decode()


def as_doubles(value: Any) -> Any:
    """Return a JSON value as it was before the database rewrote its numbers.

    PostgreSQL gives 1e21 back as an integer, which no client could have sent: it is a float again.
    """
    if isinstance(value, dict):
        return {name: as_doubles(member) for name, member in value.items()}
    if isinstance(value, list):
        return [as_doubles(item) for item in value]
    if type(value) is int and not -(2**53) < value < 2**53:
        return float(value)
    return value
