"""The LilyPond source: texts only in strings, as many syllables as notes, bars that add up."""

import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fountain.story_factory.orchestration import Line, Play, lilypond_file
from fountain.story_factory.orchestration.lilypond import quoted
from fountain.story_factory.orchestration.sketch import sketch

STRING = re.compile(r'"((?:[^"\\]|\\["\\])*)"')
OURS = re.compile(
    r"\\(?:version|header|lyricmode|drummode|score|new|lyricsto|layout|key|major|minor|time|tempo"
    r"|mark|markup|small|bold|italic|clef|set|melody|sungText|percussion)"
    r"|(?:[a-g](?:is|es)?[',]*(?:1|2\.?|4\.?|8)|r(?:1|2\.?|4\.?|8)|(?:bd|sn|tamb|wbh|tri)8)"
    r"(?:[_^]\\markup)?"
    r"|title|composer|tagline|melody|sungText|percussion|Staff|Voice|Lyrics|DrumStaff"
    r"|Staff\.midiInstrument|treble|alto|bass|[a-g](?:is|es)?|[34]/4|\d{1,3}"
    r'|[=|{}]|--|<<|>>|##f|""'
)
FRAGMENTS = [
    '"',
    "\\",
    "\\\\",
    "#(",
    ")",
    "{",
    "}",
    "%",
    "%{",
    "\n",
    "--",
    "_",
    "~",
    "\\score",
    "''",
]
HOSTILE = st.text() | st.lists(st.sampled_from(FRAGMENTS) | st.text(max_size=3)).map("".join)


def skeleton(content: bytes) -> str:
    """Return the source with every string empty."""
    return STRING.sub('""', content.decode())


def block(content: bytes, name: str) -> Iterator[str]:
    """Yield the lines of one of the source's variables."""
    lines = content.decode().splitlines()
    start = next(n for n, line in enumerate(lines) if line.startswith(f"{name} = "))
    yield from lines[start + 1 : lines.index("}", start)]


@given(HOSTILE)
def test_a_quoted_text(text: str) -> None:
    """A string has the text between its quotes, as LilyPond reads it, and ends where it should."""
    match = STRING.fullmatch(quoted(text))
    assert match is not None
    assert re.sub(r"\\(.)", r"\1", match[1], flags=re.DOTALL) == text


@given(st.builds(Line, st.none() | st.integers(1, 2), HOSTILE, HOSTILE, HOSTILE, HOSTILE), HOSTILE)
def test_hostile_texts(line: Line, title: str) -> None:
    """Whatever a play says, outside of strings there is nothing but our own words."""
    for word in skeleton(lilypond_file(Play(title, title, [line, line]))).split():
        assert OURS.fullmatch(word), word


def test_no_mark_is_printed(marked_play: Play) -> None:
    """Marks of emphasis and notes to the writer are in no title, heading, name or syllable."""
    printed = STRING.findall(lilypond_file(marked_play).decode())
    assert {"BRICK & STEEL", "A writer", "Act 1", "Juliet", "She comes.", "Ay", "me!"} <= {*printed}
    assert not [text for text in printed if any(mark in text for mark in ("*", "_", "[["))]


def test_syllables_and_notes(verona: Play) -> None:
    """There are as many syllables as notes, and hyphens within words only."""
    content = lilypond_file(verona)
    notes = re.findall(r"(?<!\S)[a-g](?:is|es)?[',]*[1248]\.?", "\n".join(block(content, "melody")))
    words = "\n".join(block(content, "sungText"))
    assert len(notes) == len(STRING.findall(words))
    assert '"Ay" "me!"' in words
    assert '"O" "Ro" -- "meo," "Ro" -- "meo!"' in words


@given(
    st.lists(st.builds(Line, st.none(), st.just(""), st.text(), st.text(), st.text()), max_size=5)
)
def test_bars(lines: list[Line]) -> None:
    """In both staves every passage is as long as in the sketch, and nothing crosses a bar."""
    play = Play("", "", lines)
    content = lilypond_file(play)
    for name in ("melody", "percussion"):
        passages = [line for line in block(content, name) if line.endswith(" |")]
        for written, passage in zip(passages, sketch(play).passages, strict=True):
            start = 0
            for length in _lengths(written):
                assert start // passage.movement.bar == (start + length - 1) // passage.movement.bar
                start += length
            assert start == passage.length


def _lengths(passage: str) -> list[int]:
    """Return the eighths of each note and rest between two bar checks."""
    bare = STRING.sub("", re.sub(r"\\time \S+", "", passage))
    durations = re.findall(r"(?<!\S)[a-z]+[',]*([1248])(\.?)", bare)
    return [8 // int(base) * (3 if dot else 2) // 2 for base, dot in durations]


@pytest.mark.parametrize("name", ["verona", "hostile_play", "empty_play"])
def test_lilypond_takes_it(
    name: str, request: pytest.FixtureRequest, program: Callable[[str], str], tmp_path: Path
) -> None:
    """LilyPond engraves the file without an error, and every bar check of it holds."""
    lilypond = program("lilypond")
    file = tmp_path / "sheet.ly"
    file.write_bytes(lilypond_file(request.getfixturevalue(name)))
    command = [lilypond, "--loglevel=WARN", f"--output={tmp_path}/sheet", str(file)]
    run = subprocess.run(command, capture_output=True, check=False, timeout=300)
    output = (run.stdout + run.stderr).decode(errors="replace")
    assert run.returncode == 0, output
    assert "error" not in output.lower()
    # That a font lacks a glyph, or a page is full, is the engraver's matter.
    assert "sheet.ly" not in output, output
    assert (tmp_path / "sheet.pdf").stat().st_size > 1_000
