"""Where the contracts lie: in the package when installed, beside `src` in the repository."""

from pathlib import Path

_PACKAGE = Path(__file__).parent


def contract_file(name: str) -> Path:
    """Return the path of a contract's file, or of one of its additions."""
    installed = _PACKAGE / "contracts" / name
    return installed if installed.exists() else _PACKAGE.parents[1] / "contracts" / name
