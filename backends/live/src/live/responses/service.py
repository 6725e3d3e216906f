"""The rules of answers. Nothing here knows requests and responses.

Many that come at once share a transaction. It holds the activity's row, so the database decides
what comes first: an answer or the close. Processes take turns at that row, in the order in which
they ask: with a shared lock those that vote all the time would keep a host's close waiting.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, Self
from uuid import UUID

from bedplate import clock
from bedplate.database import Database, ReadSession, Row, WriteSession
from bedplate.database.group_commit import GroupCommit
from bedplate.problems import ProblemError
from live.activities import repository as activities
from live.activities.exceptions import ActivityNotFound
from live.activities.schemas import Policy
from live.activities.service import GRACE, config_of, policy_of, type_of
from live.activity_type import ActivityType
from live.banned_words import BannedWords, banned_words
from live.exceptions import ParticipantRemoved, SessionCompleted, WrongState, WrongToken
from live.responses import repository
from live.responses.exceptions import AlreadyAnswered, NotAnswered, UnknownItem, WordsRefused
from live.security import Member
from live.sessions import repository as sessions


@dataclass(frozen=True, slots=True)
class Sent:
    """An answer as it came in, or None to take one's answer back; `at` is when it came."""

    member: Member
    answer: dict[str, Any] | None
    at: datetime


Status = Literal["stored", "changed", "already", "retracted"]


@dataclass(frozen=True, slots=True)
class Stored:
    """What became of an answer."""

    status: Status
    round: int
    answer: dict[str, Any] | None
    policy: Policy


class Responses:
    """Stores answers, each once. A context manager: on leaving it, what waits is stored."""

    def __init__(
        self,
        database: Database,
        *,
        changed: Callable[[UUID], object] = lambda _: None,
        observe_batch: Callable[[int], None] = lambda _: None,
    ) -> None:
        """Prepare; `changed` is called with the activity's id after each change of its counters."""
        self._changed = changed
        self._group: GroupCommit[UUID, Sent, Stored] = GroupCommit(
            database, self._store, observe_batch=observe_batch
        )

    async def __aenter__(self) -> Self:
        await self._group.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._group.__aexit__()

    @property
    def waiting(self) -> int:
        """How many answers wait to be stored."""
        return self._group.waiting_rows

    async def put(self, member: Member, activity_id: UUID, answer: dict[str, Any]) -> Stored:
        """Store a participant's answer; the same again is the same answer.

        Raises `InvalidInput`, `AlreadyAnswered`, `WordsRefused`, `UnknownItem`, `WrongState`,
        `SessionCompleted`, `ActivityNotFound`, `WrongToken`, `ParticipantRemoved`, `QueueFull`,
        `DatabaseUnavailable`.
        """
        return await self._group.submit(activity_id, Sent(member, answer, clock.now()))

    async def retract(self, member: Member, activity_id: UUID) -> None:
        """Take a participant's answer back. Raises `NotAnswered`, and as `put`."""
        await self._group.submit(activity_id, Sent(member, None, clock.now()))

    async def _store(
        self, session: WriteSession, activity_id: UUID, batch: Sequence[Sent]
    ) -> list[Stored | Exception]:
        """Store what waits of an activity: see `GroupCommit`."""
        activity = await activities.lock(session, activity_id)
        if activity is None:
            return [ActivityNotFound() for _ in batch]
        # Read when the activity's row is held: its session ends with that row, not before.
        found = await sessions.get(session, activity["session_id"])
        if found is None:
            return [ActivityNotFound() for _ in batch]
        people = await repository.people(session, {sent.member.participant_id for sent in batch})
        desk = _Desk(session, activity)
        answers = await desk.take(batch, found, people)
        if desk.has_changed:
            session.after_commit(lambda: self._changed(activity_id))
        return answers


class _Desk:
    """Takes answers of one round in one transaction, which holds the activity's row.

    Nobody else writes the round's answers meanwhile, so it decides in memory what becomes of each,
    one after the other, and then writes what is different: each row and counter once.
    """

    def __init__(self, session: WriteSession, activity: Row) -> None:
        self.session = session
        self.activity = activity
        self.id: UUID = activity["id"]
        self.round: int = activity["round"]
        self.kind: ActivityType[Any, Any] = type_of(activity)
        self.config = config_of(activity)
        self.policy = policy_of(activity)
        self.changeable = not self.policy.secret and (
            self.policy.change or self.kind.always_changeable
        )
        self.counts: Counter[str] = Counter()
        self.labels: dict[str, str] = {}
        self.has_changed = False
        self._banned: BannedWords | None = None
        self._before: Mapping[UUID, Row] = {}
        self._known: Mapping[str, int] = {}
        self._rows: dict[UUID, Row] = {}

    async def take(
        self, batch: Sequence[Sent], found: Row, people: Mapping[UUID, Row]
    ) -> list[Stored | Exception]:
        """Store answers in their order; return what became of each."""
        words = tuple(found["settings"]["banned_words"])
        self._banned = banned_words(words) if words else None
        done: dict[int, Stored | Exception] = {}
        taken: dict[int, Any] = {}
        received = 0
        for index, sent in enumerate(batch):
            try:
                self._check_member(sent)
                received += 1
                self._check(sent, found, people)
                taken[index] = self._parsed(sent.answer)
            except ProblemError as error:
                done[index] = error
        if taken:
            await self._load({batch[i].member.participant_id for i in taken}, taken.values())
        for index, answer in taken.items():
            try:
                done[index] = self._decide(batch[index], answer)
            except ProblemError as error:
                done[index] = error
        await self._write(received=received)
        return [done[index] for index in range(len(batch))]

    async def remove(self, participant_id: UUID) -> None:
        """Remove a participant's answer, whatever the activity's state."""
        await self._load({participant_id}, ())
        if participant_id in self._rows:
            self._take_out(participant_id)
            await self._write(received=0)

    def counted(self, answers: Iterable[Row]) -> Mapping[str, int]:
        """Return the counters that these answers make."""
        for row in answers:
            self._count(self._parsed(row["answer"]), 1)
        return self.counts

    def _check_member(self, sent: Sent) -> None:
        if sent.member.session_id != self.activity["session_id"]:
            raise WrongToken

    def _check(self, sent: Sent, found: Row, people: Mapping[UUID, Row]) -> None:
        """Raise why this participant can't answer now."""
        person = people.get(sent.member.participant_id)
        if person is None or person["state"] != "joined":
            raise ParticipantRemoved(person["state"] if person else "removed")
        if found["state"] == "completed":
            raise SessionCompleted
        if not self._takes(sent.at, person["time_factor"]):
            state = self.activity["state"]
            raise WrongState("activity", "closed" if state == "open" else state, "an open activity")

    def _takes(self, at: datetime, factor: float) -> bool:
        """Return whether an answer that came at this time counts.

        A timer's end leaves a moment for what was on its way; a host's close does not. Who has
        more time than others has it from the opening on.
        """
        state, until = self.activity["state"], self.activity["closes_at"]
        if state != "open" and (state != "closed" or self.activity["closed_by"] != "timer"):
            return False
        if until is None:
            return True
        opened: datetime = self.activity["opened_at"]
        end: datetime = opened + (until - opened) * factor + GRACE
        return at <= end

    def _parsed(self, answer: dict[str, Any] | None) -> Any:
        """Return an answer as its type has it; None, which takes one's answer back, as it is."""
        return None if answer is None else self.kind.parse_answer(self.config, answer)

    async def _load(self, ids: Collection[UUID], answers: Iterable[Any]) -> None:
        """Read what is stored of these participants, and what the answers refer to."""
        self._before = await repository.by_participants(self.session, self.id, self.round, ids)
        self._rows = dict(self._before)
        needed = {key for each in answers if each is not None for key in self.kind.needs(each)}
        if needed:
            self._known = await repository.counts(self.session, self.id, self.round, needed)

    def _decide(self, sent: Sent, answer: Any) -> Stored:
        """Take one answer, and raise why not."""
        who = sent.member.participant_id
        earlier = self._rows.get(who)
        if answer is None:
            return self._retract(who, earlier)
        stored: dict[str, Any] = answer.model_dump(mode="json")
        if earlier is not None:
            if not self.policy.secret and earlier["answer"] == stored:
                return self._answer("already", stored)
            if not self.changeable:
                raise AlreadyAnswered
        self._check_content(answer)
        if earlier is not None:
            self._take_out(who)
        self._rows[who] = self._row(sent, stored)
        self._count(answer, 1)
        return self._answer("stored" if earlier is None else "changed", stored)

    def _retract(self, who: UUID, earlier: Row | None) -> Stored:
        if earlier is None:
            raise NotAnswered
        if not self.changeable:
            raise AlreadyAnswered
        self._take_out(who)
        return self._answer("retracted", None)

    def _check_content(self, answer: Any) -> None:
        if any(self._known.get(key, 0) + self.counts[key] <= 0 for key in self.kind.needs(answer)):
            raise UnknownItem
        if self._banned is not None and any(map(self._banned.found_in, self.kind.texts(answer))):
            raise WordsRefused

    def _take_out(self, who: UUID) -> None:
        self._count(self._parsed(self._rows.pop(who)["answer"]), -1)

    def _count(self, answer: Any, sign: int) -> None:
        for count in self.kind.tally(self.config, answer):
            self.counts[count.key] += sign * count.amount
            if count.label:
                self.labels.setdefault(count.key, count.label)

    def _row(self, sent: Sent, answer: dict[str, Any]) -> Row:
        hidden = self.policy.hides_people
        took: timedelta = sent.at - self.activity["opened_at"]
        return {
            "activity_id": self.id,
            "round": self.round,
            "participant_id": sent.member.participant_id,
            "answer": None if self.policy.secret else answer,
            "answered_at": None if hidden else sent.at,
            "seconds": None if hidden else max(took.total_seconds(), 0.0),
        }

    def _answer(self, status: Status, answer: dict[str, Any] | None) -> Stored:
        return Stored(status, self.round, None if self.policy.secret else answer, self.policy)

    async def _write(self, *, received: int) -> None:
        """Store which rows and counters are different now."""
        gone = self._before.keys() - self._rows.keys()
        # Sorted, so that the order in which answers came isn't the order of the rows.
        new = [self._rows[who] for who in sorted(self._rows)]
        different = [row for row in new if row is not self._before.get(row["participant_id"])]
        self.has_changed = bool(gone or different)
        place = self.session, self.id, self.round
        if self.has_changed:
            await repository.put(self.session, different)
            await repository.remove(*place, gone)
            await repository.count(*place, await self._counts_to_write(), self.labels)
        if self.has_changed or received:
            row = await repository.add_to_round(
                *place,
                received=received,
                stored=len(self._rows) - len(self._before),
                changed=self.has_changed,
            )
            await self._release(row)

    async def _release(self, row: Row | None) -> None:
        """Let the new counters be seen when what differs is of several people, not of one."""
        if not self.has_changed or not self.policy.hides_people or row is None:
            return
        if row["stored"] - row["released"] >= self.policy.min_answers:
            await repository.release(self.session, self.id, self.round)

    async def _counts_to_write(self) -> Mapping[str, int]:
        """Return what is added to the counters.

        PostgreSQL shows which transaction wrote a row last. For a secret ballot every counter is
        written each time, so that none shares its transaction with a certain voter's row.
        """
        if not self.policy.secret:
            return {key: count for key, count in self.counts.items() if count}
        every = await repository.counts(self.session, self.id, self.round)
        return {**dict.fromkeys(every, 0), **self.counts}


async def own(session: ReadSession, member: Member, activity_id: UUID) -> Stored:
    """Return a participant's own answer in the current round.

    Raises `ActivityNotFound`, `WrongToken`, `ParticipantRemoved`, `NotAnswered`.
    """
    activity = await activities.get(session, activity_id)
    if activity is None:
        raise ActivityNotFound
    if activity["session_id"] != member.session_id:
        raise WrongToken
    state = await repository.state_of(session, member.participant_id)
    if state != "joined":
        raise ParticipantRemoved(state or "removed")
    row = await repository.get(session, activity_id, activity["round"], member.participant_id)
    if row is None:
        raise NotAnswered
    return Stored("stored", activity["round"], row["answer"], policy_of(activity))


async def remove_answers_of(
    session: WriteSession, session_id: UUID, participant_id: UUID
) -> list[UUID]:
    """Take a participant's answers out of all results of a session, and the points too.

    Returns the ids of the activities. Anonymous answers stay, or the difference would tell which
    they were, and secret ones, which nobody knows. It comes before the participant's own row is
    locked, since those who vote lock the activity's row first.
    """
    await sessions.lock(session, session_id)
    of_session = {row["id"]: row for row in await activities.lock_all(session, session_id)}
    changed = []
    for place in await repository.rounds_of_participant(session, participant_id):
        activity = of_session.get(place["activity_id"])
        if activity is not None and not policy_of(activity).hides_people:
            desk = _Desk(session, {**activity, "round": place["round"]})
            await desk.remove(participant_id)
            changed.append(desk.id)
    await repository.remove_scores(session, participant_id)
    return changed


@dataclass(frozen=True)
class Recount:
    """How the counters of a round compare with its answers; each pair is what is and should be.

    `stored` is how many answers there are, `counters` has those counters that are wrong, by key.
    """

    round: int
    stored: tuple[int, int]
    counters: Mapping[str, tuple[int, int]]

    @property
    def is_right(self) -> bool:
        """Whether nothing differs."""
        return self.stored[0] == self.stored[1] and not self.counters


async def recount(session: WriteSession, activity_id: UUID, *, repair: bool) -> list[Recount]:
    """Count the answers of each round of an activity again, and compare; repair if asked to.

    Of a secret ballot only the number of votes can be counted again. Raises `ActivityNotFound`.
    """
    activity = await activities.lock(session, activity_id)
    if activity is None:
        raise ActivityNotFound
    rounds = await repository.rounds(session, activity_id)
    return [await _recount(session, activity, row, repair=repair) for row in rounds]


async def _recount(session: WriteSession, activity: Row, row: Row, *, repair: bool) -> Recount:
    desk = _Desk(session, {**activity, "round": row["round"]})
    place = session, desk.id, desk.round
    answers = await repository.all_of(*place)
    have = await repository.counts(*place)
    want = have if desk.policy.secret else desk.counted(answers)
    pairs = {key: (have.get(key, 0), want.get(key, 0)) for key in sorted({*have, *want})}
    wrong = {key: pair for key, pair in pairs.items() if pair[0] != pair[1]}
    found = Recount(desk.round, (row["stored"], len(answers)), wrong)
    if repair and not found.is_right:
        more = {key: right - is_now for key, (is_now, right) in wrong.items()}
        await repository.count(*place, more, desk.labels)
        await repository.add_to_round(*place, stored=len(answers) - row["stored"])
        await repository.release(*place)
    return found
