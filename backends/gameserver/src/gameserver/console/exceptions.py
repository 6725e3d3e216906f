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
    title = "Game Not Running"

    def __init__(self, state: str) -> None:
        super().__init__(
            f"The game takes no commands: it is {state.replace('_', ' ')}.", state=state
        )


class CommandRefused(UnprocessableContent):
    """A command that could do more, or something else, than it seems."""

    code = "command_refused"
    title = "Command Refused"


class ConsoleBusy(ServiceUnavailable):
    """Too many commands wait for the game already."""

    code = "console_busy"
    title = "Console Busy"

    def __init__(self) -> None:
        super().__init__("Too many commands wait for the game already.")


class TicketNotFound(NotFound):
    """There is no such ticket, or its connection has ended."""

    code = "ticket_not_found"
    title = "Ticket Not Found"

    def __init__(self) -> None:
        super().__init__("There is no such ticket, and no connection that it opened.")


class TooManyConnections(ServiceUnavailable):
    """Too many follow the console already."""

    code = "too_many_connections"
    title = "Too Many Connections"

    def __init__(self) -> None:
        super().__init__("Too many follow the console already.")


class OriginRefused(Forbidden):
    """A page of an unknown origin wants to follow the console."""

    code = "origin_refused"
    title = "Origin Refused"

    def __init__(self) -> None:
        super().__init__("Pages of this origin may not connect: CORS_ORIGINS names those that may.")
