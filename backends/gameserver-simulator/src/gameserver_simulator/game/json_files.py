"""The game's JSON files: held in memory, and written over whatever the file holds by then."""

import json
from pathlib import Path


class Unreadable(Exception):
    """A JSON file can't be read."""


def read(path: Path, default: object) -> object:
    """Return what a file holds, or `default` when there is none. Raises `Unreadable`."""
    try:
        return json.loads(path.read_bytes().decode("utf-8-sig"))
    except FileNotFoundError:
        return default
    except ValueError as error:
        raise Unreadable(f"{path}: {error}") from error


def write(path: Path, content: object) -> None:
    """Write a file in place, as the game does: a kill in the middle leaves half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False), encoding="utf-8")
