"""Texts on one line, visible and bounded; syllables; digests."""

from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fountain.story_factory.orchestration import texts


@given(st.text())
def test_a_line_is_one_line(text: str) -> None:
    """A line has visible characters only, single spaces within, none at its ends."""
    result = texts.line(text)
    assert result.isprintable()
    assert len(result) <= 80
    assert result == " ".join(result.split())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("_**BRICK & STEEL**_\n_**FULL RETIRED**_", "BRICK & STEEL\nFULL RETIRED"),
        ("*Did* he? ***Yes.***", "Did he? Yes."),
        ("Well [[louder?]] then", "Well  then"),
        (r"\*Not\* this", "*Not* this"),
        ("2 * 3 * 4, snake_case, * a", "2 * 3 * 4, snake_case, * a"),
        ("**never closed", "**never closed"),
    ],
)
def test_readers_see_no_marks(text: str, expected: str) -> None:
    """Emphasis and notes are for the writer; what only looks like a mark stays."""
    assert texts.plain(text) == expected


@pytest.mark.parametrize("piece", ["*", "*a", "_a*", "[[", "*a ", "\\*"])
def test_hostile_marks_cost_little(piece: str) -> None:
    """A text of megabytes that is designed to be slow is done in time, a hundred times."""
    for _ in range(100):
        texts.plain(piece * 10**6)


def test_a_line_is_cut() -> None:
    """A text that is too long ends in an ellipsis; one that fits is unchanged."""
    assert texts.line("a" * 80) == "a" * 80
    assert texts.line("a" * 81) == "a" * 79 + "…"
    assert texts.line("word " * 5, 12) == "word word w…"
    assert texts.line("a" + "\n" * 10**6 + "b", 9) == "a…"


def test_syllables() -> None:
    """Words are split after vowels; each syllable says whether its word continues."""
    result = list(texts.syllables("O  Romeo,\nwherefore hmm? Äpfel"))
    assert result == [
        ("O", False),
        ("Ro", True),
        ("meo,", False),
        ("whe", True),
        ("re", True),
        ("fo", True),
        ("re", False),
        ("hmm?", False),
        ("Äp", True),
        ("fel", False),
    ]


@given(st.text())
def test_syllables_are_the_words(text: str) -> None:
    """Together the syllables of a word are the word, as far as it is visible and short."""
    words = [""]
    for syllable, joined in texts.syllables(text):
        assert syllable
        words[-1] += syllable
        if not joined:
            words.append("")
    assert words == [*(texts.line(word, 40) for word in text.split() if texts.line(word, 40)), ""]


def test_a_long_text_costs_what_is_asked_for() -> None:
    """Of a text of megabytes only the syllables that are taken are looked at."""
    assert len(list(islice(texts.syllables("tom-tom " * 10**6), 24))) == 24
    assert [item for item, _ in texts.syllables("b" * 10**7)] == ["b" * 39 + "…"]


def test_a_digest_is_the_same_everywhere() -> None:
    """BLAKE2b of the text's UTF-8 (RFC 7693), whatever Python's own hash does."""
    assert texts.digest("Juliet").hex().startswith("58761c10ba0fa1f7")
    assert len(texts.digest("\ud800")) == 64
