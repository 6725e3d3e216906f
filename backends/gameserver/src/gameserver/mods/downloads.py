"""Fetching a mod's file; what prevents it is said in problems of mods."""

from pathlib import Path
from typing import Final

from gameserver.mods.exceptions import DownloadRefused, ModDatabaseUnavailable, ModTooLarge
from gameserver.outgoing.exceptions import (
    FetchError,
    HostRefused,
    NoWebURL,
    PlainHTTPRefused,
    PrivateAddress,
    StatusRefused,
    TooLarge,
    TooManyRedirects,
)
from gameserver.outgoing.fetching import Downloads

_GONE: Final = frozenset({404, 410})
_REFUSALS: Final[dict[type[FetchError], str]] = {
    NoWebURL: "That is no URL of a file on the web.",
    HostRefused: "Files of mods may not come from this host.",
    PlainHTTPRefused: "Files of mods come over HTTPS only.",
    PrivateAddress: "The host has an address within a private network.",
    TooManyRedirects: "The file is behind too many redirects.",
}


class ModDownloads:
    """Fetches files of mods."""

    def __init__(self, downloads: Downloads) -> None:
        self._downloads = downloads

    async def fetch(self, url: str, target: Path) -> None:
        """Write the file behind a URL to `target`, which must not exist yet.

        Raises `DownloadRefused`, `ModTooLarge`, or `ModDatabaseUnavailable` when the host doesn't
        deliver. What was written by then stays: the caller's staging folder goes as a whole.
        """
        try:
            await self._downloads.save(url, target)
        except TooLarge:
            max_bytes = self._downloads.bounds.max_bytes
            raise ModTooLarge(f"The file has more than {max_bytes} bytes.") from None
        except FetchError as error:
            if isinstance(error, StatusRefused) and error.status in _GONE:
                text = "The file isn't there any more; it may be retracted."
                raise DownloadRefused(text) from None
            refusal = _REFUSALS.get(type(error))
            raise (DownloadRefused(refusal) if refusal else ModDatabaseUnavailable()) from None
