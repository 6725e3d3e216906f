"""Records as clients see them: JSON that is made from events, and read back by verifiers."""

from base64 import b64decode, b64encode
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

import orjson

from audits.records.entries import Event

EXPORT_FORMAT: Final = "bedplate.audits/export@v1"
"""What the first line of an NDJSON export names."""

# The members of a record that are those of its events.
_SAME: Final = (
    "id", "tenant", "version", "action_type", "action", "entity_type", "entity_id", "entity_ref",
    "user_id", "actor", "targets", "details", "status", "ip_address", "user_agent", "occurred_at",
    "created_at", "correlation_id",
)  # fmt: skip
_UUIDS: Final = ("id", "entity_id", "user_id")
_TIMES: Final = ("created_at", "recorded_at", "occurred_at")


def to_item(event: Event) -> dict[str, Any]:
    """Return a record as clients see it, made from one of its events."""
    item = {name: event[name] for name in _SAME}
    return {
        **item,
        "sequence": event["seq"],
        "leaf_hash": b64encode(event["leaf_hash"]).decode(),
        "updated_at": event["recorded_at"],
        "erased": sorted(event["commitments"] or ()),
    }


def to_json(value: Any) -> bytes:
    """Return the JSON of records; times are in UTC, with a Z."""
    # orjson knows Python's own UUIDs, and not those of asyncpg.
    return orjson.dumps(value, default=str, option=orjson.OPT_UTC_Z)


def to_evidence(event: Event) -> dict[str, Any]:
    """Return what a verifier needs beside a record: the event's kind, its salts, its commitments.

    The commitments are those of erased members alone: it makes the others itself.
    """
    return {
        "event": event["event"],
        "salt": None if event["salt"] is None else b64encode(event["salt"]).decode(),
        "salts": {row["member"]: b64encode(row["salt"]).decode() for row in event["private"]},
        "commitments": event["commitments"] or {},
    }


def to_line(event: Event, path: Sequence[bytes]) -> bytes:
    """Return the line of an NDJSON export: the record, and what proves it with the leaf's path."""
    path_text = [b64encode(part).decode() for part in path]
    evidence = {**to_evidence(event), "path": path_text}
    return to_json({"record": to_item(event), "evidence": evidence}) + b"\n"


def to_event(item: dict[str, Any], evidence: dict[str, Any]) -> tuple[Event, dict[str, bytes]]:
    """Return the event that a record was made from, and the salts of its sensitive members.

    Raises KeyError, TypeError and ValueError for anything else than a record.
    """
    event = {name: item[name] for name in _SAME}
    event |= {"seq": item["sequence"], "recorded_at": item["updated_at"]}
    for name in _UUIDS:
        event[name] = None if event[name] is None else UUID(event[name])
    for name in _TIMES:
        event[name] = None if event[name] is None else _time(event[name])
    event["event"] = evidence["event"]
    event["salt"] = None if evidence["salt"] is None else b64decode(evidence["salt"])
    event["commitments"] = evidence["commitments"] or None
    return event, {member: b64decode(salt) for member, salt in evidence["salts"].items()}


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
