from bedplate.problems import Conflict, NotFound, UnprocessableContent


class SessionFull(Conflict):
    """Every place of the session is taken."""

    code = "session_full"
    detail = "Every place of this session is taken."


class JoinClosed(Conflict):
    """The session takes no late joins, and its first activity was opened already."""

    code = "join_closed"
    detail = "This session takes nobody after its first activity."


class NicknameRefused(UnprocessableContent):
    """The nickname holds a banned word."""

    code = "nickname_refused"
    detail = "This nickname can't be used here."


class ParticipantNotFound(NotFound):
    """There is no such participant in this session."""

    code = "participant_not_found"
    detail = "There is no such participant in this session."
