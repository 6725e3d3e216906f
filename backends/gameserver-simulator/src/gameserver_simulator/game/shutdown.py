"""The stop: the long ordered sequence that saves the world."""

import sys

from gameserver_simulator.game.game import Game
from gameserver_simulator.game.saving import suspend

MAX_SUSPEND_SECONDS = 10.0
"""Seconds a stop waits for the server's threads to pause."""


BY_SIGNAL = "External close event (CTRL+C/kill/etc)"


def run(game: Game) -> None:
    """Stop the game in the real one's order, and save its world."""
    reason = game.stop_reason or BY_SIGNAL
    game.log.notification(f"Server stop requested, begin shutdown sequence. Stop reason: {reason}")
    game.sessions.remove_all(game.translate("shutting down", reason))
    game.backups.cut_short()
    _suspend(game)
    game.log.notification("Entering runphase Shutdown")
    _hang_on_purpose(game)
    game.log.notification("Defragmented listener lists")
    _save(game)
    _end_threads(game)


def _suspend(game: Game) -> None:
    if game.options.suspend_fails:
        suspend(game, MAX_SUSPEND_SECONDS)
        game.log.write(
            "Warning",
            "Server suspend requested, but reached max wait time. "
            "Server is only partially suspended.",
        )
        return
    game.log.notification("Server ticking has been suspended")


def _hang_on_purpose(game: Game) -> None:
    if game.options.hang_at_stop:
        game.signalled.wait()


def _save(game: Game) -> None:
    game.saving.wait()
    if hasattr(game, "world"):
        game.saving.save_at_stop()
    if game.is_configured:
        game.config.save()
        game.players.save()


def _end_threads(game: Game) -> None:
    log = game.log
    log.event("Shutting down 6 server threads... ")
    log.event("Killed console thread")
    log.event("All threads gracefully shut down")
    log.event("Doing last tick...")
    if hasattr(game, "world"):
        game.world.close()
    log.event("Stopped the server!")
    log.notification("Entering runphase Exit")
    if game.last_error is not None:
        log.write("Error", game.last_error)
    sys.stdout.flush()
