"""Makes texts of a play fit for files: on one line, visible, and not too long.

A play may contain anything. Each format then quotes the rest in its own way.
"""

import hashlib
import re
from collections.abc import Iterator

_MAX_WORD_LENGTH = 40
_MAX_PLAIN_LENGTH = 1000
_MAX_EMPHASIZED = 200
_NESTED_MARKS = 3
_NOTE = re.compile(r"\[\[[^\]]*\]\]")
_EMPHASIS = re.compile(rf"(?<!\\)(\*{{1,3}}|_)(?!\s)([^\n]{{1,{_MAX_EMPHASIZED}}}?)(?<![\s\\])\1")
_ESCAPED = re.compile(r"\\([*_])")
_WORD = re.compile(r"\S+")
_VOWELS = "aeiouyäöüàáâãåæèéêëìíîïòóôõøœùúûýÿ"
# Consonants, vowels, then one more consonant if another follows, or all at the end of the word.
_SYLLABLE = re.compile(
    rf"[^{_VOWELS}]*[{_VOWELS}]+(?:[^{_VOWELS}]+$|[^{_VOWELS}](?=[^{_VOWELS}]))?|[^{_VOWELS}]+$",
    re.IGNORECASE,
)


def plain(text: str) -> str:
    """Return the start of a text, for readers: no marks of emphasis, no notes to the writer.

    The marks are `*italics*`, `**bold**` and `_underlined_`; a backslash makes one a character.
    """
    plain = _NOTE.sub("", text[:_MAX_PLAIN_LENGTH])
    for _ in range(_NESTED_MARKS):
        plain = _EMPHASIS.sub(r"\2", plain)
    return _ESCAPED.sub(r"\1", plain)


def line(text: str, max_length: int = 80) -> str:
    """Return a text as one line of visible characters, cut with an ellipsis when it is longer."""
    # The rest of a text of megabytes can't become part of the line.
    start = text[: max_length * 8]
    words = "".join(char if char.isprintable() else " " for char in start).split()
    line = " ".join(words)
    if len(line) <= max_length and len(start) == len(text):
        return line
    return line[: max_length - 1].rstrip() + "…"


def syllables(text: str) -> Iterator[tuple[str, bool]]:
    """Yield each syllable, and whether its word continues.

    The syllables of a word together are the word, up to its 40th character. They end after vowels,
    a guess that is good enough for music.
    """
    for match in _WORD.finditer(text):
        word = line(match[0], _MAX_WORD_LENGTH)
        parts = _SYLLABLE.findall(word) or [word]
        for number, part in enumerate(parts, start=1):
            if part:
                yield part, number < len(parts)


def digest(text: str) -> bytes:
    """Return 64 bytes that depend on the text only."""
    return hashlib.blake2b(text.encode(errors="replace")).digest()
