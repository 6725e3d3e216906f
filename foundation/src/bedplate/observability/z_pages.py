"""The pages by which a process is watched."""

from collections.abc import Mapping
from typing import Any

Z_PAGES = frozenset({"/healthz", "/readyz", "/statusz", "/metrics"})


def is_z_page(scope: Mapping[str, Any]) -> bool:
    """Whether a request asks for a z-page, wherever its backend is mounted."""
    path: str = scope.get("path", "")
    if root_path := scope.get("root_path"):
        path = path.removeprefix(root_path)
    return path in Z_PAGES
