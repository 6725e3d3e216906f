"""The console's errors."""

from bedplate.problems import (
    Conflict,
    Forbidden,
    NotFound,
    ServiceUnavailable,
    UnprocessableContent,
)


class GameNotRunning(Conflict):
    """The game takes no commands now."""

    code = "game_not_running"

    def __init__(self, state: str) -> None:
        super().__init__(
            f"The game takes no commands: it is {state.replace('_', ' ')}.", state=state
        )


class CommandRefused(UnprocessableContent):
    """A command that could do more, or something else, than it seems."""

    code = "command_refused"


class ConsoleBusy(ServiceUnavailable):
    """Too many commands wait for the game already."""

    code = "console_busy"
    detail = "Too many commands wait for the game already."


class TicketNotFound(NotFound):
    """There is no such ticket, or its connection has ended."""

    code = "ticket_not_found"
    detail = "There is no such ticket, and no connection that it opened."


class TooManyConnections(ServiceUnavailable):
    """Too many follow the console already."""

    code = "too_many_connections"
    detail = "Too many follow the console already."


class OriginNotAllowed(Forbidden):
    """A page of an unknown origin wants to follow the console."""

    code = "origin_not_allowed"
    detail = "Pages of this origin may not connect: CORS_ORIGINS names those that may."
