"""One Pydantic model in one JSON file."""

import contextlib
import hashlib
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Generic, TypeVar

from pydantic import BaseModel, ValidationError

from bedplate.documents.atomic import refuse_unsuitable, write_atomically
from bedplate.documents.exceptions import DamagedDocument, UnsuitableFile, WriteFailed, reason_of
from bedplate.documents.locks import lock_of
from bedplate.documents.threads import finish_in_thread

Model = TypeVar("Model", bound=BaseModel)

LARGEST = 16 * 1024 * 1024
_MAX_PLACES = 3
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class Document(Generic[Model]):
    """A model that is kept in a file; changes of several tasks don't overwrite each other.

    Two objects with the same path share their lock. Several processes don't: let one own a file.
    """

    def __init__(
        self,
        path: Path,
        model: type[Model],
        *,
        default: Callable[[], Model],
        max_bytes: int = LARGEST,
    ) -> None:
        """`default` makes the model of a missing file; `max_bytes` bounds reading and writing."""
        self.path = path
        self._file = ModelFile(path, model, max_bytes=max_bytes)
        self._default = default
        self._lock = lock_of(path)

    async def read(self) -> Model:
        """Return the model or the default. Raises `DamagedDocument`, `UnsuitableFile`."""
        value = await finish_in_thread(self._file.read)
        return self._default() if value is None else value

    async def write(self, value: Model) -> None:
        """Put `value` into the file, whatever it held; durable when this returns.

        Cancelled, it has either happened or not. Raises `WriteFailed`, `UnsuitableFile`, and
        ValueError for a value that would not be read back as it is.
        """
        async with self._lock:
            await finish_in_thread(lambda: self._file.write(value))

    @contextlib.asynccontextmanager
    async def change(self) -> AsyncIterator[Model]:
        """Yield the model, which nobody else changes meanwhile; on leaving, write it if it changed.

        Nothing is written when the body raises. Raises what `read` and `write` raise.
        """
        async with self._lock:
            value = await self.read()
            before = dump(value)
            yield value
            if dump(value) != before:
                await finish_in_thread(lambda: self._file.write(value))


def etag(value: BaseModel) -> str:
    """Return a strong ETag (RFC 9110, section 8.8.3) of a model: equal content, equal tag."""
    return f'"{hashlib.sha256(dump(value)).hexdigest()[:32]}"'


class ModelFile(Generic[Model]):
    """A model in a file, by blocking calls; `max_bytes` bounds the file in both directions."""

    def __init__(self, path: Path, model: type[Model], *, max_bytes: int = LARGEST) -> None:
        self.path = path
        self._model = model
        self._max_bytes = max_bytes

    def read(self) -> Model | None:
        """Return the model, or None when there is no file. Raises as `Document.read` does."""
        refuse_unsuitable(self.path)
        try:
            with os.fdopen(os.open(self.path, _READ), "rb") as file:
                content = file.read(self._max_bytes + 1)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise UnsuitableFile(self.path, f"can't be read, {reason_of(error)}.") from error
        if len(content) > self._max_bytes:
            raise DamagedDocument(self.path, f"it has more than {self._max_bytes:,} bytes")
        try:
            return self._model.model_validate_json(content)
        except ValidationError as error:
            raise DamagedDocument(self.path, _explain(error)) from None

    def write(self, value: Model) -> None:
        """Put `value` into the file, whatever it held. Raises as `Document.write` does."""
        content = dump(value)
        self._refuse_unreadable(value, content)
        if len(content) > self._max_bytes:
            raise WriteFailed(self.path, f"would have more than {self._max_bytes:,} bytes.")
        write_atomically(self.path, content)

    def _refuse_unreadable(self, value: Model, content: bytes) -> None:
        """Refuse what JSON can't hold (NaN, a masked secret) before it is the only copy."""
        try:
            same = self._model.model_validate_json(content) == value
        except ValidationError:
            same = False
        if not same:
            raise ValueError(f"{self._model.__name__} would not be read back as it is.")


def dump(value: BaseModel) -> bytes:
    """Return the JSON of a model as files hold it: indented, a line feed at the end."""
    # No warnings: they would show the value, and what is of a wrong type is refused by `write`.
    return value.model_dump_json(indent=2, by_alias=True, warnings=False).encode() + b"\n"


def _explain(error: ValidationError) -> str:
    """Return where a file is wrong, without what stands there: it may be a secret."""
    found = error.errors(include_url=False, include_input=False, include_context=False)
    if found[0]["type"] == "json_invalid":
        return f"it is not JSON ({found[0]['msg'].removeprefix('Invalid JSON: ')})"
    places = [f"{_place(each['loc'])} ({each['type']})" for each in found[:_MAX_PLACES]]
    more = ["and others"] if len(found) > _MAX_PLACES else []
    return f"it is not as expected at {', '.join(places + more)}"


def _place(location: tuple[int | str, ...]) -> str:
    return ".".join(map(str, location)) or "its outermost value"
