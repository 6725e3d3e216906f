"""One Pydantic model in one JSON file."""

import contextlib
import hashlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Generic

from pydantic import BaseModel

from bedplate.documents.locks import lock_of
from bedplate.documents.model_file import LARGEST, Model, ModelFile, dump
from bedplate.documents.threads import finish_in_thread


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
        """Describe the document; nothing is read yet.

        `default` makes the model of a file that doesn't exist. A larger file than `max_bytes` is
        neither read nor written.
        """
        self.path = path
        self._file = ModelFile(path, model, max_bytes=max_bytes)
        self._default = default
        self._lock = lock_of(path)

    async def read(self) -> Model:
        """Return the model, or the default when there is no file.

        Raises `DamagedDocument` or `UnsuitableFile`; the file is left as it is.
        """
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
        """Give the model to change; on leaving it is written if it changed.

        Nobody else changes the document meanwhile. Nothing is written when the body raises.
        Raises what `read` and `write` raise.
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
