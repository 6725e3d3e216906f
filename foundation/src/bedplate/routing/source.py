"""The text of a function that is written at run time, and the objects that it names."""

import itertools
import linecache
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

_INDENT = "    "
_numbers = itertools.count(1)


class Source:
    """Collects the lines of one function; each object it uses gets a name of its own."""

    def __init__(self, signature: str) -> None:
        """Take the line that opens the function, such as `async def run(request):`."""
        self._lines = [signature]
        self._depth = 1
        self._objects: dict[str, Any] = {}
        self._count = itertools.count(1)

    def line(self, text: str) -> None:
        """Add a line at the present depth."""
        self._lines.append(_INDENT * self._depth + text)

    @contextmanager
    def block(self, text: str) -> Iterator[None]:
        """Add a line that opens a block; what is added within is one level deeper."""
        self.line(text)
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1

    def variable(self, hint: str) -> str:
        """Return a name that nothing else in the function has. `hint` must be an identifier."""
        return f"{hint}_{next(self._count)}"

    def constant(self, hint: str, value: Any) -> str:
        """Return the name under which the function finds an object."""
        name = self.variable(hint)
        self._objects[name] = value
        return name

    def function(self, name: str) -> Callable[..., Any]:
        """Return the function `name` that the text defines; tracebacks show its lines."""
        text = "\n".join([*self._lines, ""])
        file = f"<compiled route {next(_numbers)}>"
        namespace = dict(self._objects)
        exec(compile(text, file, "exec"), namespace)  # noqa: S102 - names and text are ours
        linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
        function: Callable[..., Any] = namespace[name]
        return function
