"""From a request to a plan: which files come, which go, and what stands against it."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from bedplate import clock
from gameserver.mods.changes import Change
from gameserver.mods.inventory import Stock
from gameserver.mods.numbers import is_newer, is_same
from gameserver.mods.resolution import Fetched, Resolution, Wish
from gameserver.mods.schemas import Action, Plan, Step
from gameserver.mods.state import Record


@dataclass
class Request:
    """What somebody wants: mods by id, files that are at hand, a file behind a URL, all updates."""

    wishes: list[Wish] = field(default_factory=list)
    given: list[Fetched] = field(default_factory=list)
    url: str | None = None
    url_mod_id: str | None = None
    update: list[str] | None = None
    update_all: bool = False
    any_game_version: bool = False


def plan_of(resolution: Resolution, stock: Stock, game: str | None) -> Plan:
    """Return what a resolution would do to what is there."""
    return Plan(
        game_version=game,
        steps=[_step(fetched, stock) for fetched in _news(resolution, stock)],
        conflicts=[conflict.as_dict() for conflict in resolution.conflicts],
        warnings=[warning.as_dict() for warning in resolution.warnings],
    )


def change_of(resolution: Resolution, stock: Stock, *, by: str) -> Change:
    """Return the change of files and memory that carries a resolution out."""
    news = _news(resolution, stock)
    change = Change(_text(news, stock))
    for fetched in news:
        former = _former(fetched, stock)
        change.replaces.update(former)
        change.files.update(dict.fromkeys(former))
        change.files[file_name(fetched)] = fetched.path
        change.records[fetched.info.mod_id] = Record(
            mod_id=fetched.info.mod_id,
            version=fetched.info.version,
            file=file_name(fetched),
            sha256=fetched.sha256,
            origin=fetched.origin,
            url=fetched.url,
            installed_at=clock.now(),
            installed_by=by,
        )
    return change


def file_name(fetched: Fetched) -> str:
    """Return the name a mod's file gets: made of what was checked, never the author's own."""
    version = "".join(one for one in fetched.info.version if one.isalnum() or one in ".-")
    safe = version.encode("ascii", "ignore").decode().strip(".-")
    return f"{fetched.info.mod_id}_{safe}.zip" if safe else f"{fetched.info.mod_id}.zip"


def _news(resolution: Resolution, stock: Stock) -> list[Fetched]:
    """Return what isn't there already, byte for byte, alone and enabled."""
    return [one for one in resolution.chosen.values() if not _is_there(one, stock)]


def _is_there(fetched: Fetched, stock: Stock) -> bool:
    files = [one for one in stock.files if one.info and one.info.mod_id == fetched.info.mod_id]
    return len(files) == 1 and files[0].enabled and files[0].sha256 == fetched.sha256


def _former(fetched: Fetched, stock: Stock) -> list[str]:
    mod_id = fetched.info.mod_id
    return [one.name for one in stock.files if one.info is not None and one.info.mod_id == mod_id]


def _from_version(fetched: Fetched, stock: Stock) -> str | None:
    known = stock.enabled().get(fetched.info.mod_id)
    return None if known is None else known.version


def _step(fetched: Fetched, stock: Stock) -> Step:
    before, after = _from_version(fetched, stock), fetched.info.version
    return Step(
        action=_action(before, after),
        mod_id=fetched.info.mod_id,
        name=fetched.info.name,
        from_version=before,
        to_version=after,
        file=file_name(fetched),
        replaces=_former(fetched, stock),
        suits=fetched.suits,
        origin=fetched.origin,
    )


def _action(before: str | None, after: str) -> Action:
    if before is None:
        return "install"
    if is_same(before, after):
        return "replace"
    return "update" if is_newer(after, before) else "downgrade"


_WORDS = {
    "install": "{name} {after} installed",
    "update": "{name} updated from {before} to {after}",
    "downgrade": "{name} taken back from {before} to {after}",
    "replace": "{name} {after} put in place again",
}


def _text(news: Iterable[Fetched], stock: Stock) -> str:
    parts = []
    for fetched in news:
        before, after = _from_version(fetched, stock), fetched.info.version
        words = _WORDS[_action(before, after)]
        parts.append(words.format(name=fetched.info.mod_id, before=before, after=after))
    return ", ".join(parts) or "Nothing to do"
