"""The tree of errors, and what each says of itself."""

from http import HTTPStatus

import pytest

import bedplate.problems
from bedplate.problems import (
    Conflict,
    InternalServerError,
    InvalidInput,
    NotFound,
    PreconditionFailed,
    ProblemError,
    RetryableError,
    StatusError,
    TooManyRequests,
)
from bedplate.problems.exceptions import phrase_of


def _kinds(base: type[ProblemError] = ProblemError) -> list[type[ProblemError]]:
    ours = [kind for kind in base.__subclasses__() if kind.__module__ == base.__module__]
    return ours + [kind for parent in ours for kind in _kinds(parent)]


PLAIN = [kind for kind in _kinds() if kind not in {StatusError, InvalidInput, RetryableError}]


@pytest.mark.parametrize("kind", PLAIN)
def test_an_error_says_what_its_status_says(kind: type[ProblemError]) -> None:
    """Title and code are the reason phrase of RFC 9110, in two spellings."""
    assert kind.title == phrase_of(kind.status)
    assert kind.code == StatusError(kind.status).code
    assert kind.detail is None or kind is PreconditionFailed
    assert str(kind()) == (kind.detail or kind.title)
    assert str(kind("Because.")) == "Because."


def test_every_name_that_is_announced_is_there_and_the_other_way_round() -> None:
    """`__all__` and the package's names are one list."""
    names = {
        name
        for name, value in vars(bedplate.problems).items()
        if not name.startswith("_") and type(value).__name__ != "module"
    }
    assert names == set(bedplate.problems.__all__)
    assert len(bedplate.problems.__all__) == len(set(bedplate.problems.__all__))


def test_every_kind_of_error_can_be_imported_from_the_package() -> None:
    """Nobody needs to know in which module it is written."""
    assert {kind.__name__ for kind in _kinds()} <= set(bedplate.problems.__all__)


def test_a_domain_error_is_two_lines() -> None:
    """Its status comes from its parent, its title from its code."""

    class NoteNotFound(NotFound):
        code = "note_not_found"

    error = NoteNotFound("There is no such note.", headers={"X-Why": "gone"}, hint="Look again.")
    assert (error.status, error.title, error.code) == (404, "Note Not Found", "note_not_found")
    assert error.headers == {"X-Why": "gone"}
    assert error.members == {"hint": "Look again."}


def test_headers_are_copied() -> None:
    """Two errors made from one mapping don't share it."""
    headers = {"X": "1"}
    error = Conflict(headers=headers)
    headers["X"] = "2"
    assert error.headers == {"X": "1"}


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (404, "not_found"),
        (418, "im_a_teapot"),
        (203, "non_authoritative_information"),
        (413, "content_too_large"),
        (422, "unprocessable_content"),
        (499, "client_error"),
        (599, "server_error"),
    ],
)
def test_a_status_alone_has_a_code(status: int, code: str) -> None:
    """Also one that no document defines, as proxies use them."""
    assert StatusError(status).code == code
    assert StatusError(status).status == status


@pytest.mark.parametrize(
    ("status", "phrase"),
    [
        (404, "Not Found"),
        (413, "Content Too Large"),
        (422, "Unprocessable Content"),
        (499, "Client Error"),
    ],
)
def test_a_phrase_is_found_for_every_status(status: int, phrase: str) -> None:
    """That of RFC 9110 in every Python; the class of a status where it has none."""
    assert phrase_of(status) == phrase


def test_an_error_that_passes_says_when_to_come_back() -> None:
    """In the header and in the document, and headers of the caller stay."""
    error = TooManyRequests("Slowly.", retry_after=7, headers={"X": "1"})
    assert error.headers == {"X": "1", "Retry-After": "7"}
    assert error.members == {"retry_after": 7}


def test_an_unforeseen_error_has_the_base_s_status() -> None:
    """Whoever derives from the base and says nothing gets a 500."""
    assert ProblemError.status == InternalServerError.status == HTTPStatus.INTERNAL_SERVER_ERROR
