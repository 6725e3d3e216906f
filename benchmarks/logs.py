"""Where the contenders write their log lines, and what happens when one of them is an error."""

import logging
import os
import traceback
from pathlib import Path

from bedplate.observability.logs import configure_logging


def log_to_null() -> None:
    """Make the foundation's lines as in production, and write them to where it costs no disk."""
    configure_logging(json=True, stream=Path(os.devnull).open("w"))  # noqa: SIM115 - kept open


class LoggedErrors(logging.Handler):
    """Keeps the first line of level ERROR of this process.

    An app that answers 200 and logs a traceback is not what should be measured.
    """

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self._first: str | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the line with the traceback of the exception that is being handled."""
        if self._first is None:
            self._first = f"{record.getMessage()}\n{traceback.format_exc()}"

    def refuse(self) -> None:
        """Raise RuntimeError when there was one."""
        if self._first is not None:
            raise RuntimeError(f"An error was logged: {self._first}")
