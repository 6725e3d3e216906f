"""Texts of a play, made fit for files: on one line, visible, and not too long.

Whoever writes a play may write anything. Each format then quotes what is left in its own way.
"""

import hashlib
import re
from collections.abc import Iterator

_MAX_WORD_LENGTH = 40
_WORD = re.compile(r"\S+")
_VOWELS = "aeiouyäöüàáâãåæèéêëìíîïòóôõøœùúûýÿ"
# Consonants, vowels, then one consonant more when another follows, or all to the end of the word.
_SYLLABLE = re.compile(
    rf"[^{_VOWELS}]*[{_VOWELS}]+(?:[^{_VOWELS}]+$|[^{_VOWELS}](?=[^{_VOWELS}]))?|[^{_VOWELS}]+$",
    re.IGNORECASE,
)


def line(text: str, longest: int = 80) -> str:
    """Return a text as one line of visible characters, cut with an ellipsis when it is longer."""
    # The rest of a text of megabytes can't become part of the line.
    begun = text[: longest * 8]
    words = "".join(one if one.isprintable() else " " for one in begun).split()
    found = " ".join(words)
    if len(found) <= longest and len(begun) == len(text):
        return found
    return found[: longest - 1].rstrip() + "…"


def syllables(text: str) -> Iterator[tuple[str, bool]]:
    """Yield each syllable, and whether its word goes on after it, as far as you ask.

    Together the syllables of a word are the word, up to its 40th character. Where they part is a
    guess that does for music: after vowels.
    """
    for found in _WORD.finditer(text):
        word = line(found[0], _MAX_WORD_LENGTH)
        parts = _SYLLABLE.findall(word) or [word]
        for number, part in enumerate(parts, start=1):
            if part:
                yield part, number < len(parts)


def digest(text: str) -> bytes:
    """Return 64 bytes that are the same for the same text, always and everywhere."""
    return hashlib.blake2b(text.encode(errors="replace")).digest()
