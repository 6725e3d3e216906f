"""A program that behaves like the Vintage Story dedicated server, as far as a manager can see.

`python -m gameserver_simulator` needs the standard library alone, so it starts in a fraction of
a second. What it prints and does follows published logs and sources; see docs/simulated-game.md.
"""

import sys


def command_line(**options: object) -> list[str]:
    """Return the command that starts the simulated game with these options.

    `hang_at_stop=True` becomes `--hang-at-stop`, `boot_seconds=0` becomes `--boot-seconds 0`;
    False and None are left out. For the names see `gameserver_simulator.game.options.Options`.
    """
    command = [sys.executable, "-P", "-m", "gameserver_simulator"]
    for name, value in options.items():
        if value is None or value is False:
            continue
        command.append("--" + name.replace("_", "-"))
        if value is not True:
            command.append(str(value))
    return command
