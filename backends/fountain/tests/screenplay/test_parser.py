"""What a text is read as."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fountain.screenplay import parse, read
from fountain.screenplay.model import (
    Action,
    Centered,
    Element,
    Heading,
    Lyrics,
    Note,
    PageBreak,
    Speech,
    Synopsis,
    TitleEntry,
    Transition,
)

# fmt: off
HOSTILE = [
    "/*", "/*/", "[[", "[[\n  \n", "[[a]]b\n  \n", "a[[\n  \n", "\f\n", "C:\n",
    "(", "()", "A\n(\n", "a\n  \n",
    "@a\nb\n", "#", ".A\n", "INT. A\n", "CUT TO:\n", ">a\n", ">a<\n", "~\n", "A: b\n", " ",
    "b\n",
]
# fmt: on
HEARD = Speech("STEEL", "Heard.")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("INT. HOUSE - DAY", Heading("INT. HOUSE - DAY")),
        ("ext. brick's pool - day", Heading("ext. brick's pool - day")),
        ("INT./EXT. CAR", Heading("INT./EXT. CAR")),
        ("I/E CAR #12A#", Heading("I/E CAR #12A#")),
        ("I./E. HOUSE", Heading("I./E. HOUSE")),
        ("EST. CITY", Heading("EST. CITY")),
        (".SNIPER SCOPE POV", Heading("SNIPER SCOPE POV")),
        ("# Act 1", Heading("Act 1", 1)),
        ("###   Beat", Heading("Beat", 3)),
        ("= Steel waits.", Synopsis("Steel waits.")),
        ("CUT TO:", Transition("CUT TO:")),
        ("> Burn to White.", Transition("Burn to White.")),
        ("> THE END <", Centered("THE END")),
        (">One<\n> Two <", Centered("One\nTwo")),
        ("~Willy Wonka!\n~ la", Lyrics("Willy Wonka!\n la")),
        ("[[A remark\n  \nof three lines]]", Note("A remark\n  \nof three lines")),
        ("====", PageBreak()),
        ("He waits.\n\tAnd waits.", Action("He waits.\n\tAnd waits.")),
        ("!SCANNING THE AISLES...\nEmpty.", Action("SCANNING THE AISLES...\nEmpty.")),
        ("BANG", Action("BANG")),
        ("...where?", Action("...where?")),
        ("..twice", Action("..twice")),
        ("An [[inline]] note", Action("An [[inline]] note")),
        (
            "It [[needs work.\n  \nDefinitely coffee.]]",
            Action("It [[needs work.\n  \nDefinitely coffee.]]"),
        ),
        ("[[never closed", Action("[[never closed")),
        ("23\nis no name", Action("23\nis no name")),
        ("@McCLANE", Action("@McCLANE")),
        ("FADE IN:", Action("FADE IN:")),
        ("He says: no", Action("He says: no")),
    ],
)
def test_paragraphs(text: str, expected: Element) -> None:
    """Each kind of paragraph in the format is parsed; everything else is action."""
    assert parse(text).elements == (expected,)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("STEEL\nHeard.", [HEARD]),
        ("GROßMUTTER\nHeard.", [Speech("GROßMUTTER", "Heard.")]),
        ("\t\tSTEEL\n\t\tHeard.  ", [HEARD]),
        ("@McCLANE\nYippee.", [Speech("McCLANE", "Yippee.")]),
        ("R2D2\nBeep.", [Speech("R2D2", "Beep.")]),
        ("HANS (on the radio)\nJa.", [Speech("HANS", "Ja.", extension="(on the radio)")]),
        ("MOM (V.O.) (CONT'D) ^\nHi.", [Speech("MOM", "Hi.", None, "(V.O.) (CONT'D)", dual=True)]),
        ("STEEL\nOne.\n  \nTwo.", [Speech("STEEL", "One.\n\nTwo.")]),
        ("STEEL\n(nods)", [Speech("STEEL", None, "nods")]),
        (
            "STEEL\n(low)\nOne.\n(loud)\nTwo.",
            [Speech("STEEL", "One.", "low"), Speech("STEEL", "Two.", "loud", continued=True)],
        ),
        (
            "STEEL\nSo:\n~la\n~la\nWell.",
            [
                Speech("STEEL", "So:"),
                Speech("STEEL", "la\nla", continued=True, sung=True),
                Speech("STEEL", "Well.", continued=True),
            ],
        ),
    ],
)
def test_cues(text: str, expected: list[Speech]) -> None:
    """A name and what stands below it becomes a speech for each stretch without a break."""
    assert list(parse(text).elements) == expected


def test_sloppy_headings() -> None:
    """A heading in capitals stays one when the writer forgot the blank line after it."""
    result = parse("INT. HOUSE - DAY\nSTEEL\nHeard.").elements
    assert result == (Heading("INT. HOUSE - DAY"), HEARD)


def test_title_page() -> None:
    """Inline and indented values are read, keys kept as written, doubles joined."""
    page = parse("title: A\nCredit:\n    by\n\tus\nTitle: B\n\nHe waits.").title_page
    assert page == (TitleEntry("title", "A\nB"), TitleEntry("Credit", "by\nus"))


def test_an_address_that_nobody_indented() -> None:
    """The lines below a key without a value are its value; they don't end the title page."""
    screenplay = parse("Title: A\nContact:\nMy Street 1\nTown\nDate: May\n\nHe waits.")
    assert screenplay.title_page == (
        TitleEntry("Title", "A"),
        TitleEntry("Contact", "My Street 1\nTown"),
        TitleEntry("Date", "May"),
    )
    assert screenplay.elements == (Action("He waits."),)


def test_a_title_page_without_a_blank_line_after_it() -> None:
    """The page ends at the first line that can't be part of it, and the title isn't lost."""
    screenplay = parse("Title: A\nAuthor: B\nHe waits.\n\nAnd waits.")
    assert screenplay.title_page == (TitleEntry("Title", "A"), TitleEntry("Author", "B"))
    assert screenplay.elements == (Action("He waits."), Action("And waits."))


def test_a_form_feed_is_blank() -> None:
    """What printers put between pages separates paragraphs."""
    assert parse("One.\n\f\nINT. HOUSE").elements == (Action("One."), Heading("INT. HOUSE"))


def test_struck_out_text() -> None:
    """A boneyard is left out, and its first and last line are named."""
    reading = read("One.\n\n/* a\n\nb */Two.\n\n/* c */\n\nThree /* d.\n")
    assert reading.screenplay.elements == (Action("One."), Action("Two."), Action("Three /* d."))
    assert reading.struck_out == ((3, 5), (7, 7))


def test_no_new_boneyard() -> None:
    """The text around a boneyard doesn't become the start of another."""
    assert parse("a //*x*/* b */ c").elements == (Action("a / * b */ c"),)


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_line_ends(line_end: str) -> None:
    """Line ends of all systems are read alike."""
    assert parse(f"One.{line_end}Two.{line_end}{line_end}===").elements == (
        Action("One.\nTwo."),
        PageBreak(),
    )


@pytest.mark.parametrize("piece", HOSTILE)
def test_hostile_texts(piece: str) -> None:
    """A long text that is designed to be slow is parsed in time."""
    for before in ("", "A\n", "Title:\n "):
        parse(before + piece * (100_000 // len(piece)) + "]]*/")


@given(st.text())
def test_any_text(text: str) -> None:
    """No text is refused."""
    parse(text)
