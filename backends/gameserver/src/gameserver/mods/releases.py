"""Which release of a mod suits: a version that is asked for, or the newest for a game version."""

from collections.abc import Iterable
from enum import StrEnum

from gameserver.mods.listing import Release
from gameserver.version_numbers import is_at_least, is_same, number_of, version_key


class Suits(StrEnum):
    """How well a release suits the installed game.

    exact     it names this version
    series    it names another version of the same series (1.21.0 for 1.21.6): usually works
    no        it names only versions of other series
    unknown   no game is installed, or the release names no version
    """

    EXACT = "exact"
    SERIES = "series"
    NO = "no"
    UNKNOWN = "unknown"


def suits(game_versions: Iterable[str], game: str | None) -> Suits:
    """Return how well a release made for `game_versions` suits the version `game`."""
    named = [text.removeprefix("v") for text in game_versions]
    if game is None or not named:
        return Suits.UNKNOWN
    if any(is_same(text, game) for text in named):
        return Suits.EXACT
    return Suits.SERIES if any(series_of(text) == series_of(game) for text in named) else Suits.NO


def series_of(version: str) -> tuple[int, int] | str:
    """Return major and minor number, which versions of one series share."""
    number = number_of(version)
    return version if number is None else number.numbers[:2]


def exact_release(releases: Iterable[Release], mod_id: str, version: str) -> Release | None:
    """Return the release of a version, or None."""
    return next((item for item in of_mod(releases, mod_id) if is_same(item.version, version)), None)


def best_release(
    releases: Iterable[Release],
    mod_id: str,
    *,
    game: str | None,
    min_version: str = "",
    any_game_version: bool = False,
) -> Release | None:
    """Return the newest release from `min_version` on that suits the game, or None.

    A release that names this very game version comes before a newer one that names only another of
    its series; a finished version before a preview of any.
    """
    ranked = {Suits.EXACT: 2, Suits.UNKNOWN: 2, Suits.SERIES: 1, Suits.NO: 0}
    worst = 0 if any_game_version else 1
    candidates = [
        (ranked[suits(item.game_versions, game)], _is_finished(item.version), item)
        for item in of_mod(releases, mod_id)
        if item.url is not None and is_at_least(item.version, min_version)
    ]
    usable = [candidate for candidate in candidates if candidate[0] >= worst]
    if not usable:
        return None
    return max(usable, key=lambda one: (one[0] > 0, one[1], one[0], version_key(one[2].version)))[2]


def of_mod(releases: Iterable[Release], mod_id: str) -> list[Release]:
    """Return the releases of one id: a page may hold those of several."""
    return [release for release in releases if release.mod_id.lower() == mod_id]


def _is_finished(version: str) -> bool:
    number = number_of(version)
    return number is None or number.stable
