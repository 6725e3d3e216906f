"""The mod database: requests within bounds, and answers cached on disk for when it is away.

Its API answers HTTP 200 for errors too; the text `statuscode` in the body is what counts
(reference/vintage-story-server.md, section 12).
"""

import asyncio
import contextlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Generic, Literal, TypeVar
from urllib.parse import quote, urlencode
from weakref import WeakValueDictionary

from pydantic import BaseModel, ValidationError

from bedplate import clock
from gameserver.mods.cache import FileCache
from gameserver.mods.exceptions import ModDatabaseUnavailable, ModNotFound
from gameserver.mods.listing import ListedMod, ModPage, mods_of, page_of
from gameserver.mods.modinfo import storable
from gameserver.outgoing.exceptions import FetchError
from gameserver.outgoing.fetching import Downloads, require_ok

MAX_ANSWER_BYTES: Final = 64 * 1024 * 1024
_RETRY_SECONDS: Final = 30.0
_MAX_NAMES: Final = 5_000

Content = TypeVar("Content")
Choose = Callable[[object], object]
"""Returns what is kept of a member of a document; None if the member makes no sense."""


class _Cached(BaseModel):
    """A part of an answer of the mod database, as JSON, and when it came."""

    fetched_at: datetime
    body: str


@dataclass(frozen=True)
class Answer(Generic[Content]):
    """An answer of the mod database, and its time; `stale` if the database is away."""

    content: Content
    fetched_at: datetime
    stale: bool

    @property
    def age(self) -> int:
        """Seconds since it was fetched."""
        return max(0, int((clock.now() - self.fetched_at).total_seconds()))


class _Missing(Exception):
    """The database has no such mod: it says 404."""


class ModDatabase:
    """Reads the mod database below `base`.

    An answer is fresh for `fresh_seconds`. When the database doesn't answer within the bounds of
    `downloads`, the cache answers, however old, and the database gets no request for half a minute.
    """

    def __init__(
        self, downloads: Downloads, base: str, cache: FileCache, *, fresh_seconds: float = 3600.0
    ) -> None:
        self._downloads = downloads
        self._base = base.rstrip("/")
        self._cache = cache
        self._fresh = timedelta(seconds=fresh_seconds)
        self._away_until = float("-inf")
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._parsed: tuple[datetime, list[ListedMod]] | None = None

    async def mods(self) -> Answer[list[ListedMod]]:
        """Return the whole list, in the database's order. Raises `ModDatabaseUnavailable`."""
        answer = await self._answer("/api/mods", "mods")
        if self._parsed is None or self._parsed[0] != answer.fetched_at:
            mods = await asyncio.to_thread(_parse_mods, answer.content)
            self._parsed = (answer.fetched_at, mods)
        return Answer(self._parsed[1], answer.fetched_at, answer.stale)

    async def made_for(self, game_version: str) -> Answer[frozenset[int]]:
        """Return the numbers of the mods with a release for a version of the game.

        The list doesn't name them, so this is another request. Raises `ModDatabaseUnavailable`.
        """
        answer = await self._answer(
            f"/api/mods?{urlencode({'gv': game_version})}", "mods", _numbers
        )
        numbers = await asyncio.to_thread(json.loads, answer.content)
        return Answer(frozenset(numbers), answer.fetched_at, answer.stale)

    async def page(self, mod: str) -> Answer[ModPage]:
        """Return a mod by its id or number. Raises `ModNotFound`, `ModDatabaseUnavailable`."""
        try:
            answer = await self._answer(f"/api/mod/{quote(mod, safe='')}", "mod")
        except _Missing:
            raise ModNotFound(mod) from None
        page = await asyncio.to_thread(_parse_page, answer.content)
        if page is None:
            raise ModNotFound(mod)
        return Answer(page, answer.fetched_at, answer.stale)

    async def names(self, kind: Literal["tags", "gameversions"]) -> Answer[list[str]]:
        """Return the names of all tags, or of the game's versions as mods name them.

        Raises `ModDatabaseUnavailable`.
        """
        answer = await self._answer(f"/api/{kind}", kind, _names_in)
        return Answer(json.loads(answer.content), answer.fetched_at, answer.stale)

    async def _answer(
        self, path: str, member: str, choose: Choose = lambda value: value
    ) -> Answer[str]:
        """Return, as JSON, what `choose` takes of an answer's member: fresh, fetched now, or stale.

        Raises `_Missing`, `ModDatabaseUnavailable`.
        """
        url = self._base + path
        async with self._locks.setdefault(url, asyncio.Lock()):
            cached = await asyncio.to_thread(self._cached, url)
            stale = False
            if cached is None or clock.now() - cached.fetched_at >= self._fresh:
                body = await self._fetch(url, member, choose)
                stale = body is None
                if body is not None:
                    cached = await asyncio.to_thread(self._keep, url, body)
            if cached is None:
                raise ModDatabaseUnavailable
            return Answer(cached.body, cached.fetched_at, stale)

    def _cached(self, url: str) -> _Cached | None:
        with contextlib.suppress(ValidationError):
            return _Cached.model_validate_json(self._cache.read(url) or b"")
        return None

    def _keep(self, url: str, body: str) -> _Cached:
        cached = _Cached(fetched_at=clock.now(), body=body)
        self._cache.write(url, cached.model_dump_json().encode())
        return cached

    async def _fetch(self, url: str, member: str, choose: Choose) -> str | None:
        """Return what `choose` takes, or None if the database is away or talks nonsense."""
        if clock.monotonic() < self._away_until:
            return None
        try:
            response, content = await self._downloads.read(url)
            require_ok(response)
            return await asyncio.to_thread(_chosen, content, member, choose)
        except (FetchError, ValueError, RecursionError):
            self._away_until = clock.monotonic() + _RETRY_SECONDS
            return None


def _chosen(content: bytes, member: str, choose: Choose) -> str:
    """Return as JSON what `choose` takes of a document's member.

    Raises `_Missing` for an unknown mod, and `ValueError` or `RecursionError` for nonsense.
    """
    document = json.loads(content)
    status = str(document.get("statuscode")) if isinstance(document, dict) else ""
    if status == "404" and member == "mod":
        raise _Missing
    chosen = choose(document.get(member)) if status == "200" else None
    if chosen is None:
        raise ValueError("The answer makes no sense.")
    return json.dumps(chosen)


def _numbers(mods: object) -> object:
    return [mod.number for mod in mods_of(mods)] if isinstance(mods, list) else None


def _names_in(items: object) -> object:
    if not isinstance(items, list):
        return None
    named = (item.get("name") for item in items[:_MAX_NAMES] if isinstance(item, dict))
    return [storable(name)[:64] for name in named if isinstance(name, str)]


def _parse_mods(body: str) -> list[ListedMod]:
    return mods_of(json.loads(body))


def _parse_page(body: str) -> ModPage | None:
    return page_of(json.loads(body))
