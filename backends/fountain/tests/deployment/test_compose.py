"""The compose file: Docker accepts it, and it fits what it runs."""

import re
import shutil
import subprocess
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from bedplate.backend import Backend
from bedplate.gateway.kong import ANSWER_MILLISECONDS
from bedplate.settings import DatabaseSettings, WebURL

Document = dict[str, Any]
Backends = dict[str, Backend]
Drain = Callable[[Mapping[str, str]], float]
Known = Callable[[Backend], set[str]]


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False)


@cache
def _docker_compose() -> list[str] | None:
    """Return the command of Compose 2 or later, or None where there is none."""
    for words in (["docker", "compose"], ["docker-compose"]):
        if shutil.which(words[0]) is None:
            continue
        asked = _run([*words, "version", "--short"])
        if asked.returncode == 0 and re.match(r"v?([2-9]|[1-9]\d)\.", asked.stdout):
            return words
    return None


def test_docker_compose_accepts_it(deploy: Path) -> None:
    """`docker compose config` reads, merges and validates it; no daemon has to run."""
    command = _docker_compose()
    if command is None:
        pytest.skip("needs Docker Compose 2")
    file = str(deploy / "compose.yaml")
    done = _run([*command, "-f", file, "config", "--quiet"])
    assert (done.returncode, done.stderr) == (0, "")


def _seconds(duration: str) -> float:
    match = re.fullmatch(r"(\d+)s", duration)
    assert match, f"{duration} is not in seconds"
    return float(match[1])


def _environment(service: Document) -> dict[str, str]:
    """Return the environment of a service, with the defaults of its variables."""
    given: dict[str, str] = service["environment"]
    return {key: re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", value) for key, value in given.items()}


def test_every_backend_is_a_service(compose: Document, backends: Backends) -> None:
    """From the one image, each with its own command."""
    for name in backends:
        service = compose["services"][name]
        assert service["command"] == ["run", name]
        assert service["build"]["args"] == {"BACKEND": "fountain"}
        assert service["read_only"] is True


def test_kong_waits_until_every_backend_is_ready(compose: Document, backends: Backends) -> None:
    """Their health checks ask for readiness, on the operations port."""
    waits = compose["services"]["kong"]["depends_on"]
    for name in backends:
        assert waits[name] == {"condition": "service_healthy"}
        assert "127.0.0.1:9090/readyz" in compose["services"][name]["healthcheck"]["test"][-1]


def test_a_service_has_the_time_that_its_drain_takes(
    compose: Document, backends: Backends, drain: Drain
) -> None:
    """And Kong that of the longest answer."""
    for name in backends:
        service = compose["services"][name]
        assert _seconds(service["stop_grace_period"]) > drain(_environment(service))
    kong = compose["services"]["kong"]
    assert kong["stop_signal"] == "SIGQUIT"
    assert _seconds(kong["stop_grace_period"]) > ANSWER_MILLISECONDS / 1000


def test_every_variable_is_one_that_is_read(
    compose: Document, backends: Backends, known: Known
) -> None:
    """A misspelt one would silently do nothing."""
    for name, backend in backends.items():
        assert _environment(compose["services"][name]).keys() <= known(backend)


def test_production_takes_these_settings(
    compose: Document, backends: Backends, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each backend that stores has a database in a volume of its own."""
    monkeypatch.setenv("ENVIRONMENT", "production")
    volumes = []
    for name, backend in backends.items():
        service = compose["services"][name]
        for variable, value in _environment(service).items():
            monkeypatch.setenv(variable, value)
        settings = backend.load_settings(_env_file=None)
        if isinstance(settings, DatabaseSettings):
            url = settings.database_url.get_secret_value()
            assert url == f"sqlite:////data/{name}.sqlite3"
            volumes += service["volumes"]
    assert sorted(volumes) == sorted(f"{name}:/data" for name in compose["volumes"])


def test_every_neighbour_is_a_service(compose: Document, backends: Backends) -> None:
    """Each URL that a backend needs is given, and leads to a service and its port."""
    for name, backend in backends.items():
        environment = _environment(compose["services"][name])
        fields = backend.settings.model_fields
        urls = [f for f, field in fields.items() if field.annotation == WebURL | None]
        for field in urls:
            match = re.fullmatch(
                r"http://([a-z-]+):8000", environment[backend.settings.variable(field)]
            )
            assert match
            assert match[1] in backends
