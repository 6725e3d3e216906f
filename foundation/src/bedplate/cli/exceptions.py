"""Errors that end a command with one line on standard error and an exit code."""


class CommandError(Exception):
    """A command failed; the sentence says why and what to do. Exit code 1."""

    exit_code = 1


class UsageError(CommandError):
    """A command was called wrongly. Exit code 2."""

    exit_code = 2
