"""The sketch as a LilyPond source: one staff for all voices with their words, one for the drums."""

from collections.abc import Iterator

from fountain.story_factory.orchestration.keys import LETTERS, STEPS, Key
from fountain.story_factory.orchestration.play import Play
from fountain.story_factory.orchestration.sketch import Movement, Note, Passage, Sketch, sketch
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
# Eighths, and how they are written; the longest first.
_LENGTHS = ((8, "1"), (6, "2."), (4, "2"), (3, "4."), (2, "4"), (1, "8"))
_WRITTEN = dict(_LENGTHS)
_MIDDLE_OCTAVE = 4


def lilypond_file(play: Play) -> bytes:
    """Return a play set to music, as a LilyPond source (.ly) in UTF-8."""
    music = sketch(play)
    parts = [
        _HEAD,
        *_block("\\header {", _header(music)),
        *_block("melody = {", _voices(music)),
        *_block("sungText = \\lyricmode {", _words(music)),
        *_block("percussion = \\drummode {", _drums(music)),
        _SCORE,
    ]
    return "".join(parts).encode()


def quoted(text: str) -> str:
    """Return a text as a LilyPond string; within one, only these two characters mean anything."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _block(opening: str, lines: Iterator[str]) -> Iterator[str]:
    yield f"{opening}\n"
    yield from (f"  {line}\n" for line in lines)
    yield "}\n"


def _header(music: Sketch) -> Iterator[str]:
    yield f"title = {quoted(music.title)}"
    yield f"composer = {quoted(music.author)}"
    yield "tagline = ##f"


def _voices(music: Sketch) -> Iterator[str]:
    voice: Voice | None = None
    for passage in music.passages:
        if passage.opens:
            yield _beginning(passage.movement)
        if passage.notes and passage.voice != voice:
            voice = passage.voice
            yield f"\\clef {voice.clef} \\set Staff.midiInstrument = {quoted(voice.name)}"
        yield _melody(passage)


def _beginning(movement: Movement) -> str:
    key = movement.key
    mode = "minor" if key.minor else "major"
    mark = f"\\mark \\markup \\small {quoted(movement.heading)} " if movement.heading else ""
    return (
        f"{mark}\\key {_letter(key, key.tonic)} \\{mode} {_time(movement)} "
        f"\\tempo 4 = {movement.tempo}"
    )


def _time(movement: Movement) -> str:
    return f"\\time {movement.bar // 2}/4"


def _melody(passage: Passage) -> str:
    sung = sum(note.length for note in passage.notes)
    written = [_note(passage.movement.key, note) for note in passage.notes]
    written += _rests(passage, sung)
    if passage.speaker:
        written[0] += f"^\\markup \\bold {quoted(passage.speaker)}"
    return f"{' '.join(written)} |"


def _note(key: Key, note: Note) -> str:
    octave = note.step // STEPS - _MIDDLE_OCTAVE
    marks = "'" * octave if octave > 0 else "," * -octave
    return f"{_letter(key, note.step)}{marks}{_WRITTEN[note.length]}"


def _letter(key: Key, step: int) -> str:
    return LETTERS[step % STEPS] + ("", "is", "es")[key.alteration(step)]


def _rests(passage: Passage, start: int) -> list[str]:
    """Return the rests from an eighth of the passage to its end; none crosses a bar."""
    rests = []
    while start < passage.length:
        left = passage.movement.bar - start % passage.movement.bar
        length, written = next(one for one in _LENGTHS if one[0] <= left)
        rests.append(f"r{written}")
        start += length
    return rests


def _words(music: Sketch) -> Iterator[str]:
    for passage in music.passages:
        sung = [f"{quoted(one.syllable)}{' --' if one.joined else ''}" for one in passage.notes]
        if sung:
            yield " ".join(sung)


def _drums(music: Sketch) -> Iterator[str]:
    for passage in music.passages:
        begins = f"{_time(passage.movement)} " if passage.opens else ""
        written = _struck(passage)
        if passage.caption:
            written[0] += f"_\\markup \\italic {quoted(passage.caption)}"
        yield f"{begins}{' '.join(written)} |"


def _struck(passage: Passage) -> list[str]:
    if not passage.strokes:
        return _rests(passage, 0)
    bar = passage.movement.bar
    struck = [f"{passage.drum.name if one in passage.strokes else 'r'}8" for one in range(bar)]
    return [*struck, *_rests(passage, bar)]
