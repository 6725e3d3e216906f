"""Screenplays as text, and the way there and back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fountain.common.files import example_file
from fountain.screenplay import Screenplay, parse, render
from fountain.screenplay.fitting import fit, fits
from fountain.screenplay.lines import KEPT_BLANK
from fountain.screenplay.model import (
    Action,
    Centered,
    Element,
    Heading,
    Lyrics,
    Note,
    Speech,
    Synopsis,
    TitleEntry,
    Transition,
)

# fmt: off
PIECES = st.sampled_from(
    [
        "\n", "\n\n", "  \n", " ", "\t", "\r\n", "\r", "\ufeff", "\x0b", "\x1c", "\x85",
        "\u2028", "!", "@", "#", ".", "~", ">", "<", "=", "===", "[[", "]]", "(", ")", "^", ":",
        "/*", "*/", "/", "*", "_", "\\", "TO:", "CUT TO:", "INT. ", "ROMEO", "Romeo", "é", "ß",
        "朱", "1", "a", "Title: x", "Author:", "    b", "\n\nROMEO\n", "(aside)\n", "~la\n",
    ],
)
# fmt: on
TEXTS = st.one_of(st.text(), st.lists(PIECES, max_size=20).map("".join))

CANONICAL = f"""Title: Brick & Steel
Credit: Written by
Author: Stu Maschwitz
Contact:
    Next Door Productions
    1588 Mission Dr.

[[BRICK: A retired officer.]]

# Act 1

= Brick relaxes.

EXT. BRICK'S PATIO - DAY #1-A#

A gorgeous day.  The sun _is *shining*_.
\tBRICK's cell phone\u2028rings.

@McBrick (V.O.) ^
(beat)
I'm here.
{KEPT_BLANK}
Still.
~la la

!Title: this is action

.\u00c9TOILES

> FADE OUT.

CUT TO:

> THE
> END <

~Sung
~by all

===
"""


@given(TEXTS)
def test_there_and_back(text: str) -> None:
    """A screenplay from any text is the same after rendering and parsing."""
    screenplay = parse(text)
    assert parse(render(screenplay)) == screenplay


@given(TEXTS)
def test_canonical_form(text: str) -> None:
    """A text that was written once is written the same ever after."""
    canonical = render(parse(text))
    assert render(parse(canonical)) == canonical


def elements() -> st.SearchStrategy[Element]:
    """Return a strategy for elements, many of which no text could be."""
    texts = st.lists(PIECES.filter(lambda piece: "/" not in piece), max_size=4)
    text = texts.map("".join)
    kinds = (Action, Lyrics, Transition, Centered, Note, Synopsis)
    speech = st.builds(
        Speech, text, text, st.none() | text, st.none() | st.just("(V.O.)"), dual=st.booleans()
    )
    heading = st.builds(Heading, text, st.integers(0, 3))
    return st.one_of(*(st.builds(kind, text) for kind in kinds), speech, heading)


@given(st.lists(elements().flatmap(lambda item: st.sampled_from(fit(item) or [item])), max_size=6))
def test_random_screenplays(made: list[Element]) -> None:
    """Elements that a text can be one by one are what they are side by side, too."""
    fitting = tuple(item for item in made if fits(item))
    assert parse(render(Screenplay(elements=fitting))).elements == fitting


def test_identical() -> None:
    """A text in canonical form is unchanged, to the last tab and mark."""
    text = CANONICAL.replace("> THE\n", "> THE <\n").replace("!Title: this", "Title: this")
    assert render(parse(text)) == text


def test_line_ends_and_byte_order_mark() -> None:
    """CRLF and a byte order mark are kept."""
    text = "\ufeff" + CANONICAL.replace("> THE\n", "").replace("!", "").replace("\n", "\r\n")
    assert render(parse(text)) == text


def test_example() -> None:
    """The example is in canonical form."""
    text = example_file().read_text()
    assert render(parse(text)) == text


@pytest.mark.parametrize(
    ("element", "expected"),
    [
        (Action("INT. HOUSE"), "!INT. HOUSE\n"),
        (Action("Title: A"), "!Title: A\n"),
        (Action("\ufeffA"), "!\ufeffA\n"),
        (Action("ROMEO\nlies here"), "!ROMEO\nlies here\n"),
        (Speech("TITLE", "Author: me"), "TITLE\nAuthor: me\n"),
        (Speech("TITLE: A", "Author: me"), "@TITLE: A\nAuthor: me\n"),
        (Speech("CUT TO:", "No."), "@CUT TO:\nNo.\n"),
        (Heading("The house"), ".The house\n"),
        (Transition("Slowly to:"), "> Slowly to:\n"),
    ],
)
def test_marks(element: Element, expected: str) -> None:
    """A mark stands where the text without it would be something else."""
    assert render(Screenplay(elements=(element,))) == expected


def test_marks_after_a_title_page() -> None:
    """What looks like a title page needs no mark where it can't be one."""
    screenplay = Screenplay((TitleEntry("Title", "A"),), (Action("Notes: none"),))
    assert render(screenplay) == "Title: A\n\nNotes: none\n"


def test_continued_elsewhere() -> None:
    """A speech that was moved away from its cue gets a cue."""
    speeches = (Speech("A", "One."), Speech("B", "Two.", "low", continued=True))
    assert render(Screenplay(elements=speeches)) == "A\nOne.\n\nB\n(low)\nTwo.\n"


def test_nothing() -> None:
    """A screenplay of nothing is an empty text."""
    assert render(Screenplay()) == ""
    assert parse("") == parse("\r\n \n") == Screenplay()
