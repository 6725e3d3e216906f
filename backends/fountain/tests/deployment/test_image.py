"""The image's recipe."""

import json
import re
import tomllib
from pathlib import Path

import pytest


@pytest.fixture
def instructions(deploy: Path) -> list[str]:
    """Give the instructions of the Dockerfile, each on one line."""
    text = (deploy / "Dockerfile").read_text().replace("\\\n", " ")
    lines = (" ".join(line.split()) for line in text.splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def test_it_runs_as_nobody_in_particular(instructions: list[str]) -> None:
    """With a number, not as root, and the process is the container's first."""
    users = [line for line in instructions if line.startswith("USER ")]
    assert users == ["USER ${USER_ID}:${USER_ID}"]
    assert "ARG USER_ID=10001" in instructions
    assert 'ENTRYPOINT ["bedplate"]' in instructions


@pytest.mark.parametrize("port", [None, "", "9191"])
def test_it_says_whether_it_is_alive(
    instructions: list[str], monkeypatch: pytest.MonkeyPatch, port: str | None
) -> None:
    """By the z-page on the operations port, wherever the setting puts it."""
    asked = []
    monkeypatch.setattr("urllib.request.urlopen", lambda url, timeout: asked.append(url))
    monkeypatch.delenv("BEDPLATE_OPERATIONS_PORT", raising=False)
    if port is not None:
        monkeypatch.setenv("BEDPLATE_OPERATIONS_PORT", port)
    (check,) = (line for line in instructions if line.startswith("HEALTHCHECK "))
    *_, program = json.loads(check.partition(" CMD ")[2])
    exec(program, {})
    assert asked == [f"http://127.0.0.1:{port or 9090}/healthz"]


def test_nothing_for_development_is_installed(instructions: list[str]) -> None:
    """Locked dependencies, without dev groups, with byte code, are in a stage of their own."""
    (sync,) = (line for line in instructions if "uv sync" in line)
    assert "--locked --no-default-groups --no-editable" in sync
    assert any("UV_COMPILE_BYTECODE=1" in line for line in instructions)
    assert len([line for line in instructions if line.startswith("FROM ")]) == 2


def test_its_python_is_one_that_bedplate_runs_on(instructions: list[str], deploy: Path) -> None:
    """As the distribution says."""
    match = re.search(r"ARG PYTHON=3\.(\d+)", "\n".join(instructions))
    assert match
    project = tomllib.loads((deploy.parent / "foundation" / "pyproject.toml").read_text())
    assert project["project"]["requires-python"] == ">=3.11"
    assert int(match[1]) >= 11


def test_every_image_can_have_opentelemetry(deploy: Path) -> None:
    """Whichever backend is built: the image has no pip that could add it later."""
    projects = [
        tomllib.loads(path.read_text())["project"]
        for path in (deploy.parent / "backends").glob("*/pyproject.toml")
    ]
    backends = [each for each in projects if "bedplate.backends" in each.get("entry-points", {})]
    assert {"audits", "fountain", "gameserver", "live", "tasks"} <= {b["name"] for b in backends}
    for backend in backends:
        extras = backend.get("optional-dependencies", {})
        assert extras.get("otel") == ["bedplate[otel]"], backend["name"]
