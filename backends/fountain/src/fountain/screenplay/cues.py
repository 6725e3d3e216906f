"""A character's name on a line of its own, and what is said below it."""

from collections.abc import Sequence
from dataclasses import replace

from fountain.screenplay.lines import KEPT_BLANK, is_blank, trim
from fountain.screenplay.model import Speech


def read_cue(lines: Sequence[str], at: int) -> tuple[list[Speech], int]:
    """Return the speeches under the cue at a line and the line after them; none if it is no cue."""
    line = trim(lines[at])
    cue = _split_cue(line.removeprefix("@"))
    forced = line.startswith("@")
    end = _end(lines, at + 1)
    if not cue.character or end == at + 1 or not (forced or cue.character.isupper()):
        return [], at
    return _speeches(cue, lines[at + 1 : end]), end


def _end(lines: Sequence[str], start: int) -> int:
    """Return the first line that isn't said any more."""
    blank = (at for at in range(start, len(lines)) if is_blank(lines[at]))
    return next((at for at in blank if lines[at] != KEPT_BLANK), len(lines))


def _split_cue(cue: str) -> Speech:
    """Return a speech with nothing but what a cue says: name, extension, dual."""
    plain = cue.removesuffix("^")
    name = rest = trim(plain)
    while rest.endswith(")") and (opened := rest.rfind("(")) >= 0 and ")" not in rest[opened:-1]:
        rest = trim(rest[:opened])
    extension = trim(name[len(rest) :]) or None
    return Speech(rest, None, extension=extension, dual=plain != cue)


def _speeches(cue: Speech, lines: Sequence[str]) -> list[Speech]:
    speeches = [cue]
    begun = Speech(cue.character, None, continued=True)
    for line in map(trim, lines):
        said = speeches[-1]
        if line.startswith("(") and line.endswith(")") and line != "()":
            fresh = said is cue
            speeches.append(replace(cue if fresh else begun, parenthetical=line[1:-1]))
            if fresh:
                del speeches[0]
            continue
        sung = line.startswith("~") or (not line and said.sung)
        if said.text is not None and said.sung != sung:
            said = begun
            speeches.append(said)
        text = line.removeprefix("~") if sung else line
        text = text if said.text is None else f"{said.text}\n{text}"
        speeches[-1] = replace(said, text=text, sung=sung)
    return speeches


def cue_line(speech: Speech, *, forced: bool) -> str:
    """Return the line of a cue."""
    parts = (speech.character, speech.extension, "^" if speech.dual else None)
    return ("@" if forced else "") + " ".join(part for part in parts if part)


def said_lines(speech: Speech) -> list[str]:
    """Return the lines below the cue."""
    said = [] if speech.text is None else speech.text.split("\n")
    lines = [f"~{line}" if speech.sung else line or KEPT_BLANK for line in said]
    return lines if speech.parenthetical is None else [f"({speech.parenthetical})", *lines]
