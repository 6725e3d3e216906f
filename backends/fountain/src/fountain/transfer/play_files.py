"""Reads and checks a play's file before anything is created."""

from pathlib import Path

from bedplate.cli.exceptions import CommandError
from fountain.screenplay import Reading, read
from fountain.screenplay.plan import Plan

MAX_FILE_BYTES = 20 * 1024 * 1024
MAX_TEXT_LENGTH = 100_000
"""Characters. The services accept no longer text."""
_MAX_QUOTE_LENGTH = 40


def read_play(path: Path) -> Reading:
    """Return the screenplay in a file. Raises `CommandError`."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise CommandError(f"{path} can't be read: {error.strerror}.") from error
    if len(content) > MAX_FILE_BYTES:
        raise CommandError(f"{path} is larger than {MAX_FILE_BYTES // 1024**2} MiB.")
    return read(_text(path, content))


def _text(path: Path, content: bytes) -> str:
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise CommandError(
            f"{path}, line {line}: this is not UTF-8 text. If it is Latin-1, "
            "`iconv -f latin1 -t utf-8` converts it."
        ) from error
    nul = text.find("\0")
    if nul >= 0:
        line = text.count("\n", 0, nul) + 1
        raise CommandError(f"{path}, line {line}: the services don't accept the character NUL.")
    return text


def check_lengths(plan: Plan) -> None:
    """Raise `CommandError` if a text is longer than the services accept."""
    names = [text for character in plan.characters for text in character]
    lists = (plan.contexts, plan.headings, plan.actions, plan.spoken_words, names)
    for text in (*plan.script.values(), *(text for texts in lists for text in texts)):
        if len(text) > MAX_TEXT_LENGTH:
            raise CommandError(
                f"A text has {len(text)} characters, but the services accept {MAX_TEXT_LENGTH}. "
                f"It begins with {text[:_MAX_QUOTE_LENGTH]!r}."
            )
