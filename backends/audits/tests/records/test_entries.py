"""Entries: canonical JSON of every event, the same when it is made and after the database."""

import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from audits.records.entries import as_doubles, entry_of
from audits.records.privacy import salted_entry
from audits.transparency.canonical import MAX_EXACT_INTEGER
from bedplate.database import Row

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
NUMBERS = st.integers(-MAX_EXACT_INTEGER, MAX_EXACT_INTEGER) | st.floats(
    allow_nan=False, allow_infinity=False
)
DETAILS = st.dictionaries(
    TEXTS,
    st.recursive(
        st.none() | st.booleans() | NUMBERS | TEXTS,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
        max_leaves=8,
    ),
    max_size=4,
)
NOON = datetime(2026, 11, 29, 12, tzinfo=UTC)


def event(details: Any, **changes: Any) -> Row:
    """Return an event with these details."""
    return {
        **dict.fromkeys(
            (
                "action",
                "entity_ref",
                "actor",
                "targets",
                "ip_address",
                "user_agent",
                "salt",
                "correlation_id",
                "commitments",
                "entity_id",
                "user_id",
                "occurred_at",
            )
        ),
        "tenant": "default",
        "seq": 7,
        "event": "created",
        "version": 1,
        "action_type": "create",
        "entity_type": "invoice",
        "status": "success",
        "id": UUID(int=7),
        "created_at": NOON,
        "recorded_at": NOON,
        "details": details,
        **changes,
    }


@given(DETAILS, TEXTS, TEXTS)
def test_an_entry_is_what_rfc_8785_says(details: Any, name: str, agent: str) -> None:
    """Whichever library writes an entry, it is the RFC's form of its own content."""
    actor = {"type": "user", "id": "1", "name": name}
    entry = entry_of(event(details, actor=actor, user_agent=agent))
    members = json.loads(entry)
    assert rfc8785.dumps(as_doubles(members)) == entry
    assert members["created_at"] == "2026-11-29T12:00:00.000000Z"


@given(DETAILS)
def test_an_entry_is_the_same_after_a_round_trip_through_json(details: Any) -> None:
    """What a database keeps as JSON, and a verifier reads as JSON, gives the same entry again."""
    again = as_doubles(json.loads(json.dumps(details)))
    assert entry_of(event(again)) == entry_of(event(details))


def test_a_salt_hides_the_details() -> None:
    """With a salt an entry has a commitment, another one for each salt, and no details."""
    first = json.loads(entry_of(event({"a": 1}, salt=b"1" * 32)))
    second = json.loads(entry_of(event({"a": 1}, salt=b"2" * 32)))
    assert "details" not in first
    assert first["details_commitment"] != second["details_commitment"]


def test_an_entry_always_has_place_in_a_bundle() -> None:
    """Other members may be large too: then smaller details are a commitment already."""
    hidden = {f"details.{number}": "x" * 44 for number in range(300)}
    large = event(
        {"k": "x" * 32_000},
        targets=[{"type": "x", "id": "\U0001f600" * 255, "name": "\U0001f600" * 255}] * 10,
        commitments=hidden,
    )
    entry = salted_entry(large)
    assert large["salt"] is not None
    assert len(entry) < 2**16
