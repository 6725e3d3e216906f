"""Conditional requests (RFC 9110, section 13): strong ETags, `If-Match`, `If-None-Match`."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Self

from fastapi.params import Header
from pydantic import PlainValidator, WithJsonSchema

from bedplate.problems import BadRequest
from bedplate.schemas import MAX_INT64

# One element of a list with the comma before it, and empty elements, which recipients must
# accept (RFC 9110, section 5.6.1.2). One pattern for the whole list would backtrack.
_ELEMENT = re.compile(r'(?:^|,)[ \t,]*(W/)?"([\x21\x23-\x7e\x80-\xff]*)"[ \t]*')
_MAX_TAGS = 100
_TAG = r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"'
_LIST = rf"^{_TAG}(?:[ \t]*,[ \t]*{_TAG}){{0,{_MAX_TAGS - 1}}}$"
_SCHEMA = {"anyOf": [{"const": "*"}, {"type": "string", "pattern": _LIST}]}
_VERSION = re.compile(r"0|[1-9][0-9]{0,18}")


@dataclass(frozen=True)
class ETagSet:
    """The entity tags in `If-Match` or `If-None-Match`; `anything` when the header is `*`."""

    anything: bool = False
    strong: frozenset[str] = frozenset()
    weak: frozenset[str] = frozenset()

    def matches_strongly(self, etag: str) -> bool:
        """Return whether `etag` (quoted) matches, by the strong comparison of `If-Match`."""
        return self.anything or (not etag.startswith("W/") and etag.strip('"') in self.strong)

    def matches_weakly(self, etag: str) -> bool:
        """Return whether `etag` (quoted) matches, by the weak comparison of `If-None-Match`."""
        value = etag.removeprefix("W/").strip('"')
        return self.anything or value in self.strong or value in self.weak


@dataclass(frozen=True, slots=True)
class Preconditions:
    """The conditions of a request; None where it has no such header."""

    if_match: ETagSet | None = None
    if_none_match: ETagSet | None = None

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """Return itself, which nothing changes: FastAPI copies a default for each request."""
        return self

    def not_modified(self, etag: str) -> bool:
        """Return whether a GET may be answered 304."""
        return self.if_none_match is not None and self.if_none_match.matches_weakly(etag)

    def versions(self) -> list[int] | None:
        """Return the numbers of `version_etag` that a write accepts, or None for any.

        A write puts them into its WHERE, so that check and change are one statement. There are
        none for `If-None-Match: *`, since whatever has a version exists.
        """
        if self.if_none_match is not None and self.if_none_match.anything:
            return []
        if self.if_match is None or self.if_match.anything:
            return None
        versions = [int(tag) for tag in self.if_match.strong if _VERSION.fullmatch(tag)]
        return [version for version in versions if version <= MAX_INT64]


def version_etag(version: int) -> str:
    """Return the strong ETag of a version number that increases with every change."""
    return f'"{version}"'


def parse_etags(text: str, name: str) -> ETagSet:
    """Return the entity tags of a header. Raises `BadRequest` naming the header."""
    if text.strip(" \t") == "*":
        return ETagSet(anything=True)
    tags: list[tuple[str | None, str]] = []
    end = 0
    while element := _ELEMENT.match(text, end):
        tags.append((element[1], element[2]))
        end = element.end()
    if not tags or text[end:].strip(" \t,"):
        raise BadRequest(f'{name} must be * or entity tags such as "1".')
    if len(tags) > _MAX_TAGS:
        raise BadRequest(f"{name} can't have more than {_MAX_TAGS} entity tags.")
    return ETagSet(
        strong=frozenset(value for weak, value in tags if not weak),
        weak=frozenset(value for weak, value in tags if weak),
    )


def _parse_absent(text: str, name: str) -> ETagSet:
    """Return what `*` says. Raises `BadRequest` for entity tags, which no write compares here."""
    if text.strip(" \t") != "*":
        raise BadRequest(f"{name} must be * in a request that writes.")
    return ETagSet(anything=True)


_NO_CONDITION = Preconditions()


class _ConditionHeader(Header):  # type: ignore[misc]  # FastAPI subclasses it as well
    """A header whose absence is `_NO_CONDITION`.

    FastAPI takes no default in `Annotated`, and inspects a `default_factory` with each request,
    which costs more than all else that a condition needs.
    """

    def is_required(self) -> bool:
        return False

    def get_default(self, **_: Any) -> Preconditions:
        return _NO_CONDITION


def _condition(
    header: str,
    description: str,
    parse_header: Callable[[str, str], ETagSet] = parse_etags,
    schema: dict[str, Any] = _SCHEMA,
) -> Any:
    """Return the type of a parameter that reads a header, all of whose lines are one list.

    FastAPI passes every line of a header (RFC 9110, section 5.3) where the type is a list of
    strings. A dependency that makes the condition of them would cost each request more.
    """
    argument = header.lower().replace("-", "_")

    def parse(lines: list[str]) -> Preconditions:
        return Preconditions(**{argument: parse_header(", ".join(lines), header)})

    parameter = _ConditionHeader(alias=header, description=description)
    return Annotated[list[str], PlainValidator(parse), WithJsonSchema(schema), parameter]


if TYPE_CHECKING:
    IfMatch = Preconditions
    IfNoneMatch = Preconditions
    IfAbsent = Preconditions
else:
    IfMatch = _condition("If-Match", "Change only this version")
    IfNoneMatch = _condition("If-None-Match", "Skip the body if unchanged")
    IfAbsent = _condition(
        "If-None-Match", "Change nothing that exists", _parse_absent, {"const": "*"}
    )
