"""Input from outside: standard input, signals, and the port."""

import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from queue import SimpleQueue

from gameserver_simulator.game import commands
from gameserver_simulator.game.game import Game
from gameserver_simulator.game.shutdown import BY_SIGNAL

STANDARD_INPUT = 0
CHUNK = 65_536
COMMAND_BYTES = 1024
"""Size of the buffer into which the game reads its console."""

BLANKS = " \t\r\n\ufeff"
SIGNALS = (signal.SIGINT, signal.SIGTERM)


def begin(game: Game) -> None:
    """Start to read standard input and to wait for signals."""
    # A thread receives the signals: a handler would interrupt a half-written line.
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    _start(_receive_signals, game)
    _start(_receive_commands, game)


def _start(target: Callable[[Game], None], game: Game) -> None:
    threading.Thread(target=target, args=(game,), daemon=True).start()


def _receive_signals(game: Game) -> None:
    while True:
        name = signal.Signals(signal.sigwait(SIGNALS)).name
        if game.options.ignore_sigterm:
            continue
        text = f"Server termination event {name} received. Shutting down server"
        game.log.notification(text)
        game.signalled.set()
        game.post(lambda: game.request_stop(BY_SIGNAL))


def _receive_commands(game: Game) -> None:
    pieces = _lines() if game.options.console_by_line else _chunks()
    for command in pieces:
        game.post(lambda command=command: commands.handle(game, command))  # type: ignore[misc] # B008 keeps it


def _chunks() -> Iterator[str]:
    """Yield what each read returns, as the real game does: one read is one command.

    Two lines that lie in the pipe together are one command with a line feed in it. What doesn't end
    with a line feed ends the console for the rest of the run. The game itself goes on.
    """
    with suppress(OSError):
        while (chunk := os.read(STANDARD_INPUT, COMMAND_BYTES)).endswith(b"\n"):
            yield chunk.decode(errors="replace").strip(BLANKS)


def _lines() -> Iterator[str]:
    """Yield the lines of standard input, as a kinder game would."""
    rest = b""
    with suppress(OSError):
        while chunk := os.read(STANDARD_INPUT, CHUNK):
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                yield line.decode(errors="replace").strip(BLANKS)


def open_port(game: Game, ip: str | None, port: int) -> int:
    """Listen on a TCP port and the UDP port of the same number, and return the number.

    Raises `OSError` when another process uses it.
    """
    address = ip or "0.0.0.0"  # noqa: S104 - as the game does by default
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    tcp = socket.socket(family, socket.SOCK_STREAM)
    tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    tcp.bind((address, port))
    tcp.listen()
    number: int = tcp.getsockname()[1]
    udp = socket.socket(family, socket.SOCK_DGRAM)
    udp.bind((address, number))
    _start(lambda game: _accept(game, tcp, udp), game)
    return number


def _accept(game: Game, tcp: socket.socket, _udp: socket.socket) -> None:
    """Accept connections. The argument `_udp` keeps that socket open."""
    while True:
        connection, peer = tcp.accept()
        name = f"{peer[0]}:{peer[1]}"
        _start(lambda game, own=connection, name=name: _hold(game, own, name), game)  # type: ignore[misc]


def _hold(game: Game, connection: socket.socket, peer: str) -> None:
    """Keep a connection that never identifies itself, until it is closed or timed out."""
    number: SimpleQueue[int] = SimpleQueue()
    game.post(lambda: number.put(game.sessions.connect_unknown(peer)))
    connection.settimeout(float(game.config.values["ClientConnectionTimeout"]))
    with connection, suppress(OSError):
        while connection.recv(CHUNK):
            pass
    client = number.get()
    game.post(lambda: game.sessions.disconnect_unknown(client))
