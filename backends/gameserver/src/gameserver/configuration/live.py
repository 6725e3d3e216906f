import math
import re
from typing import Any, Final

from bedplate.problems import ProblemError
from gameserver.configuration.keys import Key
from gameserver.console.sanitize import MAX_COMMAND_BYTES
from gameserver.console.service import Console

_WHITELIST_MODES: Final = ("default", "off", "on")
_UNSAFE: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\[\]]")
_WAIT_SECONDS: Final = 2.0


async def apply_live(console: Console, key: Key, value: Any, *, by: str) -> str | None:
    """Send a setting to the running game's console.

    Returns None when its reply confirms the value, else why the value must wait.
    """
    words = command_words(key, value)
    if words is None:
        return "The console can't take this value."

    def is_confirmation(level: str, text: str) -> bool:
        return level == "Notification" and confirms(text, key, value)

    try:
        async with console.lines_matching(is_confirmation) as replies:
            reply = await console.send(f"/serverconfig {words}", by=by, wait=_WAIT_SECONDS)
            if any(confirms(line, key, value) for line in reply.lines):
                await replies.next(_WAIT_SECONDS)
                return None
    except ProblemError as error:
        return error.detail or error.title
    except TimeoutError:  # the game's own log doesn't have it
        pass
    return "The game didn't confirm it."


def command_words(key: Key, value: Any) -> str | None:
    """Return what follows `/serverconfig `, or None for a value that only the file can hold.

    Brackets would select players, a line break would begin another command, an empty text would
    ask for the value, and blanks at the ends would be lost.
    """
    if key.command is None:
        return None
    if value is None:
        return "nopassword" if key.command == "password" else None
    word = _word(key, value)
    usable = word != "" and word == word.strip() and not _UNSAFE.search(word)
    if not usable or (key.command == "password" and " " in word):
        return None
    words = f"{key.command} {word}"
    return words if len(f"/serverconfig {words}".encode()) <= MAX_COMMAND_BYTES else None


def confirms(line: str, key: Key, value: Any) -> bool:
    """Return whether a line of the reply says that the value is set.

    The English reply is `{command} set to {value}`. Replies in other languages confirm nothing:
    the change waits for the next start.
    """
    if value is None:
        return key.command == "password" and "removed" in line.casefold()
    command, separator, said = line.partition(" set to ")
    if not separator or command.strip().casefold() != (key.command or "").casefold():
        return False
    said = said.strip() if isinstance(value, str) else said.strip().removesuffix(".")
    if isinstance(value, float):
        try:
            return math.isclose(float(said), value, rel_tol=1e-5)
        except ValueError:
            return False
    if key.command == "whitelistmode":
        return said.casefold() in {str(value), _word(key, value)}
    return said == _word(key, value)


def _word(key: Key, value: Any) -> str:
    if key.command == "whitelistmode":
        return _WHITELIST_MODES[value]
    if isinstance(value, bool):
        return "on" if value else "off"
    return repr(value) if isinstance(value, float) else str(value)
