from bedplate.problems import Conflict, GatewayTimeout, ServiceUnavailable


class GameBusy(Conflict):
    """Something else has exclusive access to the world."""

    code = "game_busy"

    def __init__(self, purpose: str) -> None:
        super().__init__(f"Not now: {purpose} is in progress.", purpose=purpose)


class GameNotStopped(Conflict):
    """The game runs, and would have to be stopped first."""

    code = "game_not_stopped"

    def __init__(self, state: str) -> None:
        super().__init__(f"The game is {state}. Stop it first.", state=state)


class GameAlreadyRunning(Conflict):
    """The game already has a process."""

    code = "game_already_running"

    def __init__(self, state: str) -> None:
        super().__init__(f"The game is {state}.", state=state)


class GameNotInstalled(Conflict):
    """No version of the game is installed."""

    code = "game_not_installed"
    detail = "No version of the game is installed: install one first."


class StartRefused(Conflict):
    """The game could not run; the detail says what to do."""

    code = "start_refused"


class StartCancelled(Conflict):
    """The game was stopped while it was being started."""

    code = "start_cancelled"
    detail = "The game was stopped before it had started."


class ManagerShuttingDown(ServiceUnavailable):
    """The manager shuts down, and stops the game."""

    code = "manager_shutting_down"

    def __init__(self) -> None:
        super().__init__("The manager is shutting down.", retry_after=30)


class ProcessStillExiting(GatewayTimeout):
    """The system has not ended a killed process yet: its disk may be stuck."""

    code = "process_still_exiting"
    detail = "The process was killed, but the system has not ended it yet."
