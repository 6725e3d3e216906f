# ruff: noqa: RUF001 - letters of other scripts that look like Latin ones are the point
"""Banned words are found however they are spelled, and not in innocent ones."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from live.banned_words import BannedWords

WORDS = BannedWords(
    ["ass", "*fuck*", "schei*", "*bag", "バカ", "🖕", "88", "white power", "Straße"]
)


@pytest.mark.parametrize(
    "text",
    [
        "ass", "ASS!", "dumb ass", "xx_ass_xx", "ass123", "a55", "@ss", "a.s.s", "a s s",
        "i am a s s", "аss", "ａｓｓ", "a\u200bss", "motherfucker", "F U C K", "fück fuck",
        "Scheiße", "scumbag", "バカ野郎", "hi🖕", "88", "class of 88", "White  POWER!", "STRASSE",
    ],
)  # fmt: skip
def test_banned_words_are_found(text: str) -> None:
    """Other letters, digits, signs, dots and spaces between letters don't hide a word."""
    assert WORDS.found_in(text)


@pytest.mark.parametrize(
    "text",
    [
        "Cassandra", "Scunthorpe", "pass", "Assam", "grass 5", "1988", "188", "baggage",
        "whitepower", "white and power", "Masse", "Anna", "日本", "🎉", "", "...", "Strassen",
    ],
)  # fmt: skip
def test_innocent_words_are_not(text: str) -> None:
    """A banned word within another one is none, unless its host says so by a *."""
    assert not WORDS.found_in(text)


@given(text=st.text(max_size=60), words=st.lists(st.text(min_size=1, max_size=10), max_size=5))
def test_whatever_is_banned_finds_itself(text: str, words: list[str]) -> None:
    """Any text can be looked into for any words; a word that shows something is found in itself."""
    banned = BannedWords(words)
    banned.found_in(text)
    for word in words:
        if any(char.isalpha() for char in word) and "*" not in word:
            assert banned.found_in(word), word


def test_a_long_list_costs_little() -> None:
    """500 words and a text of 500 characters take a few milliseconds."""
    banned = BannedWords([f"word{number}" for number in range(500)])
    began = time.process_time()
    for _ in range(20):
        banned.found_in("some text " * 50)
    assert time.process_time() - began < 1.0
