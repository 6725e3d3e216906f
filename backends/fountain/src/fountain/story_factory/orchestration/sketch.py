"""The musical sketch of a play, which each file writes in its own notation.

Time is counted in eighth notes. Every passage fills whole bars, so none of its notes crosses one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from math import ceil

from fountain.story_factory.orchestration import texts
from fountain.story_factory.orchestration.keys import KEYS, STEPS, Key
from fountain.story_factory.orchestration.voices import Drum, Voice, drum_of, voice_of

MAX_PASSAGES = 10_000
"""Lines of a play that are set to music; further lines are silent."""
MAX_NOTES = 24
"""Syllables of a line that are sung."""
_REGISTER = 10
_LEAPS = (-2, -1, -1, 0, 1, 1, 2, 3)
_PAUSES = ",.;:!?…"


@dataclass(frozen=True, slots=True)
class Line:
    """One element of a story; an empty text means that there is none.

    section  id of its section, None where the section before continues
    heading  heading of that section
    """

    section: int | None = None
    heading: str = ""
    speaker: str = ""
    action: str = ""
    words: str = ""


@dataclass(frozen=True)
class Play:
    """A story with its title and author."""

    title: str
    author: str
    lines: Sequence[Line]


@dataclass(frozen=True, slots=True)
class Movement:
    """The music of a section.

    bar    length of a bar in eighths
    tempo  quarter notes a minute
    """

    heading: str
    key: Key
    bar: int
    tempo: int

    @property
    def seconds(self) -> float:
        """The length of an eighth in seconds."""
        return 30 / self.tempo


@dataclass(frozen=True, slots=True)
class Note:
    """A sung syllable; `joined` if its word continues in the next note."""

    step: int
    length: int
    syllable: str
    joined: bool


@dataclass(frozen=True, slots=True)
class Passage:
    """One line of the play: notes at its start, silence up to its length, strokes of a drum.

    opens  whether its movement begins here
    """

    movement: Movement
    opens: bool
    speaker: str
    voice: Voice
    notes: tuple[Note, ...]
    caption: str
    drum: Drum
    strokes: tuple[int, ...]
    length: int
    loud: bool


@dataclass(frozen=True)
class Sketch:
    """A play set to music, with at least one passage."""

    title: str
    author: str
    passages: Sequence[Passage]


def sketch(play: Play) -> Sketch:
    """Return a play set to music, always the same for the same play."""
    passages: list[Passage] = []
    section: int | None = None
    movement = movement_of(play.title, "")
    for line in play.lines[:MAX_PASSAGES]:
        opens = line.section not in {None, section}
        if opens:
            section = line.section
            movement = movement_of(line.heading, _one_line(line.heading))
        passages.append(_passage(line, movement, opens=opens or not passages))
    silence = _passage(Line(), movement, opens=True)
    return Sketch(_one_line(play.title), _one_line(play.author), passages or [silence])


def movement_of(text: str, heading: str) -> Movement:
    """Return the movement that follows from a text."""
    chance = texts.digest(text)
    return Movement(
        heading=heading,
        key=KEYS[chance[0] % len(KEYS)],
        bar=(8, 6)[chance[1] % 2],
        tempo=60 + 4 * (chance[2] % 16),
    )


def _passage(line: Line, movement: Movement, *, opens: bool) -> Passage:
    voice = voice_of(line.speaker)
    words = texts.plain(line.words)
    notes = _phrase(words, movement, voice)
    bars = max(1, ceil(sum(note.length for note in notes) / movement.bar))
    return Passage(
        movement=movement,
        opens=opens,
        speaker=texts.line(texts.plain(line.speaker), 40),
        voice=voice,
        notes=notes,
        caption=_one_line(line.action),
        drum=drum_of(line.action),
        strokes=_strokes(line.action, movement),
        length=bars * movement.bar,
        loud="!" in words,
    )


def _one_line(text: str) -> str:
    return texts.line(texts.plain(text))


def _phrase(words: str, movement: Movement, voice: Voice) -> tuple[Note, ...]:
    """Return a note for each syllable: a walk up and down the scale that ends on the tonic.

    A question ends on the fifth.
    """
    syllables = list(islice(texts.syllables(words), MAX_NOTES))
    chance = texts.digest(words)
    home = voice.lowest + (movement.key.tonic - voice.lowest) % STEPS
    last = home + 4 if words.rstrip().endswith("?") else home
    notes: list[Note] = []
    step, start = home, 0
    for number, (syllable, joined) in enumerate(syllables):
        # A quarter before a pause, else an eighth; no more than is left of the bar.
        pauses = not joined and syllable[-1] in _PAUSES
        length = min(2, movement.bar - start % movement.bar) if pauses else 1
        ends = number == len(syllables) - 1
        notes.append(Note(last if ends else step, length, syllable, joined and not ends))
        step = _within(step + _LEAPS[chance[number] % len(_LEAPS)], voice)
        start += length
    return tuple(notes)


def _within(step: int, voice: Voice) -> int:
    """Return a step, mirrored at the nearer end of the register if it is outside."""
    highest = voice.lowest + _REGISTER
    if step < voice.lowest:
        return 2 * voice.lowest - step
    return 2 * highest - step if step > highest else step


def _strokes(action: str, movement: Movement) -> tuple[int, ...]:
    """Return the eighths of the first bar with a stroke: the first, and others by chance."""
    if not action.strip():
        return ()
    chance = texts.digest(action)[1]
    return (0, *(eighth for eighth in range(1, movement.bar) if chance >> eighth & 1))
