"""Names of new backends."""

import pytest

from bedplate.cli.exceptions import UsageError
from bedplate.cli.names import Names, check_name
from bedplate.cli.new import identifiers


@pytest.mark.parametrize(
    ("name", "singular", "plural", "entity"),
    [
        ("notes", "note", "notes", "Note"),
        ("order_lines", "order_line", "order_lines", "OrderLine"),
        ("stories", "story", "stories", "Story"),
        ("story", "story", "stories", "Story"),
        ("boxes", "box", "boxes", "Box"),
        ("address", "address", "addresses", "Address"),
        ("library", "library", "libraries", "Library"),
        ("gameserver", "gameserver", "gameservers", "Gameserver"),
        ("status", "status", "statuses", "Status"),
    ],
)
def test_every_name_follows_from_one(name: str, singular: str, plural: str, entity: str) -> None:
    """Table, path and class are named after the backend, in the right number."""
    names = Names(name)
    values = names.values(date="2026-11-21")
    assert (names.singular, names.plural, values["Entity"]) == (singular, plural, entity)
    assert values["revision"] == f"2026_11_21_create_{plural}"


@pytest.mark.parametrize(
    "name",
    [
        *("", "Notes", "9lives", "no-tes", "no__tes", "_notes", "notes_", "nötes", "a" * 21),
        *("class", "nones", "exceptions"),
        *("json", "fastapi", "bedplate"),
        *("run", "songs", "tests", "a", "a_b"),
        *("pages", "databases", "bases"),
    ],
)
def test_a_name_that_would_hurt_is_refused(name: str) -> None:
    """Bad forms, Python's words, installed modules, taken names and hiding classes are refused."""
    with pytest.raises(UsageError):
        check_name(name, taken={"run", "songs", "tests"}, identifiers=identifiers())


def test_a_good_name_is_taken() -> None:
    """A plain plural is fine."""
    assert check_name("larks", taken=(), identifiers=identifiers()) == Names("larks")
