"""Writes a sketch as a LilyPond source: a staff of voices with their words, a staff of drums."""

from collections.abc import Iterator

from fountain.story_factory.orchestration.keys import LETTERS, STEPS, Key
from fountain.story_factory.orchestration.sketch import (
    Movement,
    Note,
    Passage,
    Play,
    Sketch,
    sketch,
)
from fountain.story_factory.orchestration.voices import Voice

_HEAD = '\\version "2.24.0"\n'
_SCORE = """\
\\score {
  <<
    \\new Staff \\new Voice = "melody" \\melody
    \\new Lyrics \\lyricsto "melody" \\sungText
    \\new DrumStaff \\percussion
  >>
  \\layout { }
}
"""
# Lengths in eighths and their notation, the longest first.
_NOTATION = {8: "1", 6: "2.", 4: "2", 3: "4.", 2: "4", 1: "8"}
_MIDDLE_OCTAVE = 4


def lilypond_file(play: Play) -> bytes:
    """Return a play set to music, as a LilyPond source (.ly) in UTF-8."""
    music = sketch(play)
    header = [
        f"title = {quoted(music.title)}",
        f"composer = {quoted(music.author)}",
        "tagline = ##f",
    ]
    blocks = (
        ("\\header {", header),
        ("melody = {", _voices(music)),
        ("sungText = \\lyricmode {", _words(music)),
        ("percussion = \\drummode {", _drums(music)),
    )
    parts = [_HEAD]
    for opening, lines in blocks:
        parts += [f"{opening}\n", *(f"  {line}\n" for line in lines), "}\n"]
    return "".join([*parts, _SCORE]).encode()


def quoted(text: str) -> str:
    """Return a text as a LilyPond string, in which only these two characters are special."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _voices(music: Sketch) -> Iterator[str]:
    voice: Voice | None = None
    for passage in music.passages:
        if passage.opens:
            yield _opening(passage.movement)
        if passage.notes and passage.voice != voice:
            voice = passage.voice
            yield f"\\clef {voice.clef} \\set Staff.midiInstrument = {quoted(voice.name)}"
        notes = [_note(passage.movement.key, note) for note in passage.notes]
        notes += _rests(passage, sum(note.length for note in passage.notes))
        if passage.speaker:
            notes[0] += f"^\\markup \\bold {quoted(passage.speaker)}"
        yield f"{' '.join(notes)} |"


def _opening(movement: Movement) -> str:
    key = movement.key
    mode = "minor" if key.minor else "major"
    mark = f"\\mark \\markup \\small {quoted(movement.heading)} " if movement.heading else ""
    return (
        f"{mark}\\key {_letter(key, key.tonic)} \\{mode} {_time(movement)} "
        f"\\tempo 4 = {movement.tempo}"
    )


def _time(movement: Movement) -> str:
    return f"\\time {movement.bar // 2}/4"


def _note(key: Key, note: Note) -> str:
    octave = note.step // STEPS - _MIDDLE_OCTAVE
    marks = "'" * octave if octave > 0 else "," * -octave
    return f"{_letter(key, note.step)}{marks}{_NOTATION[note.length]}"


def _letter(key: Key, step: int) -> str:
    return LETTERS[step % STEPS] + ("", "is", "es")[key.alteration(step)]


def _rests(passage: Passage, start: int) -> list[str]:
    """Return the rests from an eighth of the passage to its end; none crosses a bar."""
    rests = []
    while start < passage.length:
        left = passage.movement.bar - start % passage.movement.bar
        length = next(length for length in _NOTATION if length <= left)
        rests.append(f"r{_NOTATION[length]}")
        start += length
    return rests


def _words(music: Sketch) -> Iterator[str]:
    for passage in music.passages:
        if passage.notes:
            words = (f"{quoted(n.syllable)}{' --' if n.joined else ''}" for n in passage.notes)
            yield " ".join(words)


def _drums(music: Sketch) -> Iterator[str]:
    for passage in music.passages:
        time = f"{_time(passage.movement)} " if passage.opens else ""
        bar = range(passage.movement.bar if passage.strokes else 0)
        beats = [f"{passage.drum.name if at in passage.strokes else 'r'}8" for at in bar]
        beats += _rests(passage, len(bar))
        if passage.caption:
            beats[0] += f"_\\markup \\italic {quoted(passage.caption)}"
        yield f"{time}{' '.join(beats)} |"
