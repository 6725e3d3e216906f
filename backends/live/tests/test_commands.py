"""`bedplate live …` as a person types it."""

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from bedplate.cli.exceptions import CommandError
from bedplate.database import Database
from live.commands import app
from live.settings import LiveSettings

if TYPE_CHECKING:
    from backends.live.tests.conftest import Evening

BEDPLATE = str(Path(sys.executable).with_name("bedplate"))
NOBODY = "00000000-0000-4000-8000-000000000000"


async def test_damaged_counters_are_found_and_repaired(
    evening: "Evening",
    database: Database,
    settings: LiveSettings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each counter that differs is named with what it is and should be; --repair sets it right.

    One that is too high, too low, below zero, missing or of nobody's answer, and how many there
    are. Another session is left alone.
    """
    url = settings.database_url.get_secret_value()

    async def recount(*arguments: str) -> tuple[int, list[str]]:
        # A process takes seconds to start, so only the runs that are `typed` are processes.
        done = await asyncio.to_thread(CliRunner().invoke, app, ["recount", *arguments])
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return done.exit_code, done.stdout.splitlines()

    async def typed(*arguments: str) -> tuple[int, str]:
        done = await asyncio.to_thread(
            subprocess.run,
            [BEDPLATE, "live", "recount", *arguments],
            check=False, capture_output=True, text=True, cwd=tmp_path,
            env={"PATH": "/usr/bin:/bin", "DATABASE_URL": url},
        )  # fmt: skip
        return done.returncode, done.stderr

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATABASE_URL", url)

    guests = await evening.join_many(3)
    options = [{"text": str(number)} for number in range(5)]
    poll = await evening.add_open("poll", config={"options": options, "max_choices": 5})
    for guest in guests:
        await evening.answer(guest, poll, choices=["a", "b", "c", "d"])
    other = await type(evening).create(evening.api)
    await other.add("poll")
    assert await recount() == (0, ["Counted again: 2. Wrong: 0."])
    right = await evening.results(poll)
    damage = [
        "UPDATE live_counter SET count = 4 WHERE key = 'a'",
        "UPDATE live_counter SET count = -1 WHERE key = 'b'",
        "DELETE FROM live_counter WHERE key = 'c'",
        "UPDATE live_counter SET key = 'e' WHERE key = 'd'",
        "UPDATE live_round SET stored = 7",
    ]
    async with database.engine.begin() as connection:
        for statement in damage:
            await connection.execute(text(statement))
    code, lines = await recount()
    assert code == 1
    place = f"{poll['id']} round 1 (poll)"
    differences = [
        "answers is 7, and should be 3", "a is 4, and should be 3", "b is -1, and should be 3",
        "c is 0, and should be 3", "d is 0, and should be 3", "e is 3, and should be 0",
    ]  # fmt: skip
    assert lines == [*(f"{place}: {each}." for each in differences), "Counted again: 2. Wrong: 1."]
    assert await recount(other.id) == (0, ["Counted again: 1. Wrong: 0."])
    assert await typed(evening.id, "--repair") == (0, "")
    assert await recount() == (0, ["Counted again: 2. Wrong: 0."])
    repaired = await evening.results(poll)
    assert {**repaired, "version": 0} == {**right, "version": 0}
    assert repaired["version"] > right["version"]
    assert await typed(NOBODY) == (1, "Error: There is no such session.\n")


def test_a_database_that_is_away_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without its database `recount` ends with one sentence that names the setting."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATABASE_URL", "postgresql://app:hunter2@127.0.0.1:1/live")
    done = CliRunner().invoke(app, ["recount"])
    assert isinstance(done.exception, CommandError)
    assert str(done.exception).startswith("live: its database is unavailable (")
    assert "hunter2" not in str(done.exception)
