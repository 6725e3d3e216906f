"""Files that ship with the services; in the repository they are beside `src`."""

from pathlib import Path

EXAMPLE = "romeo-and-juliet.fountain"
_PACKAGE = Path(__file__).parents[1]


def contract_file(name: str) -> Path:
    """Return the path of a contract, or of the overlay with its additions."""
    return _file("contracts", name)


def example_file() -> Path:
    """Return the path of a scene in the Fountain format."""
    return _file("examples", EXAMPLE)


def _file(folder: str, name: str) -> Path:
    installed = _PACKAGE / folder / name
    return installed if installed.exists() else _PACKAGE.parents[1] / folder / name
