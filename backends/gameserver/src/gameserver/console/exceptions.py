from bedplate.problems import (
    Conflict,
    Forbidden,
    NotFound,
    ServiceUnavailable,
    UnprocessableContent,
)


class GameNotRunning(Conflict):
    """The game takes no commands in its present state."""

    code = "game_not_running"

    def __init__(self, state: str) -> None:
        super().__init__(
            f"The game takes no commands: it is {state.replace('_', ' ')}.", state=state
        )


class CommandRefused(UnprocessableContent):
    """A command that could do something other than it seems to."""

    code = "command_refused"


class ConsoleBusy(ServiceUnavailable):
    """The game doesn't read its console, or too many commands are waiting for it."""

    code = "console_busy"
    detail = "Too many commands are already waiting for the game."


class TicketNotFound(NotFound):
    """There is no such ticket, or its connection has ended."""

    code = "ticket_not_found"
    detail = "There is no such ticket or connection."


class TooManyConnections(ServiceUnavailable):
    """There are as many connections to the console as it allows."""

    code = "too_many_connections"
    detail = "Too many clients already follow the console."


class OriginNotAllowed(Forbidden):
    """A page from an origin that isn't allowed wants to follow the console."""

    code = "origin_not_allowed"
    detail = "This origin may not connect: CORS_ORIGINS lists those that may."
