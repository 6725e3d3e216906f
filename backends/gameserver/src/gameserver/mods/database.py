"""The mod database: asked within bounds, cached on disk, used from there while it is away.

Its API answers HTTP 200 for errors too; the text `statuscode` in the body is what counts
(reference/vintage-story-server.md, section 12).
"""

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Generic, TypeVar
from urllib.parse import quote
from weakref import WeakValueDictionary

import httpx2

from bedplate import clock
from gameserver.mods.cache import Cache, Cached
from gameserver.mods.exceptions import ModDatabaseUnavailable, ModNotFound
from gameserver.mods.listing import ListedMod, ModPage, mods_of, page_of
from gameserver.mods.modinfo import storable

MAX_ANSWER_BYTES: Final = 64 * 1024 * 1024
_RETRY_SECONDS: Final = 30.0
_MAX_NAMES: Final = 5_000
_OK: Final = 200

Content = TypeVar("Content")


@dataclass(frozen=True)
class Answer(Generic[Content]):
    """What the mod database said, when, and whether that is all there is because it is away."""

    content: Content
    fetched_at: datetime
    stale: bool

    @property
    def age(self) -> int:
        """Seconds since it was fetched."""
        return max(0, int((clock.now() - self.fetched_at).total_seconds()))


class _Away(Exception):
    """The database didn't answer, or not with sense."""


class _Missing(Exception):
    """The database says 404."""


class ModDatabase:
    """Reads the mod database below `base`.

    What was fetched is fresh for `fresh_seconds`. When the database can't be asked within
    `seconds`, the cache answers, however old, and the database is left alone for half a minute.
    """

    def __init__(
        self,
        client: httpx2.AsyncClient,
        base: str,
        cache: Cache,
        *,
        seconds: float = 10.0,
        fresh_seconds: float = 3600.0,
    ) -> None:
        self._client = client
        self._base = base.rstrip("/")
        self._cache = cache
        self._seconds = seconds
        self._fresh_seconds = fresh_seconds
        self._away_until = float("-inf")
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._parsed: tuple[datetime, list[ListedMod]] | None = None

    async def mods(self) -> Answer[list[ListedMod]]:
        """Return the whole list, in the database's order. Raises `ModDatabaseUnavailable`."""
        answer = await self._answer("/api/mods", {}, lambda document: document.get("mods"))
        if self._parsed is None or self._parsed[0] != answer.fetched_at:
            mods = await asyncio.to_thread(_parse_mods, answer.content)
            self._parsed = (answer.fetched_at, mods)
        return Answer(self._parsed[1], answer.fetched_at, answer.stale)

    async def made_for(self, game_version: str) -> Answer[frozenset[int]]:
        """Return the numbers of the mods with a release for a version of the game.

        Only the database knows them: its list doesn't say. Raises `ModDatabaseUnavailable`.
        """
        answer = await self._answer("/api/mods", {"gv": game_version}, _numbers)
        numbers = await asyncio.to_thread(json.loads, answer.content)
        return Answer(frozenset(numbers), answer.fetched_at, answer.stale)

    async def page(self, mod: str) -> Answer[ModPage]:
        """Return a mod by its id or number. Raises `ModNotFound`, `ModDatabaseUnavailable`."""
        path = f"/api/mod/{quote(mod, safe='')}"
        try:
            answer = await self._answer(path, {}, lambda document: document.get("mod"))
        except _Missing:
            raise ModNotFound(mod) from None
        page = await asyncio.to_thread(_parse_page, answer.content)
        if page is None:
            raise ModNotFound(mod)
        return Answer(page, answer.fetched_at, answer.stale)

    async def tags(self) -> Answer[list[str]]:
        """Return the names of all tags. Raises `ModDatabaseUnavailable`."""
        return await self._names("/api/tags", "tags")

    async def game_versions(self) -> Answer[list[str]]:
        """Return the game's versions as mods name them. Raises `ModDatabaseUnavailable`."""
        return await self._names("/api/gameversions", "gameversions")

    async def _names(self, path: str, member: str) -> Answer[list[str]]:
        answer = await self._answer(path, {}, lambda document: _names_in(document.get(member)))
        return Answer(json.loads(answer.content), answer.fetched_at, answer.stale)

    async def _answer(
        self,
        path: str,
        parameters: Mapping[str, str],
        choose: Callable[[dict[str, Any]], object],
    ) -> Answer[str]:
        """Return, as JSON, what `choose` takes of an answer: fresh, fetched now, or stale."""
        key = f"{self._base}{path}?{json.dumps(dict(parameters), sort_keys=True)}"
        async with self._locks.setdefault(key, asyncio.Lock()):
            cached = await self._cache.get(key)
            if cached is not None and cached.age < self._fresh_seconds:
                return _answer_of(cached, stale=False)
            try:
                body = await self._fetch(path, parameters, choose)
            except _Away:
                if cached is None:
                    raise ModDatabaseUnavailable from None
                return _answer_of(cached, stale=True)
            return _answer_of(await self._cache.put(key, body), stale=False)

    async def _fetch(
        self,
        path: str,
        parameters: Mapping[str, str],
        choose: Callable[[dict[str, Any]], object],
    ) -> str:
        if clock.monotonic() < self._away_until:
            raise _Away
        try:
            async with asyncio.timeout(self._seconds):
                content = await self._read(path, parameters)
                return await asyncio.to_thread(_chosen, content, choose)
        except (httpx2.HTTPError, httpx2.InvalidURL, TimeoutError, ValueError, _Away):
            self._away_until = clock.monotonic() + _RETRY_SECONDS
            raise _Away from None

    async def _read(self, path: str, parameters: Mapping[str, str]) -> bytes:
        request = self._client.stream(
            "GET", self._base + path, params=dict(parameters) or None, follow_redirects=False
        )
        content = bytearray()
        async with request as response:
            if response.status_code != _OK:
                raise _Away
            async for chunk in response.aiter_bytes(65_536):
                content += chunk
                if len(content) > MAX_ANSWER_BYTES:
                    raise _Away
        return bytes(content)


def _answer_of(cached: Cached, *, stale: bool) -> Answer[str]:
    return Answer(cached.body, cached.fetched_at, stale)


def _chosen(content: bytes, choose: Callable[[dict[str, Any]], object]) -> str:
    """Return what is wanted of an answer. Raises `_Missing` for a 404, `_Away` for nonsense."""
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        raise _Away from None
    if not isinstance(document, dict):
        raise _Away
    status = str(document.get("statuscode"))
    if status == "404":
        raise _Missing
    chosen = choose(document) if status == str(_OK) else None
    if chosen is None:
        raise _Away
    return json.dumps(chosen)


def _numbers(document: dict[str, Any]) -> object:
    mods = document.get("mods")
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
