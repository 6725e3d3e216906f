"""Conditional requests (RFC 9110, section 13): strong ETags, `If-Match`, `If-None-Match`."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Self

from fastapi import Header
from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from bedplate.problems import BadRequest, PreconditionFailed
from bedplate.schemas import MAX_INT64

# One element of a list with the comma before it, and empty elements, which a recipient must bear
# (RFC 9110, section 5.6.1.2). Each is matched by itself: one pattern for the list would backtrack.
_ELEMENT = re.compile(r'(?:^|,)[ \t,]*(W/)?"([\x21\x23-\x7e\x80-\xff]*)"[ \t]*')
_MAX_TAGS = 100
_SHOWN = r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"'
_LIST = rf"^{_SHOWN}(?:[ \t]*,[ \t]*{_SHOWN}){{0,{_MAX_TAGS - 1}}}$"
_SCHEMA: JsonSchemaValue = {"anyOf": [{"const": "*"}, {"type": "string", "pattern": _LIST}]}
_VERSION = re.compile(r"0|[1-9][0-9]{0,18}")


@dataclass(frozen=True)
class ETagSet:
    """What `If-Match` or `If-None-Match` names: `*`, or some entity tags."""

    anything: bool
    strong: frozenset[str]
    weak: frozenset[str]

    def matches_strongly(self, etag: str) -> bool:
        """Return whether `etag` (quoted) is named, by the strong comparison of `If-Match`."""
        return self.anything or (not etag.startswith("W/") and etag.strip('"') in self.strong)

    def matches_weakly(self, etag: str) -> bool:
        """Return whether `etag` (quoted) is named, by the weak comparison of `If-None-Match`."""
        value = etag.removeprefix("W/").strip('"')
        return self.anything or value in self.strong or value in self.weak


class Preconditions:
    """The conditions of a request; None where the header didn't come."""

    __slots__ = ("if_match", "if_none_match")

    def __init__(
        self, if_match: ETagSet | None = None, if_none_match: ETagSet | None = None
    ) -> None:
        self.if_match = if_match
        self.if_none_match = if_none_match

    def not_modified(self, etag: str) -> bool:
        """Return whether a GET may be answered 304."""
        return self.if_none_match is not None and self.if_none_match.matches_weakly(etag)

    def versions(self) -> list[int] | None:
        """Return the version numbers that `If-Match` accepts, or None for any.

        For ETags that `version_etag` made; a write puts them into its WHERE, so that check and
        change are one statement.
        """
        if self.if_match is None or self.if_match.anything:
            return None
        named = [int(tag) for tag in self.if_match.strong if _VERSION.fullmatch(tag)]
        return [version for version in named if version <= MAX_INT64]


class _FromHeader(Preconditions):
    """A condition that FastAPI reads from a header, without a dependency, which would cost more."""

    __slots__ = ()
    header: ClassVar[str]

    @classmethod
    def parse(cls, lines: Sequence[str]) -> Self:
        """Return the condition of the header's lines, which are one list. Raises `BadRequest`."""
        argument = cls.header.lower().replace("-", "_")
        return cls(**{argument: parse_etags(", ".join(lines), cls.header)})

    @classmethod
    def __get_pydantic_core_schema__(cls, _: Any, __: GetCoreSchemaHandler) -> CoreSchema:
        """Return the validation: parsing."""
        return core_schema.no_info_plain_validator_function(cls.parse)

    @classmethod
    def __get_pydantic_json_schema__(
        cls, _: CoreSchema, __: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Return what the header may hold."""
        return _SCHEMA


# FastAPI hands over all lines of a header, and not only the first, where the type is a sequence.
Sequence.register(_FromHeader)


class IfMatchHeader(_FromHeader):
    """The condition of a write."""

    __slots__ = ()
    header = "If-Match"


class IfNoneMatchHeader(_FromHeader):
    """The condition of a read."""

    __slots__ = ()
    header = "If-None-Match"


def version_etag(version: int) -> str:
    """Return the strong ETag of a version number that grows with every change."""
    return f'"{version}"'


def changed() -> PreconditionFailed:
    """Return the 412 that a lost race gets."""
    return PreconditionFailed("It changed since you read it: read it again and decide anew.")


def parse_etags(text: str, name: str) -> ETagSet:
    """Return the entity tags of a header. Raises `BadRequest` naming the header."""
    if text.strip(" \t") == "*":
        return ETagSet(anything=True, strong=frozenset(), weak=frozenset())
    tags = _elements(text)
    if not tags:
        raise BadRequest(f'{name} must be * or entity tags such as "1".')
    if len(tags) > _MAX_TAGS:
        raise BadRequest(f"{name} can't have more than {_MAX_TAGS} entity tags.")
    return ETagSet(
        anything=False,
        strong=frozenset(value for weak, value in tags if not weak),
        weak=frozenset(value for weak, value in tags if weak),
    )


def _elements(text: str) -> list[tuple[str | None, str]]:
    """Return (`W/` or None, opaque tag) of each element, or nothing when the list is malformed."""
    found = []
    end = 0
    while element := _ELEMENT.match(text, end):
        found.append((element[1], element[2]))
        end = element.end()
    return [] if text[end:].strip(" \t,") else found


IfMatch = Annotated[
    IfMatchHeader,
    Header(
        alias=IfMatchHeader.header,
        default_factory=IfMatchHeader,
        description="Change only this version",
    ),
]
IfNoneMatch = Annotated[
    IfNoneMatchHeader,
    Header(
        alias=IfNoneMatchHeader.header,
        default_factory=IfNoneMatchHeader,
        description="Skip the body if unchanged",
    ),
]
