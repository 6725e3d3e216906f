"""Which pages are z-pages."""

import pytest

from bedplate.observability.z_pages import is_z_page


@pytest.mark.parametrize(
    ("path", "root_path", "expected"),
    [
        ("/healthz", "", True),
        ("/shop/readyz", "/shop", True),
        ("/readyz", "/shop", True),
        ("/items", "", False),
        ("/items/healthz", "", False),
    ],
)
def test_z_pages(path: str, root_path: str, expected: bool) -> None:
    """A z-page is one also where its backend is mounted under a path."""
    assert is_z_page({"path": path, "root_path": root_path}) is expected
