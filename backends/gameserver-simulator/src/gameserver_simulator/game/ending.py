"""How a game ends before its time."""


class StopRequested(Exception):
    """A signal asks for the stop."""


class Crashed(Exception):
    """The game ends at once, with nothing saved."""


class Ended(Exception):
    """The game ended itself after it said why."""

    def __init__(self, exit_code: int) -> None:
        super().__init__(exit_code)
        self.exit_code = exit_code
