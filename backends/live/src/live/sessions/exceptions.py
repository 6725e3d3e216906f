from bedplate.problems import Conflict, NotFound


class CodeNotFound(NotFound):
    """No session has this code."""

    code = "code_not_found"
    detail = "No session has this code."


class LinkNotFound(NotFound):
    """There is no such link."""

    code = "link_not_found"
    detail = "There is no such link."


class TooFewPlaces(Conflict):
    """More people are in the session than it would have places for."""

    code = "too_few_places"
    detail = "More participants than that are in the session."


class TooManyLinks(Conflict):
    """The session has as many links as it may: one has to be revoked first."""

    code = "too_many_links"
    detail = "This session has as many links as it may: revoke one first."
