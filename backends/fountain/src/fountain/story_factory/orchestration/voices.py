"""The voices of characters, and the drums of actions."""

from dataclasses import dataclass
from typing import Literal

from fountain.story_factory.orchestration.texts import digest

Clef = Literal["treble", "alto", "bass"]


@dataclass(frozen=True, slots=True)
class Voice:
    """An instrument and its register.

    program  number in General MIDI, from 0
    timbre   instrument of the Csound orchestra
    lowest   first step of its register, which is a tenth
    """

    name: str
    program: int
    timbre: int
    clef: Clef
    lowest: int


@dataclass(frozen=True, slots=True)
class Drum:
    """A percussion sound: its note in General MIDI, its name in LilyPond, its pitch in hertz."""

    note: int
    name: str
    hertz: int


PLUCKED, BOWED, BLOWN, BRASS, STRUCK = 1, 2, 3, 4, 9

NARRATOR = Voice("orchestral harp", 46, PLUCKED, "treble", 35)
VOICES = (
    Voice("flute", 73, BLOWN, "treble", 40),
    Voice("oboe", 68, BLOWN, "treble", 38),
    Voice("clarinet", 71, BLOWN, "treble", 34),
    Voice("bassoon", 70, BLOWN, "bass", 24),
    Voice("trumpet", 56, BRASS, "treble", 36),
    Voice("french horn", 60, BRASS, "bass", 28),
    Voice("trombone", 57, BRASS, "bass", 25),
    Voice("violin", 40, BOWED, "treble", 37),
    Voice("viola", 41, BOWED, "alto", 31),
    Voice("cello", 42, BOWED, "bass", 24),
    Voice("acoustic guitar (nylon)", 24, PLUCKED, "treble", 33),
    Voice("harpsichord", 6, PLUCKED, "treble", 35),
)
DRUMS = (
    Drum(36, "bd", 60),
    Drum(38, "sn", 200),
    Drum(54, "tamb", 2000),
    Drum(76, "wbh", 800),
    Drum(81, "tri", 4000),
)


def voice_of(character: str) -> Voice:
    """Return the voice that a name always has; no name is the narrator's."""
    return VOICES[digest(character)[0] % len(VOICES)] if character else NARRATOR


def drum_of(action: str) -> Drum:
    """Return the drum that an action always has."""
    return DRUMS[digest(action)[0] % len(DRUMS)]
