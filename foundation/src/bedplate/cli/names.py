import builtins
import keyword
import re
import sys
from collections.abc import Collection
from dataclasses import dataclass
from importlib.util import find_spec

from bedplate.cli.exceptions import UsageError

MAX_NAME_LENGTH = 20
"""With a longer name, lines of the template would be too long."""

_FORM = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*")


@dataclass(frozen=True)
class Names:
    """The names in a new backend, all from one: `order_lines`, `OrderLine`, `ORDER_LINES_` …."""

    name: str

    @property
    def singular(self) -> str:
        """One of what it stores: `order_line`."""
        if self.name.endswith("ies") and len(self.name) > len("ties"):
            return f"{self.name[:-3]}y"
        if self.name.endswith(("xes", "ches", "shes", "sses")):
            return self.name[:-2]
        return self.name[:-1] if self._is_plural else self.name

    @property
    def plural(self) -> str:
        """All of what it stores, and the table: `order_lines`."""
        if self._is_plural:
            return self.name
        if self.name.endswith(("s", "x", "ch", "sh")):
            return f"{self.name}es"
        if re.search(r"[^aeiou]y$", self.name):
            return f"{self.name[:-1]}ies"
        return f"{self.name}s"

    @property
    def _is_plural(self) -> bool:
        return self.name.endswith("s") and not self.name.endswith(("ss", "us", "is"))

    def values(self, *, date: str) -> dict[str, str]:
        """Return the values of the template's placeholders; `date` is YYYY-MM-DD."""
        return {
            "name": self.name,
            "Name": _camel(self.name),
            "distribution": self.name.replace("_", "-"),
            "prefix": f"{self.name.upper()}_",
            "title": self.name.replace("_", " ").capitalize(),
            "singular": self.singular,
            "Singular_title": self.singular.replace("_", " ").title(),
            "Entity": _camel(self.singular),
            "plural": self.plural,
            "path": self.plural.replace("_", "-"),
            "date": date,
            "revision": f"{date.replace('-', '_')}_create_{self.plural}",
        }


def _camel(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))


def check_name(name: str, *, taken: Collection[str], identifiers: Collection[str]) -> Names:
    """Return the names of a new backend.

    `taken` are commands and installed backends, `identifiers` the words of the template that a
    class of the new backend could hide. Raises `UsageError`.
    """
    if not _FORM.fullmatch(name) or len(name) > MAX_NAME_LENGTH:
        raise UsageError(
            f"{name!r} can't be the name of a backend: use lower-case letters, digits and single "
            f"underscores, a letter first, {MAX_NAME_LENGTH} at most, such as `notes`."
        )
    if name in taken:
        raise UsageError(f"{name!r} is the name of a command or of an installed backend.")
    if name in sys.stdlib_module_names or find_spec(name) is not None:
        raise UsageError(f"{name!r} would hide the installed Python module of this name.")
    names = Names(name)
    if _camel(names.singular).isupper():
        raise UsageError(f"{name!r} is too short: choose a whole word.")
    classes = {_camel(names.singular), f"{_camel(name)}Settings"}
    words = {name, names.singular, names.plural, *classes}
    if any(map(keyword.iskeyword, words)) or classes & {*dir(builtins), *identifiers}:
        raise UsageError(f"{name!r} is a word of Python, or would hide a class: choose another.")
    return names
