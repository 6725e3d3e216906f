"""Errors of several domains; each domain has its own beside these."""

from bedplate.problems import Conflict, Forbidden, NotFound, ProblemError


class SessionNotFound(NotFound):
    """There is no such session."""

    code = "session_not_found"
    detail = "There is no such session."


class WrongToken(Forbidden):
    """The token isn't one that may do this here."""

    code = "wrong_token"
    detail = "This token doesn't allow this here."


class SessionCompleted(ProblemError):
    """The session is over: it takes no more joins, answers and changes."""

    status = 410
    code = "session_completed"
    detail = "The session is completed."


class WrongState(Conflict):
    """The session or activity is in a state in which this can't be done; `state` names it."""

    code = "wrong_state"

    def __init__(self, noun: str, state: str, wanted: str) -> None:
        super().__init__(f"The {noun} is {state}, and this needs {wanted}.", state=state)


class ParticipantRemoved(Forbidden):
    """The participant was kicked or banned; `state` says which."""

    code = "participant_removed"

    def __init__(self, state: str) -> None:
        super().__init__(f"This participant was {state}.", state=state)
