"""The commands `bedplate gameserver …`."""

import asyncio
import threading
from contextlib import suppress
from typing import Annotated

import typer

DEFAULT_URL = "http://127.0.0.1:8000/gameserver"
"""Where `scripts/run` serves it beside the other backends."""

app = typer.Typer(help="The game-server manager.", no_args_is_help=True)

PASSED_ON = {"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []}
"""The simulated game reads its own arguments, `--help` among them."""


@app.callback()
def _gameserver() -> None:
    """Keep every command one of its own."""


@app.command("simulate", context_settings=PASSED_ON, add_help_option=False)
def simulate(context: typer.Context) -> None:
    """Run a program that behaves like the game, instead of it; `--help` lists its misbehaviour."""
    from gameserver.simulator.program import main  # noqa: PLC0415 - the others don't pay for it

    main(context.args)


@app.command("console")
def console(
    url: Annotated[str, typer.Option(help="Where the manager answers")] = DEFAULT_URL,
    key: Annotated[str | None, typer.Option(help="Default: the admin key of the settings")] = None,
) -> None:
    """Follow the game's console, and send it what you type, until Ctrl-C."""
    from gameserver.console.terminal import follow  # noqa: PLC0415 - the others don't pay for it
    from gameserver.settings import GameServerSettings  # noqa: PLC0415

    key = key or GameServerSettings.load().admin_key.get_secret_value()
    with suppress(KeyboardInterrupt):
        asyncio.run(follow(url, key, tries=5))


@app.command("stand-ins")
def stand_ins(
    mods: Annotated[int, typer.Option(help="Port of the mod database")] = 42430,
    versions: Annotated[int, typer.Option(help="Port of the version feed")] = 42431,
) -> None:
    """Serve stand-ins for the mod database and the feed of game versions, until Ctrl-C."""
    from gameserver.stand_ins import embedded  # noqa: PLC0415 - the others don't pay for it

    with embedded.stand_ins(mod_database_port=mods, version_feed_port=versions) as served:
        typer.echo(f"VS_MOD_DATABASE_URL={served.mod_database}")
        typer.echo(f"VS_VERSION_FEED_URL={served.version_feed}")
        with suppress(KeyboardInterrupt):
            threading.Event().wait()
