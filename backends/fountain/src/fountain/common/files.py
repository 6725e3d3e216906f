from pathlib import Path

EXAMPLE = "romeo-and-juliet.fountain"
_PACKAGE = Path(__file__).parents[1]


def example_file() -> Path:
    """Return the path of a scene in the Fountain format."""
    return shipped_file("examples", EXAMPLE)


def shipped_file(folder: str, name: str) -> Path:
    """Return the path of a file that ships with the services; in the repository, beside `src`."""
    installed = _PACKAGE / folder / name
    return installed if installed.exists() else _PACKAGE.parents[1] / folder / name
