"""How a game ends early."""


class StopRequested(Exception):
    """A signal asks for the stop."""


class Crashed(Exception):
    """The game ends at once, with nothing saved."""

    def __init__(
        self, text: str = "System.NullReferenceException: Object reference not set to an instance"
    ) -> None:
        super().__init__(text)


class Ended(Exception):
    """The game has logged why it ends itself."""

    def __init__(self, exit_code: int) -> None:
        super().__init__(exit_code)
        self.exit_code = exit_code
