# ruff: noqa: RUF001 - letters of other scripts that look like Latin ones are the point
"""Which texts are the same, and how they are displayed."""

import sys
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from bedplate.schemas import _INVISIBLE, _INVISIBLE_RANGES
from live.text import KEY_LENGTH, OwnText, Word, fold, key_of

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
WORD: TypeAdapter[str] = TypeAdapter(Word)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Grün", " grün "),
        ("Grün", "GRÜN"),
        ("Grün", "Gru\u0308n"),
        ("Straße", "STRASSE"),
        ("New York", "new \t\n york"),
        ("New York", "New\u00a0York"),
        ("New York", "New\u2800York"),
        ("ﬁne", "FINE"),
        ("ｆｕｌｌ", "full"),
        ("m²", "M2"),
        ("ΣΊΣΥΦΟΣ", "σίσυφος"),
        ("data", "da\u00adta"),
        ("data", "da\u200bta"),
        ("data", "\u202edata\u202c"),
        ("data", "\u2067data\u2069"),
        ("data", "data\ufeff"),
        ("data", "data\U000e0041"),
        ("❤", "❤\ufe0f"),
        ("می\u200cخواهم", "میخواهم"),
        ("ab", "a\x01b"),
        ("가", "\u1100\u1161"),
    ],
)
def test_texts_that_are_the_same(first: str, second: str) -> None:
    """Case, form, white space and what nobody sees make no other text."""
    assert fold(first) == fold(second)
    assert key_of(first) == key_of(second)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("naïve", "naive"),
        ("Grün", "Grun"),
        ("日本語", "日本"),
        ("й", "и"),
        ("が", "か"),
        ("हिन्दी", "हिनदी"),
        ("New York", "NewYork"),
        ("a", "а"),  # the second is Cyrillic
        ("1", "2"),
        ("👍", "👎"),
        ("\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f", "\U0001f3f4"),
    ],
)
def test_texts_that_differ(first: str, second: str) -> None:
    """Accents, vowel signs, scripts and flags stay."""
    assert fold(first) != fold(second)
    assert key_of(first) != key_of(second)


def test_a_key_is_the_same_everywhere() -> None:
    """A key is 128 bits of SHA-256 of the folded text: of `grün` in UTF-8 here."""
    assert key_of(" Grün") == "fe263064ba02eaeac482aaf130955377"


def test_folding_twice_changes_nothing_more() -> None:
    """Each assigned character folds to a text that stays, and that is 18 times as long at most.

    None of what `bedplate.schemas` takes for invisible remains, but a space.
    """
    for code in range(1, sys.maxunicode + 1):
        character = chr(code)
        if unicodedata.category(character) in {"Cs", "Cn", "Co"}:
            continue
        folded = fold(f"a{character}b")
        assert fold(folded) == folded, hex(code)
        assert len(folded) <= 20, hex(code)
        assert not set(folded) & set(_INVISIBLE) - {" "}, hex(code)


def test_what_the_foundation_trims_makes_no_word() -> None:
    """Each invisible character, at an end or alone, adds nothing to a text."""
    for first, last in _INVISIBLE_RANGES:
        for code in range(first, last + 1):
            assert fold(chr(code)) == ""
            assert fold(f"{chr(code)}a{chr(code)}") == "a"


@given(text=TEXT)
@example(text="\u0345\u0301")
@example(text="\u1fb4\u0323")
def test_folding_is_idempotent(text: str) -> None:
    """What was folded folds to itself, however long the text."""
    assert fold(fold(text)) == fold(text)


@given(text=TEXT)
@example(text="\u0130")
def test_normal_forms_are_the_same(text: str) -> None:
    """A phone that sends another normal form sends no other text."""
    keys = {
        key_of(unicodedata.normalize("NFC", text)),
        key_of(unicodedata.normalize("NFD", text)),
        key_of(text),
    }
    assert len(keys) == 1
    assert len(keys.pop()) == KEY_LENGTH


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        (" Grün\n", "Grün"),
        ("New\n\tYork", "New York"),
        ("a\u202eb", "ab"),
        ("a\u2066b\u2069c", "abc"),
        ("a\x07b", "ab"),
        ("👩\u200d💻", "👩\u200d💻"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("❤\ufe0f", "❤\ufe0f"),
        ("naïve", "naïve"),
        ("x" * 50 + "\u200f", "x" * 50),
    ],
)
def test_a_word_is_kept_as_it_was_written(sent: str, kept: str) -> None:
    """Its ends are trimmed, it is one line, and it can't turn the text around it."""
    assert WORD.validate_python(sent) == kept
    assert WORD.validate_python(kept) == kept


@pytest.mark.parametrize(
    "sent",
    ["", " ", "\u200b", "\ufe0f", "\U000e0041", "a\0b", "\ud800", "x" * 51, 1, True, None, ["a"]],
)
def test_what_is_no_word(sent: object) -> None:
    """A text that shows nothing, is too long or can't be stored is refused; so is a number."""
    with pytest.raises(ValidationError):
        WORD.validate_python(sent)


@given(text=TEXT)
def test_every_text_is_refused_or_stays(text: str) -> None:
    """A text that was accepted is accepted again and doesn't change: it is within its length."""
    texts: TypeAdapter[str] = TypeAdapter(OwnText)
    try:
        kept = texts.validate_python(text)
    except ValidationError:
        return
    assert texts.validate_python(kept) == kept
    assert fold(kept) == fold(text)
    assert 1 <= len(kept) <= 500
