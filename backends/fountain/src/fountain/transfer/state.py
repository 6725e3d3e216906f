"""How far an import has come: a small document beside the play, replaced in one step."""

import contextlib
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import BaseModel, Field, ValidationError

from bedplate.cli.exceptions import CommandError

with contextlib.suppress(ImportError):  # there is none on Windows
    import fcntl


class Made(BaseModel):
    """What is made of one kind: identifiers by index in the plan.

    `after` is smaller than every identifier that is still unknown: those of things that were
    asked for when the import was cut, whose answers were lost.
    """

    after: int = 0
    identifiers: dict[int, int] = Field(default_factory=dict)


class State(BaseModel):
    """An import: of which play, and what is made of each kind."""

    play: str
    """SHA-256 of what was to be made."""
    made: dict[str, Made] = Field(default_factory=dict)


def state_path(play: Path, url: str) -> Path:
    """Return where the state of an import lies: one document for each play and server."""
    parts = urlsplit(url)
    server = re.sub(r"[^A-Za-z0-9.]+", "-", parts.netloc + parts.path).strip("-")
    return play.with_name(f"{play.name}.{server}.import.json")


def load_state(path: Path) -> State | None:
    """Return a state, or None when there is none. Raises `CommandError`."""
    try:
        return State.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError) as error:
        raise CommandError(
            f"{path} doesn't say how far the import has come ({type(error).__name__}): "
            "give --again to import the play anew."
        ) from error


def save_state(path: Path, state: State) -> None:
    """Replace the document in one step: it is the old one or the new one at every moment.

    Raises `CommandError`.
    """
    try:
        replace_file(path, state.model_dump_json().encode())
    except OSError as error:
        raise CommandError(
            f"{path} can't be written ({error.strerror}): an import keeps there how far it has "
            "come. Copy the play to a folder of your own."
        ) from error


def replace_file(path: Path, content: bytes) -> None:
    """Write a file so that it is the old one or the new one at every moment."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with fresh.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            fresh.unlink()
        raise


@contextlib.contextmanager
def alone(play: Path) -> Iterator[None]:
    """Let no second import of this play run at the same time. Raises `CommandError`."""
    if sys.platform == "win32":
        yield
        return
    with play.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise CommandError(f"{play} is being imported by another process.") from error
        yield
