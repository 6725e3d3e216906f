"""Participants' own texts: how they are displayed, and which of them are the same.

Two texts are the same when Unicode's NFKC_Casefold makes them equal (The Unicode Standard, section
3.13), but for the white space around and between words. No script and no accent is taken away.
"""

import hashlib
import re
from typing import Annotated, Final
from unicodedata import normalize

from pydantic import AfterValidator

from bedplate.schemas import SingleLineStr

MAX_WORD_LENGTH: Final = 50
MAX_TEXT_LENGTH: Final = 500
KEY_LENGTH: Final = 32

# The blank pattern of Braille is a space to the eye.
_SPACES: Final = re.compile("[\\s\\u2800]+")
_CONTROLS: Final = "\\x00-\\x08\\x0e-\\x1b\\x7f-\\x84\\x86-\\x9f"
# Characters with the property Default_Ignorable_Code_Point: joiners, fillers, variation selectors,
# marks of direction, tags. Tags have a meaning in flags alone, such as that of Scotland.
_IGNORABLE: Final = (
    "\\u00ad\\u034f\\u061c\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f\\u200b-\\u200f\\u202a-\\u202e"
    "\\u2060-\\u206f\\u3164\\ufe00-\\ufe0f\\ufeff\\uffa0\\ufff0-\\ufffb"
    "\\U0001bca0-\\U0001bca3\\U0001d173-\\U0001d17a\\U000e0000-\\U000e0fff"
)
_FLAG: Final = "\\U0001f3f4[\\U000e0030-\\U000e0039\\U000e0061-\\U000e007a]+\\U000e007f"
_UNSEEN: Final = re.compile(f"({_FLAG})|[{_CONTROLS}{_IGNORABLE}]")
# Embeddings, overrides and isolates turn what stands around a text; annotations hide a part of it.
_UNDISPLAYED: Final = re.compile(f"[{_CONTROLS}\\u202a-\\u202e\\u2066-\\u206f\\ufff9-\\ufffb]")


def fold(text: str) -> str:
    """Return what is equal for equal texts, without white space at its ends.

    It is empty for a text that shows nothing, and up to 18 times as long as the text.
    """
    visible = _UNSEEN.sub(r"\1", normalize("NFD", text))
    folded = normalize("NFKC", normalize("NFKC", visible.casefold()).casefold())
    return _SPACES.sub(" ", folded).strip(" ")


def key_of(text: str) -> str:
    """Return 32 hexadecimal digits that are the same for equal texts: 128 bits of SHA-256."""
    return hashlib.sha256(fold(text).encode()).hexdigest()[:KEY_LENGTH]


def displayed(text: str) -> str:
    """Return a text as all see it: on one line, without what would turn the text around it.

    Raises `ValueError` for a text that shows nothing.
    """
    if not fold(text):
        raise ValueError("Text should have at least one visible character")
    return _SPACES.sub(" ", _UNDISPLAYED.sub("", text))


Word = Annotated[str, SingleLineStr(MAX_WORD_LENGTH), AfterValidator(displayed)]
"""A participant's word: 1 to 50 characters on one line."""

OwnText = Annotated[str, SingleLineStr(MAX_TEXT_LENGTH), AfterValidator(displayed)]
"""A participant's text: 1 to 500 characters on one line."""
