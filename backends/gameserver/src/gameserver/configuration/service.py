import asyncio
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from bedplate import clock
from bedplate.conditional import Preconditions
from gameserver.config_file import ConfigText
from gameserver.configuration.exceptions import NoSettingsYet
from gameserver.configuration.keys import ADAPTERS, BY_NAME, KEYS, Key
from gameserver.configuration.live import apply_live
from gameserver.configuration.schemas import Changed, GameSettings, Outcome, Setting, SettingsQueue
from gameserver.configuration.server_settings import ServerSettings, by_path
from gameserver.disk import READ_FLAGS
from gameserver.layout import Layout
from gameserver.locations import WorldElsewhere, require_fitting_world
from gameserver.process.game import Game
from gameserver.status import AT_REST, GameState

_LIVE_SECONDS: Final = 15.0
_TOO_SLOW: Final = "The game answers too slowly."
_WHITELIST_HINT: Final = (
    "WhitelistMode is 0: since 1.20 a dedicated server then lets only whitelisted players in, and "
    "nobody is on the whitelist. Put yourself on it, or set WhitelistMode to 1 (off)."
)


class Configuration:
    """Reads and changes the game's settings: at once where the game can, else when it is down."""

    def __init__(self, settings: ServerSettings, game: Game, layout: Layout) -> None:
        self._settings = settings
        self._game = game
        self._layout = layout
        self._whitelist = layout.server_data / "Playerdata" / "playerswhitelisted.json"

    async def read(self, *, with_secrets: bool) -> tuple[GameSettings, str]:
        """Return every setting, and the ETag of all settings together."""
        text, queue, etag = await self._settings.read()
        shown = GameSettings(
            exists=text is not None,
            settings=[_to_response(key, text, queue, with_secrets=with_secrets) for key in KEYS],
            other=_other(text) if text is not None and with_secrets else {},
            skipped=queue.skipped,
            hints=await asyncio.to_thread(_hints, text, self._whitelist, self._layout),
        )
        return shown, etag

    async def change(
        self, values: Mapping[str, Any], condition: Preconditions, *, by: str
    ) -> dict[str, Changed]:
        """Change settings, and return the outcome of each.

        Raises `PreconditionFailed`, `NoSettingsYet`, `SettingsUnreadable`, `GameBusy`.
        """
        async with self._settings.lock:
            if self._game.status.state in AT_REST:
                async with self._game.exclusive("a change of settings"):
                    text = await self._settings.find(condition)
                    if text is None:
                        await self._settings.create(values)
                    else:
                        text.changed(by_path(values))  # raises before anything is written
                        await self._settings.write(values)
                return {name: Changed(outcome=Outcome.WRITTEN) for name in values}
            text = await self._settings.find(condition)
            if text is None:
                raise NoSettingsYet
            await self._settings.enqueue(text, values, by=by)
            return await self._change_running(values, by=by)

    async def _change_running(self, values: Mapping[str, Any], *, by: str) -> dict[str, Changed]:
        results = {}
        deadline = clock.monotonic() + _LIVE_SECONDS
        for name, value in values.items():
            in_time = clock.monotonic() < deadline
            reason = await self._apply(BY_NAME[name], value, by=by) if in_time else _TOO_SLOW
            if reason is None:
                await self._settings.confirm(name)
            outcome = Outcome.APPLIED if reason is None else Outcome.QUEUED
            results[name] = Changed(outcome=outcome, reason=reason)
        return results

    async def _apply(self, key: Key, value: Any, *, by: str) -> str | None:
        if key.command is None:
            return "The game reads this at its start only."
        if self._game.status.state is not GameState.RUNNING:
            return f"The game is {self._game.status.state}."
        return await apply_live(self._game.console, key, value, by=by)


def _to_response(
    key: Key, text: ConfigText | None, queue: SettingsQueue, *, with_secrets: bool
) -> Setting:
    value = text.get(key.path) if text is not None else None
    change = queue.changes.get(key.name)
    waits = change is not None and not change.applied
    if change is not None and change.applied:
        value = change.value
    visible = with_secrets or not key.secret
    return Setting(
        key=key.name,
        value=value if visible else None,
        is_set=value is not None,
        queued=waits,
        queued_value=change.value if change is not None and waits and visible else None,
        live=key.command is not None,
        locked=key.locked,
        secret=key.secret,
        meaning=key.meaning,
        accepts=ADAPTERS[key.name].json_schema() if key.name in ADAPTERS else {},
    )


def _other(text: ConfigText) -> dict[str, Any]:
    """Return the keys without a known meaning; NaN and Infinity, which JSON lacks, as text."""
    known = {key.path[0] for key in KEYS}
    other = {name: value for name, value in text.values.items() if name not in known}
    plain: dict[str, Any] = json.loads(json.dumps(other), parse_constant=str)
    return plain


def _hints(text: ConfigText | None, whitelist: Path, layout: Layout) -> list[str]:
    hints = [_WHITELIST_HINT] if text is not None and _locks_all_out(text, whitelist) else []
    try:
        require_fitting_world(layout)
    except WorldElsewhere as elsewhere:
        hints.append(str(elsewhere.detail))
    return hints


def _locks_all_out(text: ConfigText, whitelist: Path) -> bool:
    if text.get(("WhitelistMode",)) != 0:
        return False
    try:
        with os.fdopen(os.open(whitelist, READ_FLAGS), "rb") as file:
            return bool(json.loads(file.read(1_000_000).decode("utf-8-sig")) == [])
    except FileNotFoundError:
        return True
    except (OSError, ValueError, RecursionError):
        return False
