"""A screenplay as services hold it, and back again; and scripts that were never a screenplay."""

from collections.abc import Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from fountain.common.files import example_file
from fountain.screenplay import parse, render
from fountain.screenplay.model import Action, Heading, Lyrics, Note, Speech
from fountain.screenplay.plan import Plan, plan_of
from fountain.screenplay.reconstruction import Stored, reconstruct

NAMES = {
    "heading": "headingId",
    "character": "characterId",
    "action": "actionId",
    "spoken_word": "spokenWordId",
    "context": "contextId",
}
# fmt: off
PIECES = st.sampled_from(
    [
        "\n", "\n\n", "  \n", " ", "\r\n", "\ufeff", "!", "@", "#", ".", "~", ">", "<", "=",
        "===", "[[", "]]", "(", ")", "^", ":", "/*", "*/", "CUT TO:", "INT. ", "ROMEO", "Romeo",
        "a", "1", "Title: x\n", "Author: y\n", "Author:\n", "Date: z\n",
        "Description:\n    b\n    c\n", "[[ROMEO: x]]\n", "[[A: b]]\n",
        "\n\nROMEO (O.S.)\n(aside)\n", "\n\nROMEO ^\n", "~la\n",
    ],
)
# fmt: on


def numbered(items: Sequence[Any], base: int) -> dict[int, Any]:
    """Return items by identifiers as a service gives them out."""
    return {base + at: item for at, item in enumerate(items)}


def stored(plan: Plan) -> Stored:
    """Return what the services answer for a plan that was carried out."""
    bases = {part: 100 * at for at, part in enumerate(NAMES, 1)}
    elements = [
        {"position": position}
        | {
            name: bases[part] + index
            for part, name in NAMES.items()
            if (index := getattr(placement, part)) is not None
        }
        for position, placement in enumerate(plan.placements, 1)
    ]
    return Stored(
        plan.script,
        list(numbered(plan.headings, bases["heading"]).items()),
        elements,
        numbered(plan.characters, bases["character"]),
        numbered(plan.actions, bases["action"]),
        numbered(plan.spoken_words, bases["spoken_word"]),
        numbered(plan.contexts, bases["context"]),
    )


@given(st.one_of(st.text(), st.lists(PIECES, max_size=24).map("".join)))
def test_there_and_back(text: str) -> None:
    """The screenplay in any text is the same after the services held it; nothing is left out."""
    screenplay = parse(text)
    assert reconstruct(stored(plan_of(screenplay, fallback_title="play"))) == (screenplay, [])


def test_example() -> None:
    """The example comes back to the letter."""
    text = example_file().read_text()
    screenplay, _ = reconstruct(stored(plan_of(parse(text), fallback_title="play")))
    assert render(screenplay) == text


def test_new_title() -> None:
    """Title and author that were changed at the services are those of the screenplay."""
    for text in ("Title: Old\nCredit: by\n\nx\n", "Credit: by\nSource: me\n\nx\n", "x\n"):
        result = stored(plan_of(parse(text), fallback_title="play"))
        result = Stored({"title": "New", "author": "Me"}, result.sections, result.elements,
                       actions=result.actions, contexts=result.contexts)  # fmt: skip
        written = render(reconstruct(result)[0])
        assert "Title: New\n" in written
        assert "Author: Me\n" in written
        assert "Old" not in written


def test_headings_without_elements() -> None:
    """Headings without elements stand where their order puts them."""
    sections = [(1, "One"), (2, "Two"), (3, "Three"), (4, "Four")]
    elements = [{"position": 1, "headingId": 3, "actionId": 1}]
    screenplay, remarks = reconstruct(Stored({"title": "A"}, sections, elements, actions={1: "x"}))
    titles = [entry.text for entry in screenplay.elements if isinstance(entry, Heading | Action)]
    assert titles == ["One", "Two", "Three", "x", "Four"]
    assert remarks == []


def test_other_scripts() -> None:
    """A script created by hand is exported as far as possible, the rest is named."""
    elements = [
        {"position": 1, "characterId": 1, "actionId": 1, "spokenWordId": 1, "contextId": 1},
        {"position": 2, "characterId": 1, "actionId": 2},
        {"position": 3, "spokenWordId": 1},
        {"position": 4, "actionId": 9, "contextId": 2},
    ]
    screenplay, remarks = reconstruct(
        Stored(
            {"title": "A"},
            [],
            elements,
            {1: ("Juliet", "Daughter of the house.")},
            {1: "She comes.\n\nShe stays.", 2: "\r\n"},
            {1: "  O Romeo!\r\nRomeo! "},
            {1: '{"mood": "longing"}', 2: "[[[" * 40_000},
        )
    )
    assert screenplay.elements == (
        Note("Juliet: Daughter of the house."),
        Action("She comes."),
        Action("She stays."),
        Speech("Juliet", "O Romeo!\nRomeo!"),
        Lyrics("  O Romeo!\r\nRomeo! "),
    )
    assert remarks == [
        "Element 1: its context (mood) isn't part of a screenplay.",
        "Element 4: its context (other) isn't part of a screenplay.",
        "Element 2: it names Juliet, who says nothing there.",
        "Element 3: nobody says its words: they are written as a song.",
        "Element 3: read back, its text will be something else.",
        "Element 4: its actionId 9 is unknown.",
    ]
