"""Faults that options and `/simulate` cause while the game runs."""

import threading
import time
from datetime import UTC, datetime

from gameserver_simulator.game.core import Core
from gameserver_simulator.game.exceptions import Crashed
from gameserver_simulator.game.sessions import Sessions

KIB = 1024
MIB = 1024 * 1024
BURSTS_PER_SECOND = 100
STACK_TRACE = """\
Exception: Object reference not set to an instance of an object.
   at Vintagestory.Server.CmdPlayer.setMovespeed(TextCommandCallingArgs args) in \
VintagestoryLib\\Server\\Systems\\Player\\CmdPlayer.cs:line 1086
   at Vintagestory.Common.ChatCommandImpl.CallHandler(TextCommandCallingArgs args) in \
VintagestoryLib\\Common\\API\\Command\\ChatCommandImpl.cs:line 412
   at Vintagestory.Server.ServerMain.Process() in \
VintagestoryLib\\Server\\ServerMain.cs:line 1021"""
IMITATIONS = (
    "26.8.2025 01:39:08 [Server Event] Mallory 10.0.0.1:1234 joins.",
    "[Server Event] Dedicated Server now running on Port 42420 and all ips!",
    "x\r26.8.2025 01:39:08 [Server Event] Stopped the server!",
    "Client 1 disconnected.",
    "[Server Notification] Offthread save of savegame done.",
    "Backup complete!",
)
FORGERIES = (
    "Entering runphase Shutdown",
    "Server stop requested, begin shutdown sequence. Stop reason: Shutdown via server command",
    "Client 1 disconnected: ",
    "Client 66 uid AAAAAAAAAAAAAAAAAAAAAAAA attempting identification. Name: Fake",
    "Autosaving game world. Notifying mods, then systems of save...",
    "Offthread save of savegame done.",
    "Game Version: v6.6.6 (Stable)",
    "Entering runphase Configuration",
)
FORGED_EVENTS = (
    "Fake 10.0.0.66:1234 joins.",
    "Stopped the server!",
    "World saved! Saved 6 chunks, 6 mapchunks, 6 mapregions.",
    "Server v6.6.6, network v6.6.6, api v6.6.6",
)
UNICODE = ("Zoë-Ж_日本", "العربية", "Ünïcödé")


class FaultModes:
    """The faults of one game."""

    def __init__(self, core: Core, sessions: Sessions) -> None:
        self._core = core
        self._sessions = sessions
        self._leaked: list[bytearray] = []

    def begin(self) -> None:
        """Start the faults that the options ask for, once the game is ready."""
        options, core = self._core.options, self._core
        if options.long_line_kib:
            self.long_line(options.long_line_kib)
        if options.invalid_utf8:
            self.invalid_utf8()
        if options.flood_seconds:
            self.flood(options.flood_seconds, options.flood_rate)
        each_second = {
            self.stack_trace: options.stack_traces,
            self.overload: options.overloads,
            self.imitate: options.imitations,
            self.forge: options.forgeries,
            self.go_beyond_ascii: options.unicode,
            self._leak_more: bool(options.memory_mib),
        }
        for action, is_on in each_second.items():
            if is_on:
                action()
                core.every(1.0, action)

        if options.self_kill is not None:
            core.request_stop(options.self_kill)
        if options.crash_after is not None:
            core.later(max(0.0, options.crash_after - core.uptime), self.crash)

    def crash_first(self) -> None:
        """Raise `Crashed` when `--crash-first` includes this start."""
        crashes = self._core.options.crash_first
        if crashes and self._starts() <= crashes:
            raise Crashed

    def _starts(self) -> int:
        """Return the number of starts over this data path, this one included."""
        path = self._core.options.data_path / "Cache" / "simulated-starts"
        path.parent.mkdir(exist_ok=True)
        starts = int(path.read_text()) + 1 if path.exists() else 1
        path.write_text(str(starts))
        return starts

    def crash(self) -> None:
        """End at once, with nothing saved."""
        raise Crashed

    def flood(self, seconds: float, rate: int) -> None:
        """Print `rate` lines a second from a thread, like a mod that fails in every tick."""
        threading.Thread(target=self._flood, args=(seconds, rate), daemon=True).start()

    def _flood(self, seconds: float, rate: int) -> None:
        begin = time.monotonic()
        printed, total = 0, int(seconds * rate)
        while printed < total:
            due = min(total, int((time.monotonic() - begin) * rate) + 1)
            for number in range(printed, due):
                self._core.log.write("Warning", f"Flood line {number + 1} of {total}: tick failed")
            printed = due
            time.sleep(1 / BURSTS_PER_SECOND)

    def long_line(self, kib: int) -> None:
        """Print one line of `kib` KiB."""
        self._core.log.write("Error", "x" * (kib * KIB))

    def invalid_utf8(self) -> None:
        """Print bytes that are not UTF-8, and a NUL."""
        self._core.log.raw(
            b"1.2.2026 12:00:00 [Server Chat] 0 | Priya: \xff\xfe\xc3(\x00 \x1b[31m\n"
        )

    def stack_trace(self) -> None:
        """Print an exception with its stack."""
        self._core.log.write("Error", STACK_TRACE)

    def overload(self, milliseconds: int = 563) -> None:
        """Report a tick that took too long."""
        text = f"Server overloaded. A tick took {milliseconds}ms to complete."
        self._core.log.write("Warning", text)

    def imitate(self) -> None:
        """Let a player type lines that look like the server's own."""
        for text in IMITATIONS:
            self._sessions.chat("Mallory", text)

    def forge(self) -> None:
        """Let a player with a changed client send line feeds: what follows looks like the server's.

        The game prints a message as it is. It writes none into server-main.log.
        """
        now = self._core.log.stamp(datetime.now(UTC).astimezone())
        lines = [f"{now} [Server Notification] {text}" for text in FORGERIES]
        lines += [f"{now} [Server Event] {text}" for text in FORGED_EVENTS]
        lines.append(f"{now} [Server Warning] Server overloaded. A tick took 666ms to complete.")
        lines.append(f"{now} [Server Error] Caught unhandled exception in thread 'Mallory'.")
        lines.append(f"{now} [Server Fatal] Mallory was here")
        self._sessions.chat("Mallory", "\n".join(["hi", *lines]))

    def go_beyond_ascii(self) -> None:
        """Let players with non-ASCII names join, talk and leave."""
        for name in UNICODE:
            self._sessions.join(name)
            self._sessions.chat(name, "🌲 ﷽ \u202etxet desrever \u0000 ẞ")
        for client in list(self._core.players.online.values()):
            if client.name in UNICODE:
                self._sessions.leave(client)

    def _leak_more(self) -> None:
        self.leak(self._core.options.memory_mib)

    def leak(self, mib: float) -> None:
        """Hold more memory; above DieAboveMemoryUsageMb the game ends itself."""
        self._leaked.append(bytearray(b"x" * int(mib * MIB)))
        used = sum(map(len, self._leaked)) // MIB
        max_mb = self._core.config.values["DieAboveMemoryUsageMb"]
        if used > max_mb:
            text = f"Memory usage is above {max_mb} megabytes ({used} mb). Will kill server now..."
            self._core.end_itself("Server is consuming too much RAM", text, error=text)
