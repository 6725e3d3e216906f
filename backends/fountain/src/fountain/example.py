"""Where the example lies: in the package when installed, beside `src` in the repository."""

from pathlib import Path

EXAMPLE = "romeo-and-juliet.fountain"
_PACKAGE = Path(__file__).parent


def example() -> Path:
    """Return the path of a scene that ships with the services."""
    installed = _PACKAGE / "examples" / EXAMPLE
    return installed if installed.exists() else _PACKAGE.parents[1] / "examples" / EXAMPLE
