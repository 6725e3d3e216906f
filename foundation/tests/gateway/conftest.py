"""Backends with public hosts, and what a gateway makes of them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic_settings import SettingsConfigDict

from bedplate.backend import Backend
from bedplate.contracts import ContractBinding, Operations
from bedplate.gateway import PublicService, public_services
from bedplate.settings import Settings

Declare = Callable[..., Backend]
Bind = Callable[..., ContractBinding]


class PlainSettings(Settings):
    """Settings of a backend that is never started."""

    model_config = SettingsConfigDict(env_prefix="PLAIN_", env_file=None)


@pytest.fixture
def declare() -> Declare:
    """Give what declares a backend: `declare("notes", hosts=["notes.example.com"])`."""

    def declare(name: str, **values: Any) -> Backend:
        return Backend(name=name, title=name.title(), settings=PlainSettings, **values)

    return declare


@pytest.fixture
def bind(tmp_path: Path) -> Bind:
    """Give what binds a contract that names these servers and has no operation."""

    def bind(*urls: str) -> ContractBinding:
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.yaml"
        document = {
            "openapi": "3.1.0",
            "info": {"title": "Bound", "version": "1"},
            "servers": [{"url": url} for url in urls],
            "paths": {},
        }
        path.write_text(yaml.safe_dump(document), encoding="utf-8")
        return ContractBinding(path, Operations())

    return bind


@pytest.fixture
def services(declare: Declare) -> list[PublicService]:
    """Give two services: `notes` with two hosts, `songs` with one."""
    return public_services(
        [
            declare("songs", hosts=["songs.example.com"]),
            declare("notes", hosts=["notes.example.com", "memo.example.com"]),
        ]
    )
