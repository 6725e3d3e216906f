"""Saves of the world: their log lines, and the rows that they write."""

import shutil
import sqlite3
import threading
import time

from gameserver_simulator.game.backups import Backups
from gameserver_simulator.game.core import Core

KIB_OF_A_CHUNK = 16
MIB = 1024 * 1024
OUT_OF_DISK_SPACE = "Out of disk space"
BUSY = (
    "Call to autosave, but server is already saving. May indicate a disk i/o bottleneck. "
    "Reduce autosave interval or use a faster disk."
)
MAX_SUSPEND_SECONDS = 3.0
"""Seconds an autosave waits for the server's threads to pause."""


def suspend(core: Core, max_seconds: float) -> None:
    """Try in vain to pause the threads, for `max_seconds` unless an option sets the time."""
    seconds = core.options.suspend_seconds
    time.sleep(max_seconds if seconds is None else seconds)


def check_disk(core: Core) -> None:
    """End the game when the disk is nearly full. Raises as `Core.end_itself` does."""
    min_free = core.config.values["DieBelowDiskSpaceMb"]
    free = core.free_mb
    if free is None:
        free = shutil.disk_usage(core.options.data_path).free // MIB
    if min_free < 0 or free >= min_free:
        return
    core.end_itself(
        OUT_OF_DISK_SPACE,
        f"Disk space is below {min_free} megabytes ({free} mb left). A full harddisk can heavily "
        "corrupt a savegame. Please free up more disk space or adjust the threshold in the "
        "serverconfig.json (or set to -1 to disable this check). Will kill server now...",
    )


class Saving:
    """Autosaves and the save at the stop."""

    def __init__(self, core: Core, backups: Backups) -> None:
        self._core = core
        self._backups = backups
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
        """Save, unless a save or a backup is under way or the server can't pause."""
        core, log = self._core, self._core.log
        if self._backups.under_way:
            return
        if self.under_way:
            log.write("Warning", BUSY)
            return
        check_disk(core)
        log.notification("Autosaving game world. Notifying mods, then systems of save...")
        if core.options.suspend_fails:
            suspend(core, MAX_SUSPEND_SECONDS)
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
        core, log = self._core, self._core.log
        log.event("Mods and systems notified, now saving everything...")
        self._save_main()
        time.sleep(core.options.stop_seconds)
        chunks = self._save_chunks()
        log.event("Saved loaded chunks...")
        core.world.save_map("mapchunk", 1)
        log.event("Saved generating chunks...")
        core.world.save_savegame()
        log.event("Saved savegamedata...2")
        log.event(f"World saved! Saved {chunks} chunks, 1 mapchunks, 1 mapregions.")

    def _save_main(self) -> None:
        core, log = self._core, self._core.log
        core.world.begin_save()
        core.world.save_players([entry["PlayerUID"] for entry in core.players.known])
        log.event("Saved player world data...")
        core.world.save_map("mapregion", 1)
        log.event("Saved map regions...")
        log.event("Saved map chunks...")

    def _save_chunks(self) -> int:
        chunks = max(1, self._core.options.growth_kib // KIB_OF_A_CHUNK)
        self._core.world.save_map("chunk", chunks)
        return chunks

    def _save_off_thread(self) -> None:
        """Write the rest; a failure ends the game, as in the real one."""
        try:
            self._save_rest()
        except sqlite3.Error as error:
            text = "Caught unhandled exception in thread 'chunkdbthread'. Shutting down server."
            self._core.log.write("Error", f"{text}\nException: {error}")
            self._core.post(lambda: self._core.request_stop("Exception during Process"))

    def _save_rest(self) -> None:
        """Write the rest in three transactions, after "World saved!" was printed."""
        core, log = self._core, self._core.log
        part = core.options.save_seconds / 3
        time.sleep(part)
        chunks = self._save_chunks()
        log.notification(f"Offthread save of {chunks} chunks done.")
        time.sleep(part)
        core.world.save_map("mapchunk", 1)
        log.notification("Offthread save of 1 map chunks done.")
        time.sleep(part)
        core.world.save_savegame()
        log.notification("Offthread save of savegame done.")
