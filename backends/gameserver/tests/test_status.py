"""The table of transitions: complete, reachable, and enforced."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import gameserver
from bedplate.testing.logs import captured_logs
from gameserver.events import Events
from gameserver.status import AT_REST, TRANSITIONS, Cause, GameState, StatusBoard, UnknownTransition

SOURCES = Path(gameserver.__file__).parent


def board(state: GameState, *, strict: bool = True) -> StatusBoard:
    """Return a board in this state, which it reached by the table."""
    found = {GameState.STOPPED: StatusBoard(Events(), strict=strict)}
    while state not in found:
        for before, after, cause in sorted(TRANSITIONS):
            if before in found and after not in found:
                found[after] = StatusBoard(Events(), strict=strict)
                found[after].status = found[before].status
                found[after].become(after, cause)
    return found[state]


@pytest.mark.parametrize("state", GameState)
def test_every_state_is_reachable_and_can_be_left(state: GameState) -> None:
    """From the first state, stopped, the table leads to every state, and on from there."""
    assert board(state).status.state is state
    assert any(before is state for before, _, _ in TRANSITIONS)


def test_a_game_at_rest_gets_a_process_only_by_a_start_or_an_orphan() -> None:
    """And a process is gone only after its exit."""
    crossings = {
        (before in AT_REST, cause)
        for before, after, cause in TRANSITIONS
        if (before in AT_REST) != (after in AT_REST)
    }
    assert crossings == {(True, Cause.START), (True, Cause.ORPHAN), (False, Cause.EXIT)}


@pytest.mark.parametrize("before", GameState)
def test_the_table_is_enforced(before: GameState) -> None:
    """A board accepts the rows of the table and raises for everything else."""
    for after in GameState:
        for cause in Cause:
            shown = board(before)
            if (before, after, cause) in TRANSITIONS:
                shown.become(after, cause)
                assert shown.status.state is after
            else:
                with pytest.raises(UnknownTransition):
                    shown.become(after, cause)
                assert shown.status.state is before


def test_an_unknown_transition_in_production() -> None:
    """It is logged, and the new state is shown: nobody loses control of the game."""
    shown = board(GameState.STOPPED, strict=False)
    with captured_logs() as logs:
        shown.become(GameState.RUNNING, Cause.CONSOLE)
    assert shown.status.state is GameState.RUNNING
    assert [log["event"] for log in logs] == ["unknown_transition"]


def calls_of_become() -> Iterator[tuple[GameState, Cause]]:
    """Yield state and cause of every call of `StatusBoard.become` in the sources."""
    for path in SOURCES.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(".become"):
                for state in constants(node.args[0], "GameState"):
                    for cause in constants(node.args[1], "Cause"):
                        yield GameState[state], Cause[cause]


def constants(node: ast.expr, enum: str) -> list[str]:
    """Return the members of `enum` in an argument; `before.state` is what an installation was."""
    if ast.unparse(node) == "before.state":
        return [state.name for state in sorted(AT_REST - {GameState.INSTALLING})]
    names = [
        part.attr
        for part in ast.walk(node)
        if isinstance(part, ast.Attribute) and ast.unparse(part.value) == enum
    ]
    assert names, ast.unparse(node)
    return [name for name in names if name in {*GameState.__members__, *Cause.__members__}]


def test_the_code_makes_the_transitions_of_the_table() -> None:
    """Each row has a call, and each call has a row."""
    assert set(calls_of_become()) == {(after, cause) for _, after, cause in TRANSITIONS}
