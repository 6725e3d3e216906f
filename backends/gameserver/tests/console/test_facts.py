"""What the console tells about the game."""

from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gameserver.console.facts import MAX_MODS, MAX_PROBLEMS, Facts
from gameserver.console.lines import ConsoleLine
from gameserver.events import Event, EventKind, Events

BEGIN = datetime(2026, 1, 2, tzinfo=UTC)
START = [
    ("Notification", "Game Version: v1.21.0 (Stable)"),
    ("Event", "Server v1.21.0, network v1.21.7, api v1.21.0"),
    ("Notification", "Entering runphase Initialization"),
    ("Notification", "Mods, sorted by dependency: game, creative, survival"),
    ("Notification", "Entering runphase RunGame"),
]
READY = ("Event", "Dedicated Server now running on Port 42420 and all ips!")
AUTOSAVE = [
    ("Notification", "Autosaving game world. Notifying mods, then systems of save..."),
    ("Notification", "Server ticking has been suspended"),
    ("Event", "Mods and systems notified, now saving everything..."),
    ("Event", "World saved! Saved 0 chunks, 0 mapchunks, 7 mapregions."),
    ("Notification", "Server ticking has been resumed"),
    ("Notification", "Offthread save of 197 chunks done."),
    ("Notification", "Offthread save of savegame done."),
]
SHUTDOWN = [
    ("Notification", "Server stop requested, … Stop reason: Shutdown via server command"),
    ("Notification", "Entering runphase Shutdown"),
    ("Event", "Mods and systems notified, now saving everything..."),
    ("Event", "World saved! Saved 2 chunks, 17 mapchunks, 16 mapregions."),
    ("Event", "Stopped the server!"),
]  # fmt: skip


class Reading:
    """Facts, and the events that they publish; a second passes from line to line."""

    def __init__(self, *lines: tuple[str, str]) -> None:
        events = Events()
        self.events: list[Event] = []
        events.listen(self.events.append)
        self.facts = Facts(events)
        self.seconds = count()
        self.take(*lines)

    def take(self, *lines: tuple[str, str]) -> list[bool]:
        """Take lines, and return the events of each."""
        return [
            self.facts.take(ConsoleLine(BEGIN + timedelta(seconds=second), level, text))
            for (level, text), second in zip(lines, self.seconds, strict=False)
        ]

    @property
    def kinds(self) -> list[EventKind]:
        """The kinds of events so far."""
        return [event.kind for event in self.events]


def test_start() -> None:
    """Phase, versions, mods and port are read as the game starts."""
    reading = Reading(*START)
    facts = reading.facts.current
    assert (facts.phase, facts.version, facts.ready_at) == ("RunGame", "1.21.0", None)
    assert (facts.network_version, facts.api_version) == ("1.21.7", "1.21.0")
    assert facts.mods.loaded == ["game", "creative", "survival"]
    assert reading.take(READY) == [True]
    assert facts.port == 42420
    assert facts.ready_at is not None


@pytest.mark.parametrize(
    "text",
    [
        "Dedizierter Server now running on Port 42420 and all ips!",
        "Serveur dédié now running on Port 42420 and all ips!",
        "Выделенный сервер now running on Port 42420 and all ips!",
        "Dedicated Server now running on Port 42420 and ip 127.0.0.1!",
    ],
)
def test_ready_in_every_language(text: str) -> None:
    """The game is ready whatever the language of its server."""
    assert Reading(("Event", text)).facts.current.port == 42420


@pytest.mark.parametrize(
    ("level", "text"),
    [
        ("Chat", READY[1]),
        ("Chat", f"0 | Bob: {READY[1]}"),
        ("Chat", f"0 | Bob: 5.9.2026 22:08:03 [Server Event] {READY[1]}"),
        ("Event", f"Admin announced: {READY[1]}."),
        ("Notification", READY[1]),
        ("Stderr", READY[1]),
        ("Event", "Dedicated Server now running on Port 42420 and all ips"),
    ],
)
def test_nobody_can_say_ready_but_the_server(level: str, text: str) -> None:
    """Chat and announcements that imitate the marker are not taken for it."""
    assert Reading((level, text)).facts.current.ready_at is None


def test_an_autosave_ends_with_its_last_durable_line() -> None:
    """`World saved!` comes too early; the save counts when the savegame is on disk."""
    reading = Reading(*AUTOSAVE[:-1])
    assert reading.facts.current.saves.count == 0
    assert reading.facts.current.saves.saving_since == BEGIN
    reading.take(AUTOSAVE[-1])
    saves = reading.facts.current.saves
    assert (saves.count, saves.saving_since, saves.last_seconds) == (1, None, 6.0)
    assert reading.kinds == [EventKind.WORLD_SAVED]
    assert reading.events[0].facts == {"seconds": 6.0}


def test_a_shutdown_saves_too() -> None:
    """While shutting down there is no off-thread part: `World saved!` is the end of it."""
    reading = Reading(*SHUTDOWN)
    facts = reading.facts.current
    assert (facts.saves.count, facts.saves.last_seconds, facts.stopped) == (1, 1.0, True)
    assert facts.stopped_on_purpose
    assert reading.kinds == [EventKind.WORLD_SAVED]


@pytest.mark.parametrize(
    ("level", "text"),
    [
        ("Fatal", "Disk space is below 400 megabytes (356 mb left). Will kill server now..."),
        *(
            ("Notification", f"Server stop requested, … Stop reason: {reason}")
            for reason in (
                "Exception during Process", "Server is consuming too much RAM",
                "Too many errors detected. See server-main.log file", "Out of disk space",
                "Failed opening savegame", "serverconfig.json read error",
                "Failed reading playerdata", "Something that nobody has seen yet",
                "No Shutdown via server command",
            )
        ),
    ],
)  # fmt: skip
def test_a_failure_is_no_purpose(level: str, text: str) -> None:
    """A game that ends itself for a failure, or a reason that nobody knows, was not stopped on
    purpose, though it shuts down in the same order.
    """
    reading = Reading(*SHUTDOWN, (level, text))
    assert not reading.facts.current.stopped_on_purpose


@pytest.mark.parametrize(
    "reason",
    [
        "Shutdown via server command", "External close event (CTRL+C/kill/etc)",
        "CTRL+c pressed", "Exit request by client", "Forced: Shutdown through Server API",
    ],
)  # fmt: skip
def test_a_wish_is_a_purpose(reason: str) -> None:
    """People, signals and programs that stop the game do so on purpose."""
    reading = Reading(*SHUTDOWN, ("Notification", f"Server stop … Stop reason: {reason}"))
    assert reading.facts.current.stopped_on_purpose


def test_an_end_without_a_reason_is_no_purpose() -> None:
    """An orderly shutdown that names no reason is nobody's wish."""
    assert not Reading(*SHUTDOWN[1:]).facts.current.stopped_on_purpose


def test_overloads_warnings_and_errors_are_counted() -> None:
    """Each slow tick is counted and published; other warnings and errors are counted."""
    reading = Reading(
        ("Warning", "Server overloaded. A tick took 563ms to complete."),
        ("Warning", "Failed request to master server url"),
        ("Error", "Exception: Object reference not set"),
    )
    facts = reading.facts.current
    assert (facts.overloads.count, facts.overloads.last_milliseconds) == (1, 563)
    assert (facts.warnings, facts.errors) == (2, 1)
    assert reading.kinds == [EventKind.OVERLOADED]


def test_failed_mods() -> None:
    """Mods with missing dependencies and faulty mods are named, with why."""
    reading = Reading(
        ("Error", "[wildcraftfruit] Could not resolve some dependencies:"),
        ("Error", "[wildcraftfruit]     herbarium@1.0.0 - Missing"),
        ("Error", "[other] Could not resolve some dependencies:"),
        ("Error", "Critical error occurred in the following mod: somemod@1.0.0"),
    )
    assert reading.facts.current.mods.failed == {
        "wildcraftfruit": "herbarium@1.0.0 - Missing",
        "other": "Could not resolve some dependencies",
        "somemod": "Critical error",
    }


@pytest.mark.parametrize(
    ("why", "shown"),
    [
        ("Missing", "xlib@0.9.0 - Missing"),
        ("Version mismatch (has 0.8.1)", "xlib@0.9.0 - Version mismatch (has 0.8.1)"),
        ("Dependency xlib failed loading", "xlib@0.9.0 - Dependency xlib failed loading"),
    ],
)
def test_why_a_dependency_fails_is_shown_whole(why: str, shown: str) -> None:
    """Each of several reasons is kept, in the game's whole words."""
    reading = Reading(
        ("Error", "[xskills] Could not resolve some dependencies:"),
        ("Error", f"[xskills]     xlib@0.9.0 - {why}"),
        ("Error", "[xskills]     game@1.22.0 - Version mismatch (has 1.21.6)"),
    )
    both = f"{shown}; game@1.22.0 - Version mismatch (has 1.21.6)"
    assert reading.facts.current.mods.failed == {"xskills": both}


@pytest.mark.parametrize(
    ("name", "doing"),
    [
        ("xskills", "load assembly"),
        ("XSkills", "start the mod"),
        ("My own mod (1).zip", "load the ModInfo"),
    ],
)
def test_a_mod_that_throws_has_failed(name: str, doing: str) -> None:
    """It isn't among the loaded ones, whether it fails before or after the game lists them."""
    said = "to load the ModInfo" if "zip" in name else doing
    error = ("Error", f"[{name}] An exception was thrown when trying to {said}:\nException: x")
    loaded = ("Notification", "Mods, sorted by dependency: game, xskills, other")
    for lines in ((error, loaded), (loaded, error)):
        mods = Reading(*lines).facts.current.mods
        assert mods.failed == {name: f"An exception was thrown when trying to {doing}"}
        assert ("xskills" in mods.loaded) is ("zip" in name)
        assert "other" in mods.loaded


@pytest.mark.parametrize("level", ["Warning", "Error"])
def test_two_files_of_a_mod_are_named(level: str) -> None:
    """One of them is loaded, so the mod is; the problem is shown all the same."""
    text = "Multiple mods share the mod ID 'xskills' (a.zip, b.zip). Will only load v2.0.0."
    loaded = ("Notification", "Mods, sorted by dependency: game, xskills")
    mods = Reading((level, text), loaded).facts.current.mods
    assert mods.failed == {"xskills": text}
    assert mods.loaded == ["game", "xskills"]


def test_the_last_error_is_known_before_the_end_is_proven() -> None:
    """The game's own log is looked into a moment later than the lines come."""
    reading = Reading()
    held: list[ConsoleLine] = []
    reading.facts.prove = held.append
    reading.take(
        *SHUTDOWN, ("Notification", "Entering runphase Exit"), ("Error", "Too much memory")
    )
    assert not reading.facts.current.shuts_down
    assert reading.facts.current.last_error == "Too much memory"
    assert reading.facts.current.saves.count == 0
    for line in held:
        reading.facts.apply(line)
    assert reading.facts.current.saves.count == 1
    for line in held:
        reading.facts.apply(line)
    assert reading.facts.current.phase == "Exit"
    assert reading.facts.current.stopped_on_purpose


def test_facts_are_bounded() -> None:
    """Neither a long list of mods nor endless errors fill the memory."""
    names = ", ".join(f"m{number}" for number in range(5 * MAX_MODS))
    errors = [("Error", f"[m{n}]     x@1.0.0 - Missing") for n in range(2 * MAX_PROBLEMS)]
    reading = Reading(("Notification", f"Mods, sorted by dependency: {names}"), *errors)
    assert len(reading.facts.current.mods.loaded) <= MAX_MODS
    assert len(reading.facts.current.mods.failed) == MAX_PROBLEMS


def test_players_are_told() -> None:
    """Who joins and leaves is an event, and at the end of a run everybody leaves."""
    reading = Reading(
        ("Notification", "Client 1 uid abc attempting identification. Name: Uraka"),
        ("Event", "Uraka 1.2.3.4:5 joins."),
    )
    assert reading.events[0].facts == {"name": "Uraka", "uid": "abc"}
    reading.facts.end()
    assert reading.kinds == [EventKind.PLAYER_JOINED, EventKind.PLAYER_LEFT]


def test_a_new_run_begins_afresh() -> None:
    """Nothing of the last run counts for the next."""
    reading = Reading(*START, READY, *AUTOSAVE)
    reading.facts.begin()
    assert reading.facts.current.saves.count == 0
    assert reading.facts.current.ready_at is None


def test_what_the_server_says_on_its_own() -> None:
    """Routine lines are distinguished from replies to commands."""
    routine = Reading().take(
        ("Notification", "Server ticking has been suspended"),
        ("Notification", "Client 4 disconnected: "),
        ("Notification", "Server time: 1. May, Year 0, 08:00"),
    )
    assert routine == [True, True, False]


LEVELS = st.sampled_from(["Notification", "Event", "Warning", "Error", "Fatal", "Chat", "Nonsense"])
PARTS = st.sampled_from(
    ["Client ", "1", " disconnected", ".", " joins.", "Entering runphase ", "Bob ", "1.2.3.4:5",
     " uid ", " attempting identification. Name: ", "[", "]", ":", "\n", "now running on Port ",
     "Server overloaded. A tick took ", "9" * 30, "ms", "Mods, sorted by dependency: ", ","]
)  # fmt: skip
TEXTS = st.lists(PARTS | st.text(max_size=10), max_size=12).map("".join)


@given(st.lists(st.tuples(LEVELS, TEXTS), max_size=30))
def test_no_line_is_an_error(lines: list[tuple[str, str]]) -> None:
    """Whatever the game prints, reading goes on."""
    reading = Reading(*lines)
    reading.facts.end()
    assert len(reading.facts.online) == 0
