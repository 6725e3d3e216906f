from bedplate.problems import Conflict, NotFound, UnprocessableContent


class AlreadyAnswered(Conflict):
    """There is another answer already, and this activity's answers can't be changed."""

    code = "already_answered"
    detail = "You answered already, and answers can't be changed here."


class NotAnswered(NotFound):
    """The participant has no answer in this round."""

    code = "not_answered"
    detail = "You have no answer here."


class WordsRefused(UnprocessableContent):
    """The answer holds a banned word."""

    code = "words_refused"
    detail = "This text can't be used here."


class UnknownItem(UnprocessableContent):
    """The answer refers to something that nobody wrote."""

    code = "unknown_item"
    detail = "The answer refers to something that isn't there."
