"""The program: from its arguments to its exit code."""

import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from gameserver_simulator.game.lifecycle import run
from gameserver_simulator.game.options import parse

MISSING_RUNTIME = 150
"""Exit code of the .NET host when the framework isn't installed (LinuxGSM #4818)."""

MISSING_RUNTIME_TEXT = """\
You must install or update .NET to run this application.

App: {program}
Architecture: x64
Framework: 'Microsoft.NETCore.App', version '{framework}' (x64)
.NET location: Not found

Learn about runtime resolution:
https://aka.ms/dotnet/app-launch-failed
"""


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the simulated game until it ends, and end this process with the game's exit code.

    `arguments` default to those of the command line.
    """
    options = parse(sys.argv[1:] if arguments is None else arguments)
    if options.show_version:
        _print(1, f"{options.version}\n")
        os._exit(0)
    if options.missing_runtime:
        program = os.fspath(options.server_folder / "VintagestoryServer")
        text = MISSING_RUNTIME_TEXT.format(program=program, framework=options.framework)
        _print(2, text)
        os._exit(MISSING_RUNTIME)
    # A normal exit would wait for the threads that wait for input.
    os._exit(run(options))


def _print(descriptor: int, text: str) -> None:
    os.write(descriptor, text.encode())
