"""What `deploy/` says, and the declarations that it has to agree with."""

from collections.abc import Callable, Mapping
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest
import yaml

from bedplate.backend import Backend
from bedplate.cli.settings import ProcessSettings
from bedplate.runtime.process import CLOSING_SECONDS
from bedplate.settings import Settings

Document = dict[str, Any]
Environment = Mapping[str, str]
Drain = Callable[[Environment], float]
Known = Callable[[Backend], set[str]]


@pytest.fixture(scope="session")
def deploy() -> Path:
    """Give the folder `deploy/`."""
    return Path(__file__).parents[4] / "deploy"


@pytest.fixture(scope="session")
def backends() -> dict[str, Backend]:
    """Give the five backends by name, as the distribution declares them."""
    points = entry_points(group="bedplate.backends")
    return {item.name: item.load() for item in points if item.value.startswith("fountain.")}


@pytest.fixture(scope="session")
def compose(deploy: Path) -> Document:
    """Give the compose file, merge keys resolved and variables not."""
    document: Document = yaml.safe_load((deploy / "compose.yaml").read_text())
    return document


@pytest.fixture(scope="session")
def kong(deploy: Path) -> Document:
    """Give Kong's configuration."""
    document: Document = yaml.safe_load((deploy / "kong" / "kong.yml").read_text())
    return document


@pytest.fixture(scope="session")
def manifests(deploy: Path) -> dict[str, list[Document]]:
    """Give the Kubernetes resources by the stem of their file."""
    files = sorted((deploy / "kubernetes").glob("*.yaml"))
    return {file.stem: list(yaml.safe_load_all(file.read_text())) for file in files}


@pytest.fixture
def drain(monkeypatch: pytest.MonkeyPatch) -> Drain:
    """Give a function that returns the maximum seconds in which such a process stops."""

    def longest_drain(environment: Environment) -> float:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        serving = ProcessSettings.load(_env_file=None).serving(production=True)
        return serving.deadline_seconds + 2 * CLOSING_SECONDS

    return longest_drain


@pytest.fixture(scope="session")
def known() -> Known:
    """Give a function that names every variable that a backend's process reads."""

    def variables(backend: Backend) -> set[str]:
        result: set[str] = set()
        classes: list[type[Settings]] = [backend.settings, ProcessSettings]
        for settings in classes:
            result |= {settings.variable(name) for name in settings.model_fields}
            result |= {name.upper() for name in settings.shared}
        return result

    return variables
