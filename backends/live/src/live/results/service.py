"""The rules of results: what the counters say, to whom, and when."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from bedplate import clock
from bedplate.database import Database, ReadSession, Row, WriteSession
from bedplate.database.shared_reads import SharedReads
from live.activities import repository as activities
from live.activities import service as activity_rules
from live.activities.exceptions import ActivityNotFound
from live.activities.schemas import Policy
from live.activities.service import config_of, policy_of, public, type_of
from live.activity_type import Item, Tally
from live.events.service import Events
from live.exceptions import WrongState
from live.responses import repository as responses
from live.results import leaderboard, repository
from live.results.exceptions import ItemNotFound, ResultsWithheld, RoundNotFound
from live.security import HOST, PARTICIPANT
from live.sessions import repository as sessions
from live.sessions import service as session_rules

_SHOWN_IN: Final = {
    "live": {"open", "closed", "revealed"},
    "after_vote": {"closed", "revealed"},
    "after_close": {"closed", "revealed"},
    "after_reveal": {"revealed"},
    "host": set[str](),
}


def visibility(policy: Policy, audience: str) -> str:
    """Return when an audience sees the results."""
    return policy.results if audience == PARTICIPANT else policy.screen


def is_visible(activity: Row, policy: Policy, audience: str, *, voted: bool = False) -> bool:
    """Return whether an audience sees an activity's results now."""
    if audience == HOST:
        return True
    when = visibility(policy, audience)
    return activity["state"] in _SHOWN_IN[when] or (when == "after_vote" and voted)


async def counted(session: ReadSession, activity: Row, number: int | None = None) -> "Counted":
    """Return what is counted of a round, the current one by default. Raises `RoundNotFound`."""
    found = await _round(session, activity, number)
    if found is None:
        raise RoundNotFound
    return await _counted(session, activity, found)


async def _round(session: ReadSession, activity: Row, number: int | None) -> Row | None:
    wanted = activity["round"] if number is None else number
    found = await responses.get_round(session, activity["id"], wanted)
    if found is not None or wanted != activity["round"]:
        return found
    return {"round": wanted, "received": 0, "stored": 0, "released": 0, "version": 0}


async def _counted(session: ReadSession, activity: Row, found: Row) -> "Counted":
    number = found["round"]
    # Step by step: one more answer would show what the one who gave it answered.
    in_steps = _is_open(activity, number) and policy_of(activity).hides_people
    read = responses.released if in_steps else responses.counters
    rows = await read(session, activity["id"], number)
    decided: dict[str, Row] = {}
    if type_of(activity).words:
        decided = await repository.moderation(session, activity["id"], number)
    answers = found["released" if in_steps else "stored"]
    return Counted(activity, found, rows, decided, number=answers)


def _is_open(activity: Row, number: int) -> bool:
    return bool(activity["state"] == "open" and number == activity["round"])


class Counted:
    """What is counted of a round: for each audience it makes another result.

    `number` is of how many answers the counters are. `version` grows with each change of them, and
    of the activity: what is newer has a higher one.
    """

    def __init__(
        self, activity: Row, found: Row, rows: list[Row], decided: dict[str, Row], *, number: int
    ) -> None:
        self.activity = activity
        self.policy = policy_of(activity)
        self.round: int = found["round"]
        self.version = version_of(activity["version"], found["version"])
        self._found = found
        self._rows = rows
        self._decided = decided
        self._number = number
        too_few = min(number, found["stored"]) < self.policy.min_answers
        self.held_back = self.policy.hides_people and too_few

    @property
    def is_open(self) -> bool:
        """Whether more answers come."""
        return _is_open(self.activity, self.round)

    def items(self) -> list[Item]:
        """Return the participants' words, those that wait or are hidden included."""
        if self.held_back:
            return []
        waiting = "waiting" if self.policy.moderated else "visible"
        items = []
        for row in self._rows:
            if row["label"]:
                decided = self._decided.get(row["key"], {})
                items.append(
                    Item(
                        row["key"],
                        row["label"],
                        row["count"],
                        decided.get("state", waiting),
                        pinned=decided.get("pinned", False),
                        answered=decided.get("answered", False),
                    )
                )
        return items

    def to_json(self, audience: str) -> dict[str, Any]:
        """Return the result for an audience that may see it."""
        shown: dict[str, Any] = {
            **self.progress(),
            "held_back": self.held_back,
            "result": None if self.held_back else self.result(audience, revealed=self._revealed),
        }
        if audience == HOST:
            shown["received"] = self._found["received"]
        return shown

    def progress(self) -> dict[str, Any]:
        """Return what everybody may know of a result: how many answers there are."""
        return {
            "activity_id": str(self.activity["id"]),
            "round": self.round,
            "version": self.version,
            "state": self._state,
            "stored": self._found["stored"],
        }

    def result(self, audience: str, *, revealed: bool) -> dict[str, Any]:
        """Return what the type makes of the counters, without what the audience may not see."""
        items: Iterable[Item] = self.items()
        if audience != HOST:
            items = [item for item in items if item.state == "visible"]
        counts = {row["key"]: row["count"] for row in self._rows}
        tally = Tally(self._number, counts, list(items))
        return type_of(self.activity).result(config_of(self.activity), tally, revealed=revealed)

    @property
    def _revealed(self) -> bool:
        """Whether correct answers may be shown: also an earlier round's are those of this one."""
        return bool(self.activity["state"] == "revealed")

    @property
    def _state(self) -> str:
        if self.round == self.activity["round"] or self._revealed:
            state: str = self.activity["state"]
            return state
        return "closed"


def version_of(activity_version: int, round_version: int) -> int:
    """Return the version of a round's results, which the activity's state changes as well."""
    return activity_version + round_version


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """An activity and a round of it, as they were read: enough for an ETag and a 304."""

    activity: Row
    found: Row

    def etag(self, audience: str) -> str:
        """Return the ETag for an audience, known before the counters are read."""
        version = version_of(self.activity["version"], self.found["version"])
        return f'"{audience}.{self.found["round"]}.{version}"'


class Results:
    """Reads results. A thousand phones that ask at once share what is read and made of it."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._readings = SharedReads(self._read)
        self._results = SharedReads(self._make)

    async def find(self, activity_id: UUID, number: int | None) -> tuple[Row, Reading | None]:
        """Return an activity, and its round, the current one by default; None if there is none.

        Raises `ActivityNotFound`.
        """
        return await self._readings.get((activity_id, number))

    async def of(self, reading: Reading, audience: str) -> dict[str, Any]:
        """Return the results for an audience; others get the same dict, so don't change it."""
        return await self._results.get((reading, audience))

    async def _read(self, which: tuple[UUID, int | None]) -> tuple[Row, Reading | None]:
        activity_id, number = which
        session = self._database.read()
        activity = await activities.get(session, activity_id)
        if activity is None:
            raise ActivityNotFound
        found = await _round(session, activity, number)
        return activity, None if found is None else Reading(activity, found)

    async def _make(self, which: tuple[Reading, str]) -> dict[str, Any]:
        reading, audience = which
        counts = await _counted(self._database.read(), reading.activity, reading.found)
        return counts.to_json(audience)


async def require_visible(
    session: ReadSession, activity: Row, audience: str, participant_id: UUID | None
) -> None:
    """Raise `ResultsWithheld` unless they see an activity's results now.

    Earlier rounds are seen when those of the current one are.
    """
    policy = policy_of(activity)
    voted = False
    if participant_id is not None and policy.results == "after_vote":
        own = await responses.get(session, activity["id"], activity["round"], participant_id)
        voted = own is not None
    if not is_visible(activity, policy, audience, voted=voted):
        raise ResultsWithheld(visibility(policy, audience))


async def own_score(session: ReadSession, activity: Row, participant_id: UUID) -> Row | None:
    """Return a participant's points and streak in an activity, or None."""
    return await repository.score_of(session, activity["id"], participant_id)


async def reveal(session: WriteSession, events: Events, session_id: UUID, activity_id: UUID) -> Row:
    """Reveal a closed activity, and store what its answers are worth.

    Raises `WrongState`, `ActivityNotFound`, `SessionCompleted`.
    """
    await session_rules.active(session, session_id)
    activity = await activity_rules.get(session, session_id, activity_id)
    row = await activities.reveal(session, activity_id, clock.now())
    if row is None:
        raise WrongState("activity", activity["state"], "a closed activity")
    if type_of(row).scored:
        await leaderboard.store_scores(session, row)
    await sessions.touch(session, session_id, clock.now())
    events.publish(session, session_id, "activity.revealed", public(row))
    return row


async def moderate(session: WriteSession, activity: Row, key: str, changes: dict[str, Any]) -> Item:
    """Store what a moderator decides about some words. Raises `ItemNotFound`."""
    await activities.lock(session, activity["id"])
    found = await counted(session, activity)
    item = next((item for item in found.items() if item.key == key), None)
    if item is None:
        raise ItemNotFound
    decision = {
        "state": changes.get("state") or ("visible" if item.state == "waiting" else item.state),
        "pinned": changes.get("pinned", item.pinned),
        "answered": changes.get("answered", item.answered),
    }
    await repository.moderate(session, activity["id"], activity["round"], key, decision)
    await responses.add_to_round(session, activity["id"], activity["round"])
    return Item(item.key, item.label, item.count, **decision)
