"""Nicknames: which are the same for people's eyes, and which one a taken one becomes.

The same are those that are equal but for case, Unicode's forms, white space, what nobody sees, and
letters whose shapes are those of Latin ones, such as most Cyrillic vowels. A Greek letter counts as
its capital looks: the small nu is an n. Accents make another name, and so do I and l.
"""

import re
from dataclasses import dataclass
from typing import Final
from unicodedata import normalize

from bedplate import ids
from live.models.participants import MAX_NICKNAME_LENGTH
from live.text import fold

# What looks like a Latin letter after case folding (Unicode TR 39, confusables.txt).
_CYRILLIC: Final = ("авекмнорстухіјѕԁԛԝһӏҽ", "abekmhopctyxijsdqwhle")
_GREEK: Final = ("αβεζηικμνορτυχϲϳ", "abezhikmnoptyxcj")
_ARMENIAN: Final = ("օոսհցզ", "onuhgq")
_SMALL_CAPITALS: Final = ("ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘʀꜱᴛᴜᴠᴡʏᴢɑɡı", "abcdefghijklmnoprstuvwyzagi")
_CHEROKEE: Final = ("ᎪᏴᏟᎠᎬᏀᎻᎫᏦᏞᎷᏢᎡᏚᎢᏙᎳᏃ", "abcdeghjklmprstvwz")
_LISU: Final = ("ꓮꓐꓚꓓꓰꓝꓖꓧꓲꓙꓗꓡꓟꓠꓳꓑꓣꓢꓔꓴꓦꓪꓫꓬꓜ", "abcdefghijklmnoprstuvwxyz")
_DIGITS: Final = ("01|", "oll")
_LETTERS: Final = (_CYRILLIC, _GREEK, _ARMENIAN, _SMALL_CAPITALS, _CHEROKEE, _LISU)
_LATIN: Final = str.maketrans(*("".join(alphabet) for alphabet in zip(*_LETTERS, strict=True)))
_LOOKALIKES: Final = _LATIN | str.maketrans(*_DIGITS)

# A trailing number stays a number: "Anna 10" doesn't look like "Anna lo".
_NUMBER: Final = re.compile("(?<![0-9]) ?([0-9]{1,9})$")
_MAX_STEM_LENGTH: Final = MAX_NICKNAME_LENGTH - len(" 9999999")
_ADJECTIVES: Final = (
    "Brave", "Bright", "Calm", "Clever", "Curious", "Eager", "Fair", "Gentle", "Happy", "Honest",
    "Jolly", "Kind", "Lively", "Lucky", "Merry", "Noble", "Patient", "Polite", "Proud", "Quick",
    "Quiet", "Sharp", "Smart", "Steady", "Sunny", "Swift", "Tidy", "Warm", "Wise", "Witty",
)  # fmt: skip
_ANIMALS: Final = (
    "Badger", "Bear", "Beaver", "Bison", "Cat", "Crane", "Deer", "Dolphin", "Eagle", "Falcon",
    "Fox", "Hare", "Hedgehog", "Heron", "Horse", "Koala", "Lion", "Lynx", "Mole", "Otter", "Owl",
    "Panda", "Raven", "Robin", "Seal", "Squirrel", "Swan", "Tiger", "Whale", "Wolf",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Nickname:
    """A name. `folded` is what makes it equal to others; `base` is that of its `stem`.

    The stem is what its variants begin with: the name without a number, and not too long for one.
    """

    shown: str
    folded: str
    base: str
    stem: str

    @classmethod
    def of(cls, shown: str) -> "Nickname":
        """Return a nickname that somebody typed."""
        stem, _ = _without_number(shown)
        _, number = _without_number(fold(shown))
        if number and stem == shown:  # a number in another form, such as ²
            stem, _ = _without_number(normalize("NFKC", shown))
        stem = stem[:_MAX_STEM_LENGTH].rstrip()
        return cls(shown, _folded(shown), _looks(fold(stem)), stem)

    def numbered(self, number: int) -> "Nickname":
        """Return the variant with this number, of at most seven digits."""
        return Nickname.of(f"{self.stem} {number}")


def _without_number(text: str) -> tuple[str, str]:
    """Return a text's beginning and the number at its end, which is empty where there is none."""
    found = _NUMBER.search(text)
    stem = text[: found.start()].rstrip() if found else text
    return (stem, found[1]) if found and stem else (text, "")


def _folded(shown: str) -> str:
    stem, number = _without_number(fold(shown))
    return f"{_looks(stem)} {number}" if number else _looks(stem)


def _looks(folded: str) -> str:
    return folded.translate(_LOOKALIKES)


def in_latin(text: str) -> str:
    """Return a text folded, with Latin letters in place of those that look like them."""
    return fold(text).translate(_LATIN)


def generated() -> Nickname:
    """Return a friendly name by chance."""
    number = int(ids.token(8), 16)
    number, animal = divmod(number, len(_ANIMALS))
    return Nickname.of(f"{_ADJECTIVES[number % len(_ADJECTIVES)]} {_ANIMALS[animal]}")
