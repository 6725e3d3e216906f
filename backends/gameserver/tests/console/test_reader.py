"""Bytes become lines."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from gameserver.console.lines import CUT_MARK, MAX_LINE_LENGTH, LineReader


def read(*chunks: bytes) -> list[str]:
    """Return all lines of a stream that comes in these chunks."""
    reader = LineReader()
    return [line for chunk in chunks for line in reader.feed(chunk)] + reader.end()


def test_lines_span_chunks() -> None:
    """Where chunks end has no part in where lines do, also within a character."""
    assert read(b"one\ntw", b"o \xc3", b"\xa9\r\n", b"\n", b"three") == [
        "one",
        "two é",
        "",
        "three",
    ]


def test_a_long_line_is_cut_once() -> None:
    """More than 64 KiB are shown up to there with a mark, at once; the next line is whole."""
    reader = LineReader()
    assert reader.feed(b"x" * (MAX_LINE_LENGTH + 1)) == ["x" * MAX_LINE_LENGTH + CUT_MARK]
    assert reader.feed(b"y" * 1_000_000) == []
    assert reader.feed(b"z\nnext\n") == ["next"]
    assert read(b"x" * MAX_LINE_LENGTH + b"\n") == ["x" * MAX_LINE_LENGTH]


def test_an_endless_line_in_one_chunk() -> None:
    """A line of many times 64 KiB with its end in the same chunk is cut just so."""
    lines = read(b"a\n" + b"x" * (5 * MAX_LINE_LENGTH) + b"\nb\n")
    assert lines == ["a", "x" * MAX_LINE_LENGTH + CUT_MARK, "b"]


def test_other_encodings_are_survived() -> None:
    """Bytes that are no UTF-8 become replacement characters, and the line goes on."""
    assert read("Игрок".encode("cp1251") + b" ok\n") == ["\ufffd" * 5 + " ok"]
    assert read(b"\xff\xfe\x00\xd8\n") == ["\ufffd\ufffd\x00\ufffd"]


@given(st.binary(max_size=300), st.lists(st.integers(0, 300), max_size=10))
def test_any_bytes_in_any_chunks(data: bytes, cuts: list[int]) -> None:
    """The lines are those of the whole, however it is cut into chunks."""
    places = [0, *sorted(cuts), len(data)]
    chunks = [data[begin:end] for begin, end in pairwise(places)]
    whole = data.decode("utf-8", "replace") if b"\n" not in data else None
    lines = read(*chunks)
    assert lines == read(data)
    if whole:
        assert lines == [whole.removesuffix("\r")]


@given(st.lists(st.binary(min_size=1, max_size=3000), max_size=40))
def test_nothing_grows(chunks: list[bytes]) -> None:
    """Whatever comes, the reader holds no more than one line of the longest kind."""
    reader = LineReader()
    for chunk in chunks:
        for line in reader.feed(chunk * 30):
            assert len(line) <= MAX_LINE_LENGTH + len(CUT_MARK)
        assert len(reader._rest) <= MAX_LINE_LENGTH
