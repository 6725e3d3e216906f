"""The commands `bedplate gameserver …`."""

import asyncio
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Annotated

import typer

DEFAULT_URL = "http://127.0.0.1:8000/gameserver"
"""Where `scripts/run` serves the manager beside the other backends."""

PASSED_ON = {"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []}
"""The simulated game reads its own arguments, `--help` among them."""

app = typer.Typer(help="The game-server manager.", no_args_is_help=True)


@app.command("simulate", context_settings=PASSED_ON, add_help_option=False)
def simulate(context: typer.Context) -> None:
    """Run the simulated game in the foreground. `--help` lists its options."""
    from gameserver import simulator  # noqa: PLC0415 - the other commands start without it

    with _explain_missing_simulator():
        simulator.run_game(context.args)


@app.command()
def console(
    url: Annotated[str, typer.Option(help="URL of the manager")] = DEFAULT_URL,
    key: Annotated[str, typer.Option(help="API key. Default: the settings' admin key")] = "",
) -> None:
    """Follow the game's console and send what you type, until Ctrl-C."""
    from gameserver.console.terminal import follow  # noqa: PLC0415 - the other commands start without it
    from gameserver.settings import GameServerSettings  # noqa: PLC0415

    key = key or GameServerSettings.load().admin_key.get_secret_value()
    with suppress(KeyboardInterrupt):
        asyncio.run(follow(url, key, tries=5))


@app.command("stand-ins")
def stand_ins(
    mods: Annotated[int, typer.Option(help="Port of the mod database")] = 42430,
    versions: Annotated[int, typer.Option(help="Port of the version feed")] = 42431,
) -> None:
    """Serve stand-ins of the mod database and the version feed until Ctrl-C or SIGTERM."""
    from gameserver import simulator  # noqa: PLC0415 - the other commands start without it

    # A shell that starts a job in the background leaves SIGINT ignored: Python then has no
    # KeyboardInterrupt of its own.
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with _explain_missing_simulator(), simulator.serve_stand_ins(mods, versions) as urls:
        typer.echo(f"VS_MOD_DATABASE_URL={urls.mod_database}")
        typer.echo(f"VS_VERSION_FEED_URL={urls.version_feed}")
        stop.wait()


@contextmanager
def _explain_missing_simulator() -> Iterator[None]:
    """End with a sentence and exit code 1 when the simulator isn't installed."""
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name is None or not error.name.startswith("gameserver_simulator"):
            raise
        typer.echo("Install the simulator first: pip install 'gameserver[simulator]'", err=True)
        raise typer.Exit(1) from error
