"""What commands print or write: text, and tables whose lines other tools can search and cut."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from bedplate.cli.exceptions import CommandError


def table(rows: Iterable[Sequence[str]]) -> str:
    """Return rows as lines, with two spaces between columns."""
    lines = list(rows)
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def deliver(text: str, output: Path | None) -> None:
    """Print the text, or write it to a file. Raises `CommandError` if it can't be written."""
    if output is None:
        print(text, end="")
        return
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise CommandError(f"{output} can't be written: {error.strerror}.") from error
