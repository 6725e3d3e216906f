"""What the schemas take and trim; test_hostile_input.py sends the rest through the API."""

import unicodedata
from datetime import UTC
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from tasks.router import to_response
from tasks.schemas import BulkDelete, Task, TaskNew, TaskPatch

DETERMINISTIC = settings(derandomize=True, deadline=None)
VISIBLE = st.characters(
    exclude_categories=["Cs", "Cc", "Cf", "Zs", "Zl", "Zp"],
    exclude_characters="\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0\ufff0\ufff1\ufff2\ufff3"
    "\ufff4\ufff5\ufff6\ufff7\ufff8\u2065",
)


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        (" Milk\t\n", "Milk"),
        ("\u200bMilk\ufeff", "Milk"),
        ("Milk  and oats", "Milk  and oats"),
        ("👩\u200d👩\u200d👧", "👩\u200d👩\u200d👧"),
        ("❤\ufe0f", "❤\ufe0f"),
        (" " * 500 + "a" * 200 + " " * 500, "a" * 200),
        ("e\u0301", "e\u0301"),
    ],
)
def test_a_title_is_trimmed_at_its_ends_alone(sent: str, kept: str) -> None:
    """What shows nothing goes from both ends, and nothing else changes."""
    assert TaskNew(title=sent).title == kept


@DETERMINISTIC
@given(text=st.text(VISIBLE, min_size=1, max_size=200))
def test_every_visible_text_is_a_title(text: str) -> None:
    """Up to 200 characters, whatever the script, are kept as they are."""
    assert TaskNew(title=text).title == text


@DETERMINISTIC
@given(text=st.text(VISIBLE, min_size=201, max_size=220))
def test_longer_texts_are_no_title(text: str) -> None:
    """201 characters and more are refused."""
    with pytest.raises(ValidationError):
        TaskNew(title=text)


@DETERMINISTIC
@given(text=st.text(st.characters(categories=["Zs", "Zl", "Zp"]) | st.just("\u200b")))
def test_no_white_space_is_a_title(text: str) -> None:
    """A text of white space of any kind, and of zero-width characters, is refused."""
    assert all(unicodedata.category(character) in {"Zs", "Zl", "Zp", "Cf"} for character in text)
    with pytest.raises(ValidationError):
        TaskNew(title=text)


@pytest.mark.parametrize(
    ("sent", "fields"),
    [
        ({}, {}),
        ({"title": " a "}, {"title": "a"}),
        ({"description": None}, {"description": None}),
        ({"completed": False}, {"completed": False}),
    ],
)
def test_a_patch_knows_what_was_sent(sent: dict[str, object], fields: dict[str, object]) -> None:
    """Only what was sent is dumped, so nothing else is changed."""
    assert TaskPatch.model_validate(sent).model_dump(exclude_unset=True) == fields


def test_a_patch_has_no_defaults_for_clients_to_send() -> None:
    """The document names no default for PATCH, for whatever comes is a change."""
    fields = TaskPatch.model_json_schema()["properties"]
    assert set(fields) == {"title", "description", "completed"}
    assert not any("default" in field for field in fields.values())


@DETERMINISTIC
@given(ids=st.lists(st.integers(1, 2**63 - 1), min_size=1, max_size=1000))
def test_every_id_of_64_bits_may_be_deleted(ids: list[int]) -> None:
    """1 to 1000 ids that a column can hold are taken, repetitions included."""
    assert BulkDelete(ids=ids).ids == ids


ROWS = st.fixed_dictionaries(
    {
        "id": st.integers(1, 2**63 - 1),
        "user_id": st.text(st.characters(exclude_categories=["Cs"])),
        "title": st.text(st.characters(exclude_categories=["Cs"])),
        "description": st.none() | st.text(st.characters(exclude_categories=["Cs"])),
        "completed": st.booleans(),
        "created_at": st.datetimes(timezones=st.just(UTC)),
        "updated_at": st.datetimes(timezones=st.just(UTC)),
        "version": st.integers(1, 2**31),
    }
)


@DETERMINISTIC
@given(row=ROWS)
def test_a_row_is_written_as_the_schema_writes_it(row: dict[str, Any]) -> None:
    """The JSON made of a row is, byte for byte, that of the validated schema."""
    assert to_response(row).body == Task.model_validate(row).model_dump_json().encode()
