"""Members that the log holds as salted commitments, so that they can be erased: it stays whole."""

import secrets
from collections.abc import Sequence
from typing import Any

from audits.records.entries import (
    MAX_PLAIN_DETAILS_BYTES,
    SALT_BYTES,
    Event,
    commitment,
    entry_of,
    leaf_of,
)
from audits.transparency.bundle import MAX_ENTRY_BYTES
from audits.transparency.canonical import canonical


def hide(event: Event, sensitive: Sequence[str]) -> tuple[Event, list[Event]]:
    """Return an event as it is stored, and the rows of what is stored apart from it.

    `sensitive` are paths such as `ip_address` and `details.email`. An event's `commitments` are
    those of members that were erased before; the new ones are added.
    """
    stored = dict(event)
    commitments = dict(event["commitments"] or {})
    private = []
    for member in sensitive:
        value = take(stored, member)
        if value is None:
            continue
        salt = secrets.token_bytes(SALT_BYTES)
        commitments[member] = commitment(salt, value)
        row = {"tenant": event["tenant"], "seq": event["seq"], "member": member, "salt": salt}
        private.append({**row, "value": value})
    stored["commitments"] = commitments or None
    stored["salt"] = None
    return stored, private


def salted_entry(stored: Event) -> bytes:
    """Return the entry of an event, for which details that are large get a salt."""
    entry = entry_of(stored)
    # Only an entry larger than details may be can have details that are too large.
    if len(entry) <= MAX_PLAIN_DETAILS_BYTES or (
        len(entry) <= MAX_ENTRY_BYTES
        and len(canonical(stored["details"])) <= MAX_PLAIN_DETAILS_BYTES
    ):
        return entry
    stored["salt"] = secrets.token_bytes(SALT_BYTES)
    return entry_of(stored)


def reveal(stored: Event, private: Sequence[Event]) -> Event:
    """Return an event as clients see it: with what is stored apart, and the hash of its leaf.

    What is left of its `commitments` are those of members that were erased; `private` are the rows
    of the others, whose salts a verifier needs.
    """
    event = {**stored, "leaf_hash": leaf_of(stored), "private": private}
    erased = dict(stored["commitments"] or {})
    for row in private:
        name, _, inner = row["member"].partition(".")
        event[name] = {**(event[name] or {}), inner: row["value"]} if inner else row["value"]
        erased.pop(row["member"], None)
    event["commitments"] = erased or None
    return event


def take(event: Event, member: str) -> Any:
    """Take a member out of an event and return it, or None where it isn't.

    What it is taken out of is copied: others may hold it too.
    """
    name, _, inner = member.partition(".")
    value = event[name]
    if not inner:
        event[name] = {} if name == "details" else None
        return value or None
    if not isinstance(value, dict) or value.get(inner) is None:
        return None
    event[name] = {key: item for key, item in value.items() if key != inner}
    return value[inner]
