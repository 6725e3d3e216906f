"""A character's name on a line of its own, and what is said below it."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from fountain.screenplay.lines import KEPT_BLANK, is_blank, trim
from fountain.screenplay.model import Speech


def read_cue(lines: Sequence[str], at: int) -> tuple[list[Speech], int]:
    """Return the speeches under the cue at a line and the line after them; none if it is no cue."""
    line = trim(lines[at])
    cue = _split_cue(line.removeprefix("@"))
    if not cue.character or not (line.startswith("@") or cue.character.isupper()):
        return [], at
    end = _end(lines, at + 1)
    return (_speeches(cue, lines[at + 1 : end]), end) if end > at + 1 else ([], at)


def _end(lines: Sequence[str], start: int) -> int:
    """Return the first line that isn't said any more."""
    blank = (at for at in range(start, len(lines)) if is_blank(lines[at]))
    return next((at for at in blank if lines[at] != KEPT_BLANK), len(lines))


def _split_cue(cue: str) -> Speech:
    """Return a speech with nothing but what a cue says: name, extension, dual."""
    plain = cue.removesuffix("^")
    whole = trim(plain)
    name = trim(whole[: _name_end(whole)])
    extension = trim(whole[len(name) :]) or None
    return Speech(name, None, extension=extension, dual=plain != cue)


def _name_end(cue: str) -> int:
    """Return where the pairs of parentheses begin that a cue ends with."""
    end = len(cue)
    while end and cue[end - 1] == ")":
        opened = cue.rfind("(", 0, end)
        if opened <= cue.rfind(")", 0, end - 1):
            break
        end = opened
        while end and cue[end - 1] in " \t":
            end -= 1
    return end


@dataclass(slots=True)
class _Part:
    """What is said without a break, line by line."""

    parenthetical: str | None = None
    lines: list[str] = field(default_factory=list)
    sung: bool = False


def _speeches(cue: Speech, lines: Sequence[str]) -> list[Speech]:
    begun = replace(cue, extension=None, dual=False, continued=True)
    return [
        replace(
            begun if at else cue,
            text="\n".join(part.lines) if part.lines else None,
            parenthetical=part.parenthetical,
            sung=part.sung,
        )
        for at, part in enumerate(_parts(lines))
    ]


def _parts(lines: Sequence[str]) -> list[_Part]:
    parts: list[_Part] = []
    for line in map(trim, lines):
        if line.startswith("(") and line.endswith(")") and line != "()":
            parts.append(_Part(line[1:-1]))
            continue
        sung = line.startswith("~") or (not line and bool(parts) and parts[-1].sung)
        if not parts or (parts[-1].lines and parts[-1].sung != sung):
            parts.append(_Part())
        parts[-1].sung = sung
        parts[-1].lines.append(line.removeprefix("~") if sung else line)
    return parts


def cue_line(speech: Speech, *, forced: bool) -> str:
    """Return the line of a cue."""
    parts = (speech.character, speech.extension, "^" if speech.dual else None)
    return ("@" if forced else "") + " ".join(part for part in parts if part)


def said_lines(speech: Speech) -> list[str]:
    """Return the lines below the cue."""
    said = [] if speech.text is None else speech.text.split("\n")
    lines = [f"~{line}" if speech.sung else line or KEPT_BLANK for line in said]
    return lines if speech.parenthetical is None else [f"({speech.parenthetical})", *lines]
