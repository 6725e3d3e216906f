"""Conditional requests (RFC 9110, section 13): strong ETags, `If-Match`, `If-None-Match`."""

import re
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Header

from bedplate.problems import BadRequest, PreconditionFailed

_LIST = re.compile(
    r'\s*(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"\s*(?:,\s*(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"\s*)*'
)
_TAG = re.compile(r'(W/)?"([\x21\x23-\x7e\x80-\xff]*)"')
_MOST_TAGS = 100


@dataclass(frozen=True)
class ETagSet:
    """What `If-Match` or `If-None-Match` names: `*`, or some entity tags."""

    anything: bool
    strong: frozenset[str]
    weak: frozenset[str]

    def matches_strongly(self, etag: str) -> bool:
        """Return whether `etag` (quoted) is named, by the strong comparison of `If-Match`."""
        return self.anything or etag.strip('"') in self.strong

    def matches_weakly(self, etag: str) -> bool:
        """Return whether `etag` (quoted) is named, by the weak comparison of `If-None-Match`."""
        value = etag.strip('"')
        return self.anything or value in self.strong or value in self.weak


@dataclass(frozen=True)
class Preconditions:
    """The conditions of a request; None where the header didn't come."""

    if_match: ETagSet | None
    if_none_match: ETagSet | None

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
        return [int(tag) for tag in self.if_match.strong if tag.isascii() and tag.isdecimal()]


def version_etag(version: int) -> str:
    """Return the strong ETag of a version number that grows with every change."""
    return f'"{version}"'


def changed() -> PreconditionFailed:
    """Return the 412 that a lost race gets."""
    return PreconditionFailed("It changed since you read it: read it again and decide anew.")


def parse_etags(text: str, name: str) -> ETagSet:
    """Return the entity tags of a header. Raises `BadRequest` naming the header."""
    if text.strip() == "*":
        return ETagSet(anything=True, strong=frozenset(), weak=frozenset())
    if not _LIST.fullmatch(text):
        raise BadRequest(f'{name} must be * or entity tags such as "1".')
    tags = _TAG.findall(text)[:_MOST_TAGS]
    return ETagSet(
        anything=False,
        strong=frozenset(value for weak, value in tags if not weak),
        weak=frozenset(value for weak, value in tags if weak),
    )


async def preconditions(
    if_match: Annotated[str | None, Header(description="Change only this version")] = None,
    if_none_match: Annotated[str | None, Header(description="Skip the body if unchanged")] = None,
) -> Preconditions:
    """Return the conditions of a request. Raises `BadRequest`."""
    return Preconditions(
        None if if_match is None else parse_etags(if_match, "If-Match"),
        None if if_none_match is None else parse_etags(if_none_match, "If-None-Match"),
    )


async def if_match(
    if_match: Annotated[str | None, Header(description="Change only this version")] = None,
) -> Preconditions:
    """Return the condition of a write. Raises `BadRequest`."""
    return await preconditions(if_match, None)


async def if_none_match(
    if_none_match: Annotated[str | None, Header(description="Skip the body if unchanged")] = None,
) -> Preconditions:
    """Return the condition of a read. Raises `BadRequest`."""
    return await preconditions(None, if_none_match)


IfMatch = Annotated[Preconditions, Depends(if_match)]
IfNoneMatch = Annotated[Preconditions, Depends(if_none_match)]
