"""`bedplate tasks sign-in`, as a person types it."""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from fastapi import FastAPI
from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from bedplate.application import create_app
from bedplate.testing.client import client
from tasks.backend import backend
from tasks.settings import TasksSettings

BEDPLATE = str(Path(sys.executable).with_name("bedplate"))
Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give an empty folder to work in."""
    return tmp_path


@pytest.fixture
def bedplate(folder: Path) -> Run:
    """Give what runs the command in that folder, with some variables and no others."""

    def run(*words: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [BEDPLATE, *words],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run


@pytest.fixture
def development_app(folder: Path) -> FastAPI:
    """Give the API on the database that the command makes in that folder."""
    url = SecretStr(f"sqlite:///{folder}/.bedplate/tasks.sqlite3")
    settings = TasksSettings(_env_file=None, database_url=url)
    return create_app(backend, settings, registry=CollectorRegistry())


async def test_the_token_that_is_printed_works(bedplate: Run, development_app: FastAPI) -> None:
    """In an empty folder it makes the database, a user and a session, and prints curl lines."""
    signed_in = bedplate("tasks", "sign-in", "ada@example.com", "--url", "http://127.0.0.1:1234")
    assert (signed_in.returncode, signed_in.stderr) == (0, "")
    found = re.search(r"ada@example\.com.*: ([0-9a-f]{32})\n", signed_in.stdout)
    assert found
    lines = [line for line in signed_in.stdout.splitlines() if line.startswith("curl ")]
    assert len(lines) == 2
    assert all("http://127.0.0.1:1234/tasks" in line and found[1] in line for line in lines)
    async with client(development_app) as api:
        proof = {"Authorization": f"Bearer {found[1]}"}
        task = await api.post("/tasks", json={"title": "Read the docs"}, headers=proof)
        assert task.status_code == 201


def test_a_session_can_be_checked(bedplate: Run) -> None:
    """The command says what clients never learn: whose it is, or why it is refused."""
    signed_in = bedplate("tasks", "sign-in", "ada@example.com")
    found = re.search(r": ([0-9a-f]{32})\n", signed_in.stdout)
    assert found
    valid = bedplate("tasks", "check-session", found[1])
    assert (valid.returncode, valid.stderr) == (0, "")
    assert re.fullmatch(r"Valid: the user [0-9a-f-]{36}\.\n", valid.stdout)
    other_secret = {"SESSION_HASH_SECRET": "x" * 32}
    refused = bedplate("tasks", "check-session", found[1], **other_secret)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.startswith("Error: Refused (unknown_session): No session has this token")
    cookie = bedplate("tasks", "check-session", "--cookie", found[1])
    assert cookie.stderr == "Error: With TASKS_SESSIONS=hashed no cookie counts.\n"


def test_a_database_that_is_away_is_one_line(bedplate: Run, folder: Path) -> None:
    """Without its database each command ends with one sentence that names the setting."""
    away = {"DATABASE_URL": "postgresql://app:hunter2@127.0.0.1:1/tasks"}
    checked = bedplate("tasks", "check-session", "x" * 32, **away)
    (folder / ".bedplate").write_text("not a folder")
    signed_in = bedplate("tasks", "sign-in", "ada@example.com")
    for done in (checked, signed_in):
        assert done.returncode == 1
        assert done.stderr.startswith("Error: tasks: its database is unavailable (")
        assert "TASKS_DATABASE_URL" in done.stderr
        assert "hunter2" not in done.stderr
        assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "environment",
    [
        {
            "ENVIRONMENT": "production",
            "DATABASE_URL": "sqlite:///tasks.sqlite3",
            "SESSION_HASH_SECRET": "0123456789abcdef" * 4,
            "CORS_ORIGINS": "https://todo.example",
        },
        {"DATABASE_URL": "postgresql://127.0.0.1:1/tasks"},
        {"TASKS_SESSIONS": "jwt", "BETTER_AUTH_URL": "https://auth.example"},
        {"TASKS_SESSIONS": "better-auth", "BETTER_AUTH_SECRET": "0123456789abcdef" * 2},
        {"TASKS_SESSIONS": "introspection", "BETTER_AUTH_URL": "https://auth.example"},
    ],
    ids=["production", "database-url", "jwt", "better-auth", "introspection"],
)
def test_it_is_for_development_only(
    bedplate: Run, folder: Path, environment: dict[str, str]
) -> None:
    """In production, and where an auth server makes sessions, it fails in one line."""
    refused = bedplate("tasks", "sign-in", "ada@example.com", **environment)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.startswith("Error: sign-in makes sessions for development only")
    assert refused.stderr.count("\n") == 1
    assert list(folder.iterdir()) == []
