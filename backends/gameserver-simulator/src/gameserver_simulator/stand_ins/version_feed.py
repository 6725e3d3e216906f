"""A stand-in for the feed of game versions and the server of their files."""

import asyncio
import hashlib
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from gameserver_simulator.game.mods import order
from gameserver_simulator.stand_ins import game_versions
from gameserver_simulator.stand_ins.fault_modes import FaultModes, Faulty
from gameserver_simulator.stand_ins.game_files import Fault, GameFile, game_file
from gameserver_simulator.stand_ins.serving import serving

NOT_MODIFIED = 304
NAME = "vs_server_linux-x64_{}.tar.gz"
WITHOUT_SERVER = "1.20.11"
"""A version without a server for Linux."""


class VersionFeed:
    """The stand-in. `fault_modes` make it fail while it serves.

    faults     faults of versions or of their archives
    padding    incompressible bytes added to each archive
    stable, unstable   the versions it lists; can be changed while it serves
    """

    def __init__(
        self,
        faults: Mapping[str, Fault] | None = None,
        *,
        padding: int = 0,
        stable: Sequence[str] = game_versions.STABLE,
        unstable: Sequence[str] = game_versions.UNSTABLE,
    ) -> None:
        self.faults = dict(faults or {})
        self.stable = list(stable)
        self.unstable = list(unstable)
        self.fault_modes = FaultModes()
        self._padding = padding
        self._files: dict[tuple[str, Fault | None], GameFile] = {}
        self._lock = threading.Lock()
        self.app: ASGIApp = Faulty(Starlette(routes=self._routes()), self.fault_modes)

    @contextmanager
    def serving(self, port: int = 0) -> Iterator[str]:
        """Serve on a port of this machine; and yield the URL that replaces the official one."""
        with serving(self.app, port) as url:
            yield url

    def file(self, version: str) -> GameFile:
        """Return a version's archive, with the MD5 in the feed."""
        key = (version, self.faults.get(version))
        with self._lock:
            if key not in self._files:
                self._files[key] = game_file(version, key[1], self._padding)
            return self._files[key]

    def _routes(self) -> list[Route]:
        return [
            Route("/stable.json", self._stable),
            Route("/unstable.json", self._unstable),
            Route("/pre.json", self._unstable),
            Route("/stable-unstable.json", self._both),
            Route("/lateststable.txt", self._latest_stable),
            Route("/latestunstable.txt", self._latest_unstable),
            Route("/gamefiles/{branch}/{name}", self._file),
        ]

    async def _stable(self, request: Request) -> Response:
        return await self._document(request, self.stable)

    async def _unstable(self, request: Request) -> Response:
        return await self._document(request, self.unstable)

    async def _both(self, request: Request) -> Response:
        return await self._document(request, [*self.unstable, *self.stable])

    async def _document(self, request: Request, versions: Sequence[str]) -> Response:
        base = str(request.base_url)
        document = await asyncio.to_thread(self._entries, versions, base)
        response: Response = JSONResponse(document)
        etag = f'"{hashlib.sha256(response.body).hexdigest()[:16]}"'
        if request.headers.get("if-none-match") == etag:
            response = Response(status_code=NOT_MODIFIED)  # which has no body
        response.headers["etag"] = etag
        return response

    def _entries(self, versions: Sequence[str], base: str) -> dict[str, Any]:
        latest = [max(branch, key=order) for branch in (self.stable, self.unstable) if branch]
        return {
            version: self._entry(version, base, is_latest=version in latest) for version in versions
        }

    def _entry(self, version: str, base: str, *, is_latest: bool) -> dict[str, Any]:
        """Return all platforms of a version; `latest` is 1, true or absent, as in the real feed."""
        platforms = {
            "windowsserver": f"vs_server_win-x64_{version}.zip",
            "windows": f"vs_install_win-x64_{version}.exe",
            "linux": f"vs_client_linux-x64_{version}.tar.gz",
        }
        branch = "unstable" if "-" in version else "stable"
        entry = {
            platform: _platform(name, branch, base, "0" * 32, 0)
            for platform, name in platforms.items()
        }
        if version != WITHOUT_SERVER:
            file = self.file(version)
            size = len(file.content)
            entry["linuxserver"] = _platform(NAME.format(version), branch, base, file.md5, size)
        if is_latest:
            entry["windows"]["latest"] = True
            if "linuxserver" in entry:
                entry["linuxserver"]["latest"] = 1
        return entry

    async def _latest_stable(self, _request: Request) -> Response:
        return PlainTextResponse(max(self.stable, key=order))

    async def _latest_unstable(self, _request: Request) -> Response:
        return PlainTextResponse(f"v{max(self.unstable, key=order)}\n")

    async def _file(self, request: Request) -> Response:
        name = request.path_params["name"]
        for version in (*self.stable, *self.unstable):
            if name == NAME.format(version) and version != WITHOUT_SERVER:
                file = await asyncio.to_thread(self.file, version)
                return Response(file.content, media_type="application/gzip")
        return PlainTextResponse("No such file.", 404)


def _platform(name: str, branch: str, base: str, md5: str, size: int) -> dict[str, Any]:
    return {
        "filename": name,
        "filesize": f"{size / 1024 / 1024:.1f} MB",
        "md5": md5,
        "urls": {
            "cdn": f"{base}gamefiles/{branch}/{name}",
            "local": f"{base}gamefiles/{branch}/{name}",
        },
    }
