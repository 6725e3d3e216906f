"""What the figures were measured on and with."""

import os
import platform
from importlib.metadata import version

_LIBRARIES = (
    "fastapi",
    "starlette",
    "pydantic",
    "sqlalchemy",
    "asyncpg",
    "uvicorn",
    "uvloop",
    "orjson",
    "limits",
    "slowapi",
    "prometheus-fastapi-instrumentator",
)


def describe(postgres_version: str) -> str:
    """Return two sentences: the machine with its servers, and the libraries."""
    libraries = ", ".join(f"{name} {version(name)}" for name in _LIBRARIES)
    return (
        f"{os.cpu_count()} cores ({platform.machine()}, {platform.system()}),"
        f" {platform.python_implementation()} {platform.python_version()},"
        f" PostgreSQL {postgres_version}.\n"
        f"Libraries: {libraries}."
    )
