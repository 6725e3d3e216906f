"""What is deployed names settings that exist, asks for its secrets, and starts in production."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import SecretStr

from bedplate.settings import SettingsError
from live.settings import LiveSettings

DEPLOY = Path(__file__).parents[4] / "deploy" / "live"
SECRETS = {"LIVE_DATABASE_URL", "LIVE_REDIS_URL", "LIVE_TOKEN_SECRET"}


def task_container() -> dict[str, Any]:
    """Return the container of the ECS task definition."""
    task = json.loads((DEPLOY / "ecs-task-definition.json").read_text())
    container: dict[str, Any] = task["containerDefinitions"][0]
    return container


def compose_service() -> dict[str, Any]:
    """Return the service of the Compose file."""
    service: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"][
        "live"
    ]
    return service


def known(name: str) -> bool:
    """Return whether a variable is one of a setting, or of the runtime."""
    fields = LiveSettings.model_fields
    shared = {field.upper() for field in LiveSettings.shared}
    own = {f"LIVE_{field.upper()}" for field in fields}
    return name in own | shared | {"BEDPLATE_GRACE_SECONDS", "BEDPLATE_DEADLINE_SECONDS"}


def test_every_variable_is_a_setting() -> None:
    """No file sets a variable that nothing reads."""
    container = task_container()
    names = {each["name"] for each in container["environment"] + container["secrets"]}
    names |= set(compose_service()["environment"])
    assert [name for name in sorted(names) if not known(name)] == []


def test_secrets_come_from_secrets_manager() -> None:
    """What is secret is no plain variable of the task, and comes from Secrets Manager."""
    container = task_container()
    assert {secret["name"] for secret in container["secrets"]} == SECRETS
    sources = [secret["valueFrom"] for secret in container["secrets"]]
    assert all(source.startswith("arn:aws:secretsmanager:") for source in sources)
    assert not SECRETS & {each["name"] for each in container["environment"]}


def test_the_task_starts_with_its_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the task's variables and good secrets the settings load; without one they don't."""
    for each in task_container()["environment"]:
        monkeypatch.setenv(each["name"], each["value"])
    monkeypatch.setenv("LIVE_DATABASE_URL", "postgresql://live:x@db/live")
    monkeypatch.setenv("LIVE_REDIS_URL", "rediss://cache:6379/0")
    with pytest.raises(SettingsError, match="LIVE_TOKEN_SECRET"):
        LiveSettings.load(_env_file=None)
    monkeypatch.setenv("LIVE_TOKEN_SECRET", "7" * 64)
    settings = LiveSettings.load(_env_file=None)
    assert settings.production
    assert settings.token_secret == SecretStr("7" * 64)


def test_there_is_time_to_stop() -> None:
    """Who stops the container waits longer than grace and deadline together."""
    container, service = task_container(), compose_service()
    task = {each["name"]: each["value"] for each in container["environment"]}
    for variables, seconds in (
        (task, container["stopTimeout"]),
        (service["environment"], int(re.sub("s$", "", service["stop_grace_period"]))),
    ):
        needed = int(variables["BEDPLATE_GRACE_SECONDS"]) + int(
            variables["BEDPLATE_DEADLINE_SECONDS"]
        )
        assert needed < seconds
