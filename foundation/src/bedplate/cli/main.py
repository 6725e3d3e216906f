"""`bedplate`: a table of commands. A command, and typer, are imported only when it is called.

So `bedplate --help` is quick, however large the backends are.
"""

import sys
from collections.abc import Mapping, Sequence
from pkgutil import resolve_name
from textwrap import indent

import bedplate
from bedplate.cli.exceptions import CommandError, UsageError, describe
from bedplate.cli.installed import (
    COMMANDS_GROUP,
    backend_summary,
    distribution_summary,
    installed,
    load_one,
)
from bedplate.cli.output import table
from bedplate.collector import collect_rarely
from bedplate.passwords import without_passwords

COMMANDS = {
    "run": ("bedplate.cli.run:run", "Serve one, several or all installed backends."),
    "new": ("bedplate.cli.new:new", "Create a new backend that passes its checks and tests."),
    "db": ("bedplate.cli.database:app", "Migrate databases, and show their migration status."),
    "openapi": ("bedplate.cli.openapi:openapi", "Print the OpenAPI document of a backend."),
    "routes": ("bedplate.cli.routes:routes", "List the routes of backends."),
    "contracts": ("bedplate.cli.contracts:app", "Check and compare OpenAPI contracts."),
    "gateway": ("bedplate.cli.gateway:app", "Generate the configuration of Kong and DNS."),
    "settings": ("bedplate.cli.settings:settings", "List settings: value, origin and meaning."),
}
"""Each command: its function or the typer app of its subcommands, and its help."""

OPTIONS = {
    "--traceback": "Show the traceback of an error.",
    "--version": "Show the version and exit.",
    "--help": "Show this message and exit.",
}

DONE = 0
INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line, and return its exit code: 0 done, 1 failed, 2 called wrongly.

    `bedplate run` adds 3: the process could not start.
    """
    collect_rarely()
    words = list(sys.argv[1:] if arguments is None else arguments)
    traceback = words[:1] == ["--traceback"]
    try:
        return _run(words[1:] if traceback else words)
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:
        if traceback:
            raise
        exit_code = error.exit_code if isinstance(error, CommandError) else CommandError.exit_code
        return _fail(_message(error), exit_code)


def _run(words: list[str]) -> int:
    if not words or words[0] in {"--help", "-h"}:
        print(_help(), end="")
        return DONE
    if words[0] == "--version":
        print(bedplate.__version__)
        return DONE
    if words[0].startswith("-"):
        raise UsageError(f"No such option: {words[0]}. Try 'bedplate --help'.")
    return _run_command(words[0], words[1:])


def _run_command(name: str, words: list[str]) -> int:
    place = _place(name)
    import typer  # noqa: PLC0415 - only a command needs it

    import bedplate.observability.structlog_without_rich  # noqa: F401, PLC0415 - before structlog
    from bedplate.cli.arguments import command_of  # noqa: PLC0415

    command = command_of(resolve_name(place))
    try:
        # Generated files name the command line that generates them.
        line = ("bedplate", name, *words)
        result = command.main(words, prog_name=f"bedplate {name}", standalone_mode=False, obj=line)
    except typer.TyperException as error:
        context = getattr(error, "ctx", None)
        hint = f" Try '{context.command_path} --help'." if context else ""
        return _fail(f"{error.format_message()}{hint}", error.exit_code)
    except typer.Abort:
        return _fail("Aborted.", CommandError.exit_code)
    return result if isinstance(result, int) else DONE


def _place(name: str) -> str:
    """Return the function or typer app of a command or a backend, as "module:name"."""
    if name in COMMANDS:
        return COMMANDS[name][0]
    if name in (others := installed(COMMANDS_GROUP)):
        return others[name].value
    if name not in installed():
        raise UsageError(
            f"No command or backend is named {name!r}. Commands: {', '.join(COMMANDS)}. "
            f"Installed backends: {', '.join(installed()) or 'none'}."
        )
    place = load_one(name).commands
    if place is None:
        raise UsageError(f"The backend {name} has no commands of its own.")
    return place


def _message(error: Exception) -> str:
    """Return the message of an error, with its type unless it is one of Bedplate's."""
    ours = type(error).__module__.partition(".")[0] == "bedplate"
    if str(error) and (ours or isinstance(error, CommandError)):
        return str(error)
    return f"{without_passwords(describe(error))} (`bedplate --traceback …` shows where)"


def _fail(message: str, exit_code: int) -> int:
    print(f"Error: {' '.join(message.split())}", file=sys.stderr)
    return exit_code


def _help() -> str:
    commands = {name: meaning for name, (_, meaning) in COMMANDS.items()}
    others = {
        name: distribution_summary(point) for name, point in installed(COMMANDS_GROUP).items()
    }
    backends = {name: backend_summary(point) for name, point in installed().items()}
    return (
        "Usage: bedplate [OPTIONS] COMMAND [ARGS]...\n\n"
        "  Run, manage and create Bedplate backends.\n"
        + _section("Options", OPTIONS)
        + _section("Commands, see `bedplate COMMAND --help`", {**commands, **others})
        + _section("Installed backends, see `bedplate BACKEND --help` for their commands", backends)
    )


def _section(title: str, rows: Mapping[str, str]) -> str:
    return f"\n{title}:\n{indent(table(rows.items()) or 'none', '  ')}\n"
