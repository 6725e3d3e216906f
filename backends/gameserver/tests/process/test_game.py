"""The game's life: started, watched, stopped; on the simulated game, which is a real process."""

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from gameserver.events import Event, EventKind, Events
from gameserver.process.exceptions import (
    GameAlreadyRunning,
    GameBusy,
    GameNotInstalled,
    GameNotStopped,
    StartCancelled,
    StartRefused,
)
from gameserver.process.game import Game
from gameserver.status import AT_REST, GameState

OpenGame = Callable[..., Awaitable[Game]]
OpenState = Callable[..., Awaitable[dict[str, Any]]]

SOON = 20.0
"""Seconds that are more than enough."""

NEVER = 3600.0


async def run(game: Game) -> int:
    """Start the game, wait until it runs, and return its process id."""
    await game.start(by="test")
    status = await game.wait_for(GameState.RUNNING, timeout=SOON)
    assert status.pid is not None
    return status.pid


def state_of(game: Game) -> GameState:
    """Return what the game is doing by now."""
    return game.status.state


def purpose_of(game: Game) -> str | None:
    """Return what has the world to itself by now."""
    return game.busy_with


async def test_a_life(game: Game) -> None:
    """Stopped, starting, running with port and version, stopped with its world saved."""
    assert state_of(game) is GameState.STOPPED
    assert game.status.simulated
    await game.start(by="test")
    assert state_of(game) is GameState.STARTING
    status = await game.wait_for(GameState.RUNNING, timeout=SOON)
    assert status.port == game.console.facts.current.port
    assert status.version == "1.21.6"
    await game.stop(by="test", reason="Test.")
    assert state_of(game) is GameState.STOPPED
    assert (game.status.exit_code, game.status.reason, game.status.pid) == (0, "Test.", None)
    assert game.console.facts.current.saves.count == 1


async def test_events_of_a_life(open_state: OpenState) -> None:
    """Each state is published, and the save."""
    state = await open_state()
    events: Events = state["events"]
    kinds: list[EventKind] = []
    events.listen(lambda event: kinds.append(event.kind))
    await run(state["game"])
    await state["game"].stop(by="test", reason="Test.")
    assert kinds == [
        EventKind.STARTING,
        EventKind.RUNNING,
        EventKind.STOPPING,
        EventKind.WORLD_SAVED,
        EventKind.STOPPED,
    ]


async def test_players_read_why(running_game: Game) -> None:
    """Before the stop the game announces it."""
    await running_game.stop(by="test", reason="Test.")
    texts = [entry.item.text for entry in running_game.console.lines.since(0)]
    assert any("announced: The server is stopping." in text for text in texts)


async def test_a_second_start_is_refused(running_game: Game) -> None:
    """While there is a process there is no other, however often it's asked for at once."""
    with pytest.raises(GameAlreadyRunning):
        await running_game.start(by="test")
    await running_game.stop(by="test", reason="Test.")
    starts = [running_game.start(by="test") for _ in range(10)]
    done = await asyncio.gather(*starts, return_exceptions=True)
    assert done.count(None) == 1
    assert {type(item) for item in done if item is not None} <= {GameBusy, GameAlreadyRunning}
    games = [
        child for child in psutil.Process().children() if "gameserver_simulator" in child.cmdline()
    ]
    assert len(games) == 1


async def test_a_restart(running_game: Game) -> None:
    """A restart is a stop and a start; of a stopped game it is a start."""
    before = running_game.status.pid
    await running_game.restart(by="test", reason="Test.")
    status = await running_game.wait_for(GameState.RUNNING, timeout=SOON)
    assert status.pid != before
    await running_game.stop(by="test", reason="Test.")
    await running_game.restart(by="test", reason="Test.")
    await running_game.wait_for(GameState.RUNNING, timeout=SOON)


async def test_stops_at_once_are_one(running_game: Game) -> None:
    """Everybody who stops the game waits for the same stop; stopping again does nothing."""
    stops = [running_game.stop(by="test", reason=f"Stop {number}.") for number in range(5)]
    await asyncio.gather(*stops)
    reason = running_game.status.reason
    assert reason in {f"Stop {number}." for number in range(5)}
    await running_game.stop(by="test", reason="Again.")
    assert running_game.status.reason == reason


async def test_who_goes_away_doesnt_end_the_stop(running_game: Game) -> None:
    """A request that is cancelled leaves the stop under way, and it ends well."""
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await running_game.stop(by="test", reason="Test.")
    status = await running_game.wait_for(GameState.STOPPED, timeout=SOON)
    assert status.exit_code == 0


async def test_a_stop_while_starting(open_game: OpenGame) -> None:
    """A game that isn't ready yet takes no commands: SIGTERM ends it."""
    game = await open_game(simulate={"hang_at_start": 1})
    await game.start(by="test")
    await game.stop(by="test", reason="Test.")
    assert state_of(game) is GameState.STOPPED
    assert game.status.reason == "Test."


async def test_a_start_that_is_overtaken_by_a_stop(game: Game) -> None:
    """A stop that comes while the start is being prepared calls it off."""

    async def stop() -> None:
        await game.stop(by="test", reason="Changed my mind.")

    game.lifecycle.before_start = [stop]
    with pytest.raises(StartCancelled):
        await game.start(by="test")
    assert state_of(game) is GameState.STOPPED


async def test_a_hang_at_stop(open_game: OpenGame) -> None:
    """When `/stop` leads nowhere, SIGTERM follows, which saves the world."""
    game = await open_game(simulate={"hang_at_stop": 1}, stop_seconds=0.3)
    await run(game)
    await game.stop(by="test", reason="Test.")
    assert game.status.reason == "Test; it took SIGTERM to stop it."
    assert game.console.facts.current.saves.count == 1


async def test_a_game_that_ignores_everything(open_game: OpenGame) -> None:
    """When SIGTERM is ignored too, the process is killed, and the reason says what that means."""
    game = await open_game(
        simulate={"hang_at_stop": 1, "ignore_sigterm": 1}, stop_seconds=0.2, terminate_seconds=0.2
    )
    await run(game)
    await game.stop(by="test", reason="Test.")
    assert state_of(game) is GameState.STOPPED
    assert game.status.exit_code == -signal.SIGKILL
    assert game.status.reason is not None
    assert "killed" in game.status.reason
    assert "lost" in game.status.reason


async def test_kill_while_a_stop_hangs(open_game: OpenGame) -> None:
    """Kill works at once in the middle of a stop that would take an hour."""
    game = await open_game(simulate={"hang_at_stop": 1, "ignore_sigterm": 1}, stop_seconds=NEVER)
    await run(game)
    stop = asyncio.create_task(game.stop(by="test", reason="Test."))
    await game.wait_for(GameState.STOPPING, timeout=SOON)
    await asyncio.wait_for(game.kill(by="test"), SOON)
    await asyncio.wait_for(stop, SOON)
    assert game.status.exit_code == -signal.SIGKILL
    assert game.status.reason == "It was killed; what was not saved is lost."


async def test_kill_while_a_restart_hangs(open_game: OpenGame) -> None:
    """Kill in the middle of a restart ends the game, and it stays down."""
    game = await open_game(simulate={"hang_at_stop": 1, "ignore_sigterm": 1}, stop_seconds=NEVER)
    await run(game)
    restart = asyncio.create_task(game.restart(by="test", reason="Test."))
    await game.wait_for(GameState.STOPPING, timeout=SOON)
    await asyncio.wait_for(game.kill(by="test"), SOON)
    with pytest.raises(StartCancelled):
        await asyncio.wait_for(restart, SOON)
    assert state_of(game) is GameState.STOPPED


async def test_kill_a_frozen_process(running_game: Game) -> None:
    """A process that is stopped by SIGSTOP and reads nothing is killed all the same."""
    assert running_game.status.pid is not None
    os.kill(running_game.status.pid, signal.SIGSTOP)
    await asyncio.wait_for(running_game.kill(by="test"), SOON)
    assert running_game.status.exit_code == -signal.SIGKILL


async def test_kill_without_a_process(game: Game) -> None:
    """Killing what doesn't run changes nothing."""
    await game.kill(by="test")
    assert state_of(game) is GameState.STOPPED


async def test_a_stop_from_within(running_game: Game) -> None:
    """When an admin in the game stops it, it stays stopped, with the exit code they gave."""
    await running_game.console.send("/stop 3", by="test")
    status = await running_game.wait_for(GameState.STOPPED, GameState.CRASHED, timeout=SOON)
    assert status.state is GameState.STOPPED
    reason = "The game was stopped from within: Shutdown via server command."
    assert (status.exit_code, status.reason) == (3, reason)


async def test_a_start_right_after_a_stop_from_within(running_game: Game) -> None:
    """While the end is written down the game is not at rest yet; the next start is seen whole."""
    await running_game.console.send("/stop", by="test")
    async with asyncio.timeout(SOON):
        while running_game.status.state is not GameState.STARTING:
            with contextlib.suppress(GameAlreadyRunning):
                await running_game.start(by="test")
            await asyncio.sleep(0)
    status = await running_game.wait_for(GameState.RUNNING, *AT_REST, timeout=SOON)
    assert status.state is GameState.RUNNING
    assert status.pid is not None


async def test_a_crash_is_followed_by_a_start(open_game: OpenGame) -> None:
    """A game that crashes is started again after a pause, and runs."""
    game = await open_game(simulate={"crash_first": 1})
    await game.start(by="test")
    status = await game.wait_for(GameState.CRASHED, timeout=SOON)
    assert status.reason
    assert status.restart_at is not None
    assert status.last_lines
    await game.wait_for(GameState.RUNNING, timeout=SOON)


async def test_a_crash_loop_is_given_up(open_state: OpenState) -> None:
    """After the third crash the game stays down; an event says why, with its last lines."""
    state = await open_state(simulate={"crash_first": 99})
    game: Game = state["game"]
    events: list[Event] = []
    gave_up = asyncio.Event()

    def listen(event: Event) -> None:
        events.append(event)
        if event.kind is EventKind.GAVE_UP:
            gave_up.set()

    state["events"].listen(listen)
    await game.start(by="test")
    await asyncio.wait_for(gave_up.wait(), SOON)
    assert [event.kind for event in events].count(EventKind.CRASHED) == 3
    assert state_of(game) is GameState.CRASHED
    assert game.status.restart_at is None
    assert events[-1].facts["last_lines"]
    await game.stop(by="test", reason="Enough.")
    assert state_of(game) is GameState.STOPPED


async def test_a_pending_restart_is_called_off(open_game: OpenGame) -> None:
    """A stop between a crash and the next start keeps the game down."""
    game = await open_game(simulate={"crash_first": 99}, crash_first_pause_seconds=NEVER)
    await game.start(by="test")
    await game.wait_for(GameState.CRASHED, timeout=SOON)
    await game.stop(by="test", reason="Enough.")
    assert (state_of(game), game.status.restart_at) == (GameState.STOPPED, None)
    assert game.lifecycle.policy.planned._planned is None


async def test_a_missing_runtime_is_explained(open_game: OpenGame) -> None:
    """Exit code 150 is explained, and what the host wrote to standard error is shown."""
    game = await open_game(simulate={"missing_runtime": 1}, crash_limit=1)
    await game.start(by="test")
    status = await game.wait_for(GameState.CRASHED, timeout=SOON)
    assert status.exit_code == 150
    assert status.reason is not None
    assert ".NET runtime" in status.reason
    assert any("You must install or update .NET" in line for line in status.last_lines)


async def test_a_game_that_is_killed_from_outside(open_game: OpenGame) -> None:
    """A game that somebody kills has crashed; the signal is named."""
    game = await open_game(crash_limit=1)
    pid = await run(game)
    os.kill(pid, signal.SIGKILL)
    status = await game.wait_for(GameState.CRASHED, timeout=SOON)
    assert status.reason is not None
    assert "SIGKILL" in status.reason
    assert len(game.console.online) == 0


async def test_a_game_that_is_told_to_end_from_outside(running_game: Game) -> None:
    """SIGTERM from outside is a stop: the world is saved, and the game is not started again."""
    assert running_game.status.pid is not None
    os.kill(running_game.status.pid, signal.SIGTERM)
    status = await running_game.wait_for(GameState.STOPPED, GameState.CRASHED, timeout=SOON)
    assert status.state is GameState.STOPPED
    assert status.reason == (
        "The game was stopped from outside: External close event (CTRL+C/kill/etc)."
    )
    assert running_game.console.facts.current.saves.count == 1


@pytest.mark.parametrize(
    ("fatal", "words"), [(0, "Out of disk space."), (1, "Disk space is below")]
)
async def test_a_full_disk(open_state: OpenState, fatal: int, words: str) -> None:
    """A game that ends itself for lack of disk space has crashed, in whatever way it says so.

    Its words are the reason. It isn't started again, since no start frees the disk, and an event
    says so. It is still wanted: the next manager tries again.
    """
    state = await open_state(simulate={"disk_free_mb": 10, "fatal_self_kills": fatal})
    game: Game = state["game"]
    events: list[Event] = []
    state["events"].listen(events.append)
    await game.start(by="test")
    status = await game.wait_for(GameState.CRASHED, GameState.STOPPED, timeout=SOON)
    assert status.state is GameState.CRASHED
    assert status.reason is not None
    assert words in status.reason
    assert status.last_lines
    assert status.restart_at is None
    assert events[-1].kind is EventKind.GAVE_UP
    assert "would crash again, and stays down" in events[-1].text
    assert (await game.lifecycle.record.read()).wanted


async def test_a_game_that_ends_itself_in_order_is_started_again(open_state: OpenState) -> None:
    """Too much memory or too many errors: an orderly end that nobody wished for is a crash."""
    reason = "Too many errors detected. See server-main.log file"
    state = await open_state(simulate={"self_kill": reason}, crash_first_pause_seconds=NEVER)
    game: Game = state["game"]
    kinds: list[EventKind] = []
    state["events"].listen(lambda event: kinds.append(event.kind))
    await game.start(by="test")
    status = await game.wait_for(GameState.CRASHED, GameState.STOPPED, timeout=SOON)
    assert status.state is GameState.CRASHED
    assert status.reason == f"The game ended itself: {reason}."
    assert status.last_lines
    assert status.restart_at is not None
    assert EventKind.CRASHED in kinds


async def test_the_error_after_the_end_explains_it(open_game: OpenGame) -> None:
    """What the game logs behind its shutdown, as an error, is part of the reason."""
    game = await open_game(crash_limit=1)
    game.launcher.layout.server_config.write_text('{"Port": }')
    await game.start(by="test")
    status = await game.wait_for(GameState.CRASHED, GameState.STOPPED, timeout=SOON)
    assert status.state is GameState.CRASHED
    assert status.reason is not None
    assert "serverconfig.json read error. Failed to read a settings file." in status.reason


async def test_a_port_that_is_taken(open_game: OpenGame) -> None:
    """The start is refused, in a sentence that names the port; nothing is started."""
    with socket.create_server(("", 0)) as other:
        port = other.getsockname()[1]
        game = await open_game(game_port=port)
        with pytest.raises(StartRefused, match=str(port)):
            await game.start(by="test")
        assert state_of(game) is GameState.STOPPED
    await run(game)


async def test_a_port_that_is_held_for_a_while_after_a_crash(open_state: OpenState) -> None:
    """Refused starts use up no crashes: the game runs once a left-over child lets the port go.

    The refusal is published once, however often it is tried.
    """
    state = await open_state(
        simulate={"crash_first": 1}, crash_first_pause_seconds=0.5, crash_max_pause_seconds=0.5
    )
    game: Game = state["game"]
    texts: list[str] = []
    state["events"].listen(lambda event: texts.append(event.text))
    await game.start(by="test")
    await game.wait_for(GameState.CRASHED, timeout=SOON)
    with socket.create_server(("", game.launcher.settings.game_port or 0)):
        async with asyncio.timeout(SOON):
            while refusals_of(game) < 4:  # noqa: ASYNC110 - no event says so
                await asyncio.sleep(0.05)
        assert game.status.restart_at is not None
    await game.wait_for(GameState.RUNNING, timeout=SOON)
    assert sum("is taken by another program" in text for text in texts) == 1


def refusals_of(game: Game) -> int:
    """Return how many starts were refused."""
    lines = [entry.item.text for entry in game.console.lines.since(0)]
    return sum(line.startswith("The start was refused") for line in lines)


async def test_a_program_that_cannot_be_started(open_game: OpenGame, tmp_path: Path) -> None:
    """A command that doesn't exist is a refusal in words, not a crash."""
    game = await open_game(game_command=str(tmp_path / "nothing"))
    with pytest.raises(StartRefused, match="no such file"):
        await game.start(by="test")
    assert state_of(game) is GameState.STOPPED


async def test_nothing_installed_in_production(open_game: OpenGame) -> None:
    """In production nothing is simulated: the state says what is missing."""
    game = await open_game(environment="production")
    assert state_of(game) is GameState.NOT_INSTALLED
    with pytest.raises(GameNotInstalled):
        await game.start(by="test")
    async with game.exclusive("an installation", installing=True):
        assert state_of(game) is GameState.INSTALLING
    assert state_of(game) is GameState.NOT_INSTALLED


async def test_what_has_the_world_to_itself(game: Game) -> None:
    """While something has the world to itself nothing starts, and the refusal names it."""
    async with game.exclusive("a restore"):
        assert purpose_of(game) == "a restore"
        with pytest.raises(GameBusy, match="a restore"):
            await game.start(by="test")
        with pytest.raises(GameBusy, match="a restore"):
            async with game.exclusive("an update"):
                pass
    assert purpose_of(game) is None
    await run(game)
    with pytest.raises(GameNotStopped):
        async with game.exclusive("a restore"):
            pass


async def test_a_restart_after_a_crash_waits_for_the_world(open_game: OpenGame) -> None:
    """The start after a crash waits until nobody has the world to itself."""
    game = await open_game(simulate={"crash_first": 1}, crash_first_pause_seconds=0.01)
    await game.start(by="test")
    await game.wait_for(GameState.CRASHED, timeout=SOON)
    try:
        async with game.exclusive("a restore"):
            with pytest.raises(TimeoutError):
                await game.wait_for(GameState.STARTING, timeout=0.2)
    except (GameBusy, GameNotStopped):
        pass  # the next start was quicker than this test
    await game.wait_for(GameState.RUNNING, timeout=SOON)


async def test_the_game_sees_a_clean_environment(
    open_game: OpenGame, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No secret of the manager is in the environment of the real process."""
    monkeypatch.setenv("VS_SOME_SECRET", "hunter2")
    pid = await run(await open_game())
    environment = psutil.Process(pid).environ()
    assert "SQLITE_TMPDIR" in environment
    assert not any(name.startswith("VS_") for name in environment)
    assert "hunter2" not in str(environment)


async def test_the_process_is_on_its_own(running_game: Game) -> None:
    """It leads a session of its own: Ctrl-C in the manager's terminal doesn't reach it."""
    pid = running_game.status.pid
    assert pid is not None
    assert os.getsid(pid) == pid


async def test_a_manager_that_goes_away_saves_the_world(open_state: OpenState) -> None:
    """When the process begins to drain, the game stops without waiting for the last requests."""
    state = await open_state()
    game: Game = state["game"]
    await run(game)
    state["drain"].begin()
    status = await game.wait_for(GameState.STOPPED, timeout=SOON)
    assert status.reason == "The manager shuts down."
