"""The Csound file: one orchestra, one score, and no way out of its comments."""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fountain.story_factory.orchestration import Line, Play, csound_file
from fountain.story_factory.orchestration.sketch import sketch

TAGS = ("CsoundSynthesizer", "CsOptions", "CsInstruments", "CsScore")
NUMBER = r"\d+\.\d{2,3}"
STATEMENT = re.compile(
    rf"; [^<>\\/*$\"#{{}};\r\n]*|i [12349] {NUMBER} {NUMBER} 0\.\d+ {NUMBER} {NUMBER}"
    rf"|f 0 {NUMBER}|e"
)
FRAGMENTS = ["</CsScore>", "\n", ";", "/*", "*/", "\\", '"', "$M", "#define", "i 1 0 1", "e", "<"]
HOSTILE = st.text() | st.lists(st.sampled_from(FRAGMENTS) | st.text(max_size=3)).map("".join)


def score(content: bytes) -> list[str]:
    """Return the statements of the score, having seen that each tag is there once, in order."""
    text = content.decode()
    lines = text.split("\n")
    for tag in TAGS:
        assert text.count(f"<{tag}>") == text.count(f"</{tag}>") == 1
        assert lines.index(f"<{tag}>") < lines.index(f"</{tag}>")
    return lines[lines.index("<CsScore>") + 1 : lines.index("</CsScore>")]


@given(st.builds(Line, st.none() | st.integers(1, 2), HOSTILE, HOSTILE, HOSTILE, HOSTILE), HOSTILE)
def test_hostile_texts(line: Line, title: str) -> None:
    """Whatever a play says, every line of the score is a statement of ours or a bare comment."""
    for statement in score(csound_file(Play(title, title, [line, line]))):
        assert STATEMENT.fullmatch(statement), statement


def test_times(verona: Play) -> None:
    """Every note of the sketch is in the score, and the score lasts as long as the sketch."""
    music = sketch(verona)
    statements = score(csound_file(verona))
    notes = [item.split() for item in statements if item.startswith("i ")]
    assert len(notes) == sum(len(item.notes) + len(item.strokes) for item in music.passages)
    length = sum(item.length * item.movement.seconds for item in music.passages)
    assert statements[-2:] == [f"f 0 {length:.3f}", "e"]
    ends = [float(start) + float(seconds) for _, _, start, seconds, *_ in notes]
    assert max(ends) <= length + 0.01


def test_comments(verona: Play) -> None:
    """Headings, speakers and actions are in the score for people to find their place."""
    statements = score(csound_file(verona))
    assert "; Romeo and Juliet - William Shakespeare" in statements
    assert "; Juliet: Juliet comes out on the balcony." in statements
    assert statements.count("; -- Act 1 --") == 2


@pytest.mark.parametrize("name", ["verona", "hostile_play", "empty_play"])
def test_csound_takes_it(
    name: str, request: pytest.FixtureRequest, program: Callable[[str], str], tmp_path: Path
) -> None:
    """Csound finds no error in the file, neither in its syntax nor in playing it to the end."""
    csound = program("csound")
    file = tmp_path / "sound.csd"
    file.write_bytes(csound_file(request.getfixturevalue(name)))
    for options in (["--syntax-check-only"], ["-n", "-d", "-m7"]):
        run = subprocess.run([csound, *options, file], capture_output=True, check=False, timeout=60)
        output = (run.stdout + run.stderr).decode(errors="replace")
        assert run.returncode == 0, output
        assert "0 errors in performance" in output
        assert "error" not in output.replace("0 errors in performance", "").lower()
        assert "warning" not in output.lower()
        assert re.search(r"overall samples out of range:\D*0\D*0\D", output), output[-400:]
