"""Makes texts of a play fit for files: on one line, visible, and not too long.

A play may contain anything. Each format then quotes the rest in its own way.
"""

import hashlib
import re
from collections.abc import Iterator

_MAX_WORD_LENGTH = 40
_WORD = re.compile(r"\S+")
_VOWELS = "aeiouyäöüàáâãåæèéêëìíîïòóôõøœùúûýÿ"
# Consonants, vowels, then one more consonant if another follows, or all at the end of the word.
_SYLLABLE = re.compile(
    rf"[^{_VOWELS}]*[{_VOWELS}]+(?:[^{_VOWELS}]+$|[^{_VOWELS}](?=[^{_VOWELS}]))?|[^{_VOWELS}]+$",
    re.IGNORECASE,
)


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
