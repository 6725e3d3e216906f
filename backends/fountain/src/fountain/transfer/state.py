"""The progress of an import: a small document beside the play, replaced atomically."""

import contextlib
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bedplate.cli.exceptions import CommandError

with contextlib.suppress(ImportError):  # Windows doesn't have it
    import fcntl


class Created(BaseModel):
    """What exists of one kind: identifiers by index in the plan.

    `after` is smaller than every unknown identifier: those of resources that were created without
    an answer, because the import was interrupted.
    """

    after: int = 0
    identifiers: dict[int, int] = Field(default_factory=dict)


class ImportState(BaseModel):
    """An import: which play, and what exists of each kind."""

    model_config = ConfigDict(validate_by_name=True, serialize_by_alias=True)

    play: str
    """SHA-256 of the plan."""
    created: dict[str, Created] = Field(default_factory=dict, alias="made")


def state_path(play: Path, url: str) -> Path:
    """Return the path of an import's state: one document for each play and server."""
    parts = urlsplit(url)
    server = re.sub(r"[^A-Za-z0-9.]+", "-", parts.netloc + parts.path).strip("-")
    return play.with_name(f"{play.name}.{server}.import.json")


def load_state(path: Path) -> ImportState | None:
    """Return a state, or None when there is none. Raises `CommandError`."""
    try:
        return ImportState.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError) as error:
        raise CommandError(
            f"{path} isn't the state of an import ({type(error).__name__}): "
            "give --again to import the play anew."
        ) from error


def save_state(path: Path, state: ImportState) -> None:
    """Write the document. Raises `CommandError`."""
    try:
        replace_file(path, state.model_dump_json().encode())
    except OSError as error:
        raise CommandError(
            f"{path} can't be written ({error.strerror}), and an import saves its progress "
            "there. Copy the play to a folder of your own."
        ) from error


def replace_file(path: Path, content: bytes) -> None:
    """Write a file atomically: at every moment it has the old content or the new."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise


@contextlib.contextmanager
def exclusive_import(play: Path) -> Iterator[None]:
    """Hold a lock on the play. Raises `CommandError` if another import holds it."""
    if sys.platform == "win32":
        yield
        return
    with play.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise CommandError(f"{play} is being imported by another process.") from error
        yield
