"""Keys, and the steps of their scales.

A step counts the white keys of a piano from MIDI note 0 (C): 7 an octave, so middle C is 35.
"""

from dataclasses import dataclass

LETTERS = "cdefgab"
STEPS = len(LETTERS)
_SEMITONES = (0, 2, 4, 5, 7, 9, 11)
_SHARPS = "fcgdaeb"
_FLATS = _SHARPS[::-1]
_MAJOR_TONICS = "cgdaebf"


@dataclass(frozen=True, slots=True)
class Key:
    """A key, major or natural minor: its number of sharps, or of flats below zero (-6 to 6)."""

    fifths: int
    minor: bool

    def alteration(self, step: int) -> int:
        """Return the semitones by which the key alters a step: -1, 0 or 1."""
        letter = LETTERS[step % STEPS]
        if self.fifths > 0:
            return int(letter in _SHARPS[: self.fifths])
        return -int(letter in _FLATS[: -self.fifths])

    def pitch(self, step: int) -> int:
        """Return a step's MIDI note number."""
        octave, degree = divmod(step, STEPS)
        return 12 * octave + _SEMITONES[degree] + self.alteration(step)

    @property
    def tonic(self) -> int:
        """The step of the scale's first note, below 7."""
        major = LETTERS.index(_MAJOR_TONICS[self.fifths])
        return (major - 2) % STEPS if self.minor else major


KEYS = tuple(Key(fifths, minor) for fifths in range(-4, 5) for minor in (False, True))
"""The keys of movements: up to four sharps or flats."""
