"""serverconfig.json: read leniently, changed only where it must be."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gameserver.config_file import ConfigFile, ConfigText, SettingsUnreadable
from gameserver_simulator.game.config_defaults import defaults

SCALARS = st.none() | st.booleans() | st.integers() | st.text(max_size=10)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)
OBJECTS = st.dictionaries(st.text(max_size=6), JSON, min_size=1, max_size=6)


@given(OBJECTS, st.data(), st.sampled_from(["\n", "\r\n"]), st.sampled_from([None, 2, "\t"]), JSON)
def test_only_the_value_changes(
    document: dict[str, Any], data: st.DataObject, newline: str, indent: Any, value: Any
) -> None:
    """In any JSON, with any line ends and byte-order mark, one value becomes another, no more."""
    name = data.draw(st.sampled_from(sorted(document)))
    mark = data.draw(st.sampled_from([b"", b"\xef\xbb\xbf"]))
    text = json.dumps(document, indent=indent, ensure_ascii=False)
    content = mark + text.replace("\n", newline).encode("utf-8", "surrogatepass")
    try:
        changed = ConfigText(content).changed({(name,): value})
    except (SettingsUnreadable, UnicodeEncodeError):
        return
    assert changed.startswith(mark)
    result = json.loads(changed.decode("utf-8-sig"))
    assert result == {**json.loads(text), name: value}
    assert list(result) == list(document)


def test_the_rest_of_the_file_stays_as_it_is() -> None:
    """The form of numbers, unknown keys, order, blanks and line ends aren't touched."""
    content = (
        b'\xef\xbb\xbf{\r\n\t"Tick": 33.333332000,\r\n\t"Mine" : {"a":[ 1 ]},\r\n\t"Port": 1}\r\n'
    )
    changed = ConfigText(content).changed({("Port",): 42420, ("World", "Name"): "Ö"})
    assert changed == (
        b'\xef\xbb\xbf{\r\n\t"Tick": 33.333332000,\r\n\t"Mine" : {"a":[ 1 ]},\r\n\t"Port": 42420,'
        b'\r\n\t"World": {\r\n\t\t"Name": "\xc3\x96"\r\n\t}}\r\n'
    )


def test_a_key_within_an_object_is_changed_or_added(tmp_path: Path) -> None:
    """`WorldConfig.X` is changed in place, and a new member gets the indentation of its kind."""
    file = ConfigFile(tmp_path / "serverconfig.json")
    file.create(defaults(tmp_path, "1.21.0"))
    before = file.path.read_text()
    file.change({("WorldConfig", "PlayStyle"): "exploration", ("KickClientsAfterAfkSeconds",): 5})
    after = file.path.read_text()
    assert after == before.replace('"surviveandbuild",', '"exploration",').replace(
        '"DisableModSafetyCheck": false\n',
        '"DisableModSafetyCheck": false,\n  "KickClientsAfterAfkSeconds": 5\n',
    )


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"{", b"\xff\xfe{}", b'{"a": "\xe9"}', b"[" * 100_000, b'{"a":' * 50_000],
)
def test_what_is_no_settings_file_is_refused(content: bytes) -> None:
    """What is not a JSON object in UTF-8 is refused in words, whatever its form."""
    with pytest.raises(SettingsUnreadable):
        ConfigText(content)


def test_what_only_the_game_understands_is_read_and_not_changed() -> None:
    """Comments and trailing commas are read; to change such a file would lose them."""
    text = ConfigText(b"{ // mine\n 'Port': 5, }")
    assert text.get(("Port",)) == 5
    with pytest.raises(SettingsUnreadable):
        text.changed({("Port",): 6})


def test_a_link_in_its_place_is_not_followed(tmp_path: Path) -> None:
    """A symbolic link called serverconfig.json is neither read nor written through."""
    secret = tmp_path / "secret"
    secret.write_text("{}")
    link = tmp_path / "serverconfig.json"
    link.symlink_to(secret)
    with pytest.raises(Exception, match="symbolic link"):
        ConfigFile(link).read()
