"""The commands `bedplate gameserver …`."""

import typer

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
