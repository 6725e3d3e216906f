"""Errors that end a command with one line on standard error and an exit code."""


class CommandError(Exception):
    """A command failed; the sentence says why and what to do. Exit code 1."""

    exit_code = 1


class UsageError(CommandError):
    """A command was called wrongly. Exit code 2."""

    exit_code = 2


def sentence(error: Exception) -> str:
    """Return the message of an error on one line, with its type unless it is one of Bedplate's."""
    text = " ".join(str(error).split())
    if type(error).__module__.partition(".")[0] == "bedplate" and text:
        return text
    return f"{type(error).__name__}: {text} (`bedplate --traceback …` shows where)"
