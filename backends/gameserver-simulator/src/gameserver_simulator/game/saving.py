"""Saves of the world: what is printed, and what is really written."""

import sqlite3
import threading
import time
from typing import TYPE_CHECKING

from gameserver_simulator.game.startup import check_disk

if TYPE_CHECKING:
    from gameserver_simulator.game.game import Game

KIB_OF_A_CHUNK = 16
BUSY = (
    "Call to autosave, but server is already saving. May indicate a disk i/o bottleneck. "
    "Reduce autosave interval or use a faster disk."
)
MAX_SUSPEND_SECONDS = 3.0
"""Seconds an autosave waits for the server's threads to pause."""


def suspend(game: "Game", longest: float) -> None:
    """Try to pause the server's threads, in vain."""
    given = game.options.suspend_seconds
    time.sleep(longest if given is None else given)


class Saving:
    """Autosaves and the save at the stop."""

    def __init__(self, game: "Game") -> None:
        self._game = game
        self._off_thread: threading.Thread | None = None

    @property
    def under_way(self) -> bool:
        """Whether the off-thread part of a save still runs."""
        return self._off_thread is not None and self._off_thread.is_alive()

    def wait(self) -> None:
        """Wait until the off-thread part of a save is done."""
        if self._off_thread is not None:
            self._off_thread.join()

    def autosave(self) -> None:
        """Save; nothing is saved during a save or a backup, or when the server can't pause."""
        game, log = self._game, self._game.log
        if game.backups.under_way:
            return
        if self.under_way:
            log.write("Warning", BUSY)
            return
        check_disk(game)
        log.notification("Autosaving game world. Notifying mods, then systems of save...")
        if game.options.suspend_fails:
            suspend(game, MAX_SUSPEND_SECONDS)
            log.write("Warning", "Unable to autosave, was not able to pause the server")
            return
        log.notification("Server ticking has been suspended")
        log.event("Mods and systems notified, now saving everything...")
        log.notification("Will do offthread savegamedata saving...")
        self._save_main()
        log.event("World saved! Saved 0 chunks, 0 mapchunks, 1 mapregions.")
        log.notification("Server ticking has been resumed")
        self._off_thread = threading.Thread(target=self._save_off_thread, daemon=True)
        self._off_thread.start()

    def save_at_stop(self) -> None:
        """Save everything in this thread."""
        game, log = self._game, self._game.log
        log.event("Mods and systems notified, now saving everything...")
        self._save_main()
        time.sleep(game.options.stop_seconds)
        chunks = self._save_chunks()
        log.event("Saved loaded chunks...")
        game.world.save_map("mapchunk", 1)
        log.event("Saved generating chunks...")
        game.world.save_savegame()
        log.event("Saved savegamedata...2")
        log.event(f"World saved! Saved {chunks} chunks, 1 mapchunks, 1 mapregions.")

    def _save_main(self) -> None:
        game, log = self._game, self._game.log
        game.world.begin_save()
        game.world.save_players([entry["PlayerUID"] for entry in game.players.known])
        log.event("Saved player world data...")
        game.world.save_map("mapregion", 1)
        log.event("Saved map regions...")
        log.event("Saved map chunks...")

    def _save_chunks(self) -> int:
        chunks = max(1, self._game.options.growth_kib // KIB_OF_A_CHUNK)
        self._game.world.save_map("chunk", chunks)
        return chunks

    def _save_off_thread(self) -> None:
        """Write the rest; a failure ends the game, as it does in the real one."""
        try:
            self._save_rest()
        except sqlite3.Error as error:
            text = "Caught unhandled exception in thread 'chunkdbthread'. Shutting down server."
            self._game.log.write("Error", f"{text}\nException: {error}")
            self._game.post(lambda: self._game.request_stop("Exception during Process"))

    def _save_rest(self) -> None:
        """Write the rest in three transactions, after "World saved!" was printed."""
        game, log = self._game, self._game.log
        part = game.options.save_seconds / 3
        time.sleep(part)
        chunks = self._save_chunks()
        log.notification(f"Offthread save of {chunks} chunks done.")
        time.sleep(part)
        game.world.save_map("mapchunk", 1)
        log.notification("Offthread save of 1 map chunks done.")
        time.sleep(part)
        game.world.save_savegame()
        log.notification("Offthread save of savegame done.")
