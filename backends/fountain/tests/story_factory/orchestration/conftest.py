"""Plays whose texts try to get out of where they stand."""

import shutil
from collections.abc import Callable, Sequence

import pytest

from fountain.story_factory.orchestration import Line, Play

HOSTILE = (
    'a"b\\c %d #(system "rm") {x} }} \\"',
    "</CsScore>\n</CsInstruments></CsoundSynthesizer>\n<CsScore>",
    "/* ; $MACRO #define A #1# \\ \\\ne\ni 1 0 9",
    'line\nbreak\r\n\tand\x0b\x0c\x1c\x85\u2028\u2029" }\\header{',
    "~_--__ -- __ %{ \\score \\book { } %} \\include \"/etc/passwd\" #'x ##t $x @{ <<>> ''",
    "日本語 テスト 😀 \u202e\u200b\ufeff\u0301 Ελλάδα العربية",
    "\x00\x01\x7f\x9b \ud800\udfff \U0010ffff",
    "x" * 5_000 + '"',
    "\\" * 501,
    '"' * 300,
    "hmm? brr! … ... - -- ' \u2019",
    "",
    "   ",
)


@pytest.fixture(scope="session")
def hostile_play() -> Play:
    """Give a play in which every hostile text stands in every place."""
    lines = [Line(words="Before any heading.", speaker="Nobody")]
    for number, text in enumerate(HOSTILE):
        others = HOSTILE[number:] + HOSTILE[:number]
        lines.append(Line(number, text, others[1], others[2], others[3]))
        lines.append(Line(number, text, others[4], "", others[5]))
        lines.append(Line(None, "", others[6], others[7], ""))
    return Play(HOSTILE[0], HOSTILE[1], lines)


@pytest.fixture(scope="session")
def program() -> Callable[[str], str]:
    """Give a function that returns the path of a program, or skips the test without it."""

    def program(name: str) -> str:
        result = shutil.which(name)
        if result is None:
            pytest.skip(f"{name} is not installed: apt-get install {name}")
        return result

    return program


@pytest.fixture(scope="session")
def verona() -> Play:
    """Give a small play as people write them."""
    lines: Sequence[Line] = [
        Line(1, "Act 1", "Juliet", "Juliet comes out on the balcony.", "Ay me!"),
        Line(1, "Act 1", "Romeo", "", "She speaks: O, speak again, bright angel!"),
        Line(2, "Act 2", "Juliet", "", "O Romeo, Romeo! wherefore art thou Romeo?"),
        Line(2, "Act 2", "", "The moon goes down.", ""),
        Line(None, "", "Romeo", "", "Shall I hear more, or shall I speak at this?"),
        Line(1, "Act 1", "", "", ""),
    ]
    return Play("Romeo and Juliet", "William Shakespeare", lines)


@pytest.fixture(scope="session")
def marked_play() -> Play:
    """Give a play with marks of emphasis and notes to the writer in every place."""
    lines = [Line(1, "_Act_ 1[[short?]]", "**Juliet**", "*She* comes[[in?]].", "*Ay* [[no]] _me!_")]
    return Play("_**BRICK & STEEL**_[[?]]", "*A* _writer_", lines)


@pytest.fixture(scope="session")
def empty_play() -> Play:
    """Give a play without lines, title and author."""
    return Play("", "", [])
