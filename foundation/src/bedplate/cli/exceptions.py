"""Errors that end a command with one line on standard error and an exit code."""


class CommandError(Exception):
    """A command failed; the sentence says why and what to do. Exit code 1."""

    exit_code = 1


class UsageError(CommandError):
    """A command was called wrongly. Exit code 2."""

    exit_code = 2


def describe(error: Exception) -> str:
    """Return the type and the text of an error of somebody else's; its text may be empty."""
    name, text = type(error).__name__, str(error)
    return f"{name}: {text}" if text else name
