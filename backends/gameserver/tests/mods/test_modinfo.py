"""modinfo.json, read as leniently as the game reads it, whatever is in it."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gameserver.mods.modinfo import MAX_MODINFO_BYTES, ModInfo, UnreadableModInfo, is_mod_id

USUAL = b"""\xef\xbb\xbf{ // a comment
  "Type": "Code", 'Name': 'Example Mod', ModID: "examplemod", "Version": "1.2.0-rc.1",
  "Side": "universal", /* another */ "Authors": ["Someone",], "RequiredOnClient": false,
  "Dependencies": { "game": "1.21.0", "survival": "", "OtherLib": "*", }, }"""
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)
FIELDS = st.sampled_from(
    ["type", "Name", "modid", "VERSION", "side", "authors", "dependencies", "requiredOnClient"]
)


def test_what_the_game_bears_is_borne() -> None:
    """BOM, comments, trailing commas, quotes of any kind and keys in any case are read."""
    info = ModInfo.parse(USUAL)
    assert (info.mod_id, info.name, info.version) == ("examplemod", "Example Mod", "1.2.0-rc.1")
    assert (info.side, info.authors, info.required_on_client) == ("both", ["Someone"], False)
    assert info.dependencies == {"game": "1.21.0", "survival": "", "otherlib": ""}


@pytest.mark.parametrize(
    ("content", "mod_id"),
    [
        (b'{"name": "Bulk Molds!"}', "bulkmolds"),
        (b'{"name": "Bulk", "modid": ""}', "bulk"),
        (b'{"name": "x", "ModId": " Carry "}', "carry"),
        ('{"name": "UTF sixteen"}'.encode("utf-16"), "utfsixteen"),
        (b'{"name": "one\ntwo"}', "onetwo"),
        (b'{"modid": "first", "MODID": "second"}', "second"),
        (b'{"modid": "temporal_gears_stack"}', "temporal_gears_stack"),
        (b'{"modid": "118hair"}', "118hair"),
        (b'{"modid": "TA_plainsandvalleys"}', "ta_plainsandvalleys"),
        (b'{"modid": "combat-overhaul-reanimated"}', "combat-overhaul-reanimated"),
    ],
)
def test_the_id_is_what_the_game_makes_of_it(content: bytes, mod_id: str) -> None:
    """A missing id is derived from the name; of two, the last counts."""
    assert ModInfo.parse(content).mod_id == mod_id


@pytest.mark.parametrize(
    "content",
    [
        b"", b"null", b"[]", b'"text"', b"{", b'{"name": "1"}', b'{"modid": "../../etc"}',
        b'{"modid": "a b"}', b'{"modid": "118"}', b'{"modid": "_a"}', b'{"modid": "-a"}',
        b'{"name": "118 hair"}', b"[" * 60_000, b'{"a":' * 10_000, b"/*" * 20_000, b"\0" * 100,
        b'{"modid":"a","x":"' + b"x" * MAX_MODINFO_BYTES + b'"}',
        b'{"modid":"a","dependencies":' + json.dumps(dict.fromkeys(map(str, range(300)))).encode(),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused(content: bytes) -> None:
    """What is no object, too large, too deep or without a usable id is refused in words."""
    with pytest.raises(UnreadableModInfo):
        ModInfo.parse(content)


@settings(max_examples=60, deadline=None)
@given(
    st.binary(max_size=300)
    | st.dictionaries(FIELDS, JSON).map(lambda one: json.dumps(one).encode())
)
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    """Whatever comes, it is refused, or gives an id that is safe in a path, and storable text."""
    try:
        info = ModInfo.parse(content)
    except UnreadableModInfo:
        return
    assert is_mod_id(info.mod_id)
    assert all(is_mod_id(mod_id) for mod_id in info.dependencies)
    assert ModInfo.model_validate_json(info.model_dump_json()) == info


SOUND = {"type": "Code", "name": "A", "modid": "a"}


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({}, ""),
        ({"type": "content", "side": "Universal", "authors": None, "dependencies": {}}, ""),
        ({"type": None}, "type"),
        ({"type": "mod"}, "type"),
        ({"name": ""}, "name"),
        ({"side": "both"}, "side"),
        ({"authors": "x"}, "authors"),
        ({"contributors": "x"}, "contributors"),
        ({"dependencies": []}, "dependencies"),
    ],
)
def test_what_the_game_refuses_is_named(change: dict[str, object], word: str) -> None:
    """It can still be managed here, by its id; the game's own reader would throw."""
    info = ModInfo.parse(json.dumps(SOUND | change).encode())
    assert info.mod_id == "a"
    assert word in info.refusal
    assert bool(info.refusal) is bool(word)
