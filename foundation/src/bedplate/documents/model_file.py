"""A Pydantic model in a JSON file, read and written by blocking calls."""

import os
from pathlib import Path
from typing import Generic, TypeVar

from pydantic import BaseModel, ValidationError

from bedplate.documents.atomic import refuse_unsuitable, write_atomically
from bedplate.documents.exceptions import DamagedDocument, UnsuitableFile, WriteFailed, reason_of

Model = TypeVar("Model", bound=BaseModel)

LARGEST = 16 * 1024 * 1024
_MAX_PLACES = 3
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class ModelFile(Generic[Model]):
    """The file, and the model that it holds; `max_bytes` bounds it in both directions."""

    def __init__(self, path: Path, model: type[Model], *, max_bytes: int = LARGEST) -> None:
        self.path = path
        self._model = model
        self._max_bytes = max_bytes

    def read(self) -> Model | None:
        """Return the model, or None when there is no file.

        Raises `DamagedDocument` or `UnsuitableFile`; the file is left as it is.
        """
        content = self._content()
        if content is None:
            return None
        try:
            return self._model.model_validate_json(content)
        except ValidationError as error:
            raise DamagedDocument(self.path, _explain(error)) from None

    def write(self, value: Model) -> None:
        """Put `value` into the file, whatever it held.

        Raises `WriteFailed`, `UnsuitableFile`, and ValueError for a value that would not be read
        back as it is.
        """
        content = dump(value)
        self._refuse_unreadable(value, content)
        if len(content) > self._max_bytes:
            raise WriteFailed(self.path, f"would have more than {self._max_bytes:,} bytes.")
        write_atomically(self.path, content)

    def _content(self) -> bytes | None:
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
        return content

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
