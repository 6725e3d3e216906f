"""Who is described before the play begins."""

from fountain.screenplay import parse
from fountain.screenplay.cast import UNDESCRIBED, cast_notes, split_cast
from fountain.screenplay.model import Action, Note


def test_described() -> None:
    """Notes at the very start describe who speaks, and others whose names are in capitals."""
    elements = parse(
        "[[McDuff: A thane.]]\n[[MACBETH: Another: bold.]]\n\n@McDuff\nTurn, hell-hound."
    ).elements
    cast, rest = split_cast(elements)
    assert cast.described == {"McDuff": "A thane.", "MACBETH": "Another: bold."}
    assert list(cast.speaking) == ["McDuff"]
    assert cast.description("Nobody") == UNDESCRIBED
    assert len(rest) == 1


def test_other_notes() -> None:
    """A note that describes nobody, or somebody again, and those after it stay notes."""
    for note in ("Cut this?", "Note: cut this", "A: again", f"B: {UNDESCRIBED}", "C:", ": d"):
        cast, rest = split_cast([Note("A: first"), Note(note), Note("Z: last"), Action("x")])
        assert cast.described == {"A": "first"}
        assert rest == [Note(note), Note("Z: last"), Action("x")]


def test_notes() -> None:
    """Descriptions become notes; what can't be in one is named."""
    people = [("A", "Bold."), ("B", UNDESCRIBED), ("C", "Ends ]] a note."), (":", "Two.")]
    assert cast_notes(people) == ([Note("A: Bold.")], ["C", ":"])
