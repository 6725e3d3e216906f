"""A character's name on a line of its own, and what is said below it."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from fountain.screenplay.lines import KEPT_BLANK, is_blank, is_capitals, trim
from fountain.screenplay.model import Speech


def read_cue(lines: Sequence[str], at: int) -> tuple[list[Speech], int] | None:
    """Return the speeches under the cue at a line, and the line after them; None for no cue."""
    line = trim(lines[at])
    cue = _split_cue(line.removeprefix("@"))
    if not cue.character or not (line.startswith("@") or is_capitals(cue.character)):
        return None
    blank = (here for here in range(at + 1, len(lines)) if is_blank(lines[here]))
    end = next((here for here in blank if lines[here] != KEPT_BLANK), len(lines))
    return (_speeches(cue, lines[at + 1 : end]), end) if end > at + 1 else None


def _split_cue(cue: str) -> Speech:
    """Return a speech with no more than a cue contains: name, extension, dual."""
    plain = cue.removesuffix("^")
    whole = trim(plain)
    name = trim(whole[: _name_end(whole)])
    extension = trim(whole[len(name) :]) or None
    return Speech(name, None, extension=extension, dual=plain != cue)


def _name_end(cue: str) -> int:
    """Return the index at which the parentheses at the end of a cue begin."""
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
    """Lines of dialogue without a break."""

    parenthetical: str | None = None
    lines: list[str] = field(default_factory=list)
    sung: bool = False


def _speeches(cue: Speech, lines: Sequence[str]) -> list[Speech]:
    continued = replace(cue, extension=None, dual=False, continued=True)
    return [
        replace(
            continued if at else cue,
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


def dialogue_lines(speech: Speech) -> list[str]:
    """Return the lines below the cue."""
    texts = [] if speech.text is None else speech.text.split("\n")
    lines = [f"~{text}" if speech.sung else text or KEPT_BLANK for text in texts]
    return lines if speech.parenthetical is None else [f"({speech.parenthetical})", *lines]
