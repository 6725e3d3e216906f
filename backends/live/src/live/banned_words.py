"""Words that a host bans from nicknames and from participants' own words.

A banned word is found as a whole word: who bans "ass" lets Cassandra in. A `*` before or after it
stands for further letters, so `*ass*` is found anywhere. Spelling doesn't hide a word: neither
letters of other scripts nor digits and signs in place of letters (a55, @ss), nor dots or spaces
between letters (a.s.s). Chinese, Japanese, Thai and their like put no spaces between words, so
theirs are found anywhere, and so are emoji.
"""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import groupby
from typing import Final
from unicodedata import category

from live.nicknames import in_latin
from live.text import fold

# In this form i and l are one, since 1, ! and | stand for both.
_SIGNS: Final = str.maketrans("0134578@$!|i", "oleastbaslll")
# Thai to Myanmar, Khmer, kana and Chinese characters.
_UNSPACED: Final = ((0x0E00, 0x109F), (0x1780, 0x17FF), (0x3040, 0x30FF), (0x3400, 0x9FFF),
                    (0x20000, 0x3FFFF))  # fmt: skip
_EDGE: Final = " "
_BETWEEN: Final = "\n"


class BannedWords:
    """Finds banned words in texts."""

    def __init__(self, words: Iterable[str]) -> None:
        self._shapes: list[str] = []
        self._words: list[tuple[str, str]] = []
        for word in words:
            plain = in_latin(word)
            if _pieces(plain):
                disguised = plain.translate(_SIGNS) if _has_letters(plain) else plain
                self._words.append((_pattern(plain), _pattern(disguised)))
            elif shape := fold(word):
                self._shapes.append(shape)

    def found_in(self, text: str) -> bool:
        """Return whether a text holds one of the words."""
        folded, plain = fold(text), in_latin(text)
        spelled = _BETWEEN.join(_readings(plain))
        with_signs = _BETWEEN.join(_readings(plain.translate(_SIGNS)))
        return any(shape in folded for shape in self._shapes) or any(
            word in spelled or disguised in with_signs for word, disguised in self._words
        )


@lru_cache(maxsize=64)
def banned_words(words: tuple[str, ...]) -> BannedWords:
    """Return what finds these words; a session asks for the same ones again and again."""
    return BannedWords(words)


def _pattern(plain: str) -> str:
    """Return a banned word as it stands among the words of a reading."""
    before, after = plain.startswith("*"), plain.endswith("*")
    anywhere = any(first <= ord(char) <= last for char in plain for first, last in _UNSPACED)
    left = "" if before or anywhere else _EDGE
    right = "" if after or anywhere else _EDGE
    return f"{left}{' '.join(_pieces(plain))}{right}"


def _readings(plain: str) -> Iterator[str]:
    """Yield the words of a text: as they are, without digits, and with lone letters together."""
    pieces = _pieces(plain)
    yield _line(pieces)
    yield _line(_pieces(plain, digits=False))
    yield _line("".join(run) if lone else " ".join(run) for lone, run in groupby(pieces, _is_lone))


def _line(pieces: Iterable[str]) -> str:
    return f"{_EDGE}{_EDGE.join(pieces)}{_EDGE}"


def _has_letters(plain: str) -> bool:
    return bool(_pieces(plain, digits=False))


def _is_lone(piece: str) -> bool:
    return len(piece) == 1


def _pieces(plain: str, *, digits: bool = True) -> list[str]:
    """Return the words of a text: runs of letters and marks, and of digits too."""
    wanted = "LMN" if digits else "LM"
    runs = groupby(plain, lambda char: category(char)[0] in wanted)
    return ["".join(run) for of_word, run in runs if of_word]
