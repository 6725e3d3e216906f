"""The rules of participants. Nothing here knows requests and responses."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from typing import Final, Self
from uuid import UUID

from bedplate import clock, ids
from bedplate.database import Database, ReadSession, Row, WriteSession
from bedplate.database.group_commit import GroupCommit
from bedplate.problems import ProblemError
from live.banned_words import banned_words
from live.events.service import AUDIENCES, Events
from live.exceptions import ParticipantRemoved, SessionNotFound, WrongToken
from live.nicknames import Nickname, generated
from live.participants import repository
from live.participants.exceptions import (
    JoinClosed,
    NicknameRefused,
    ParticipantNotFound,
    SessionFull,
)
from live.security import HOST
from live.sessions import repository as sessions
from live.sessions.service import check_active, check_unfinished, full

ONLINE: Final = timedelta(seconds=30)
IDLE: Final = timedelta(seconds=120)
_CHUNK: Final = 32
_FIRST_NUMBER: Final = 2


@dataclass(frozen=True, slots=True)
class Join:
    """Somebody who wants to join: the code, the name, if they chose one, and an idempotency key."""

    code: str
    nickname: str | None
    key: str | None


@dataclass(frozen=True, slots=True)
class Place:
    """A participant's place, and whether the name that they wanted was taken."""

    participant: Row
    renamed: bool


class Participants:
    """Lets people in, and notices that they are there; many at once share a transaction.

    A context manager: on leaving it, what waits is stored.
    """

    def __init__(
        self,
        database: Database,
        events: Events,
        *,
        observe_batch: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._database = database
        self._events = events
        self._joins: GroupCommit[UUID, Join, Place] = GroupCommit(
            database, self._store, observe_batch=observe_batch
        )
        self._heartbeats: GroupCommit[None, UUID, None] = GroupCommit(database, self._see)

    async def __aenter__(self) -> Self:
        await self._joins.__aenter__()
        await self._heartbeats.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._joins.__aexit__()
        await self._heartbeats.__aexit__()

    async def join(self, session_id: UUID, join: Join) -> Place:
        """Take a place in a session; the same key gets the same place.

        Raises `SessionNotFound`, `WrongToken` for a code that isn't the session's, `WrongState`,
        `SessionCompleted`, `SessionFull`, `JoinClosed`, `NicknameRefused`, `ParticipantRemoved`,
        `QueueFull`, `DatabaseUnavailable`.
        """
        return await self._joins.submit(session_id, join)

    async def heartbeat(self, participant_id: UUID) -> None:
        """Say that a participant is there.

        Raises `ParticipantRemoved`, `SessionNotFound`, `QueueFull`, `DatabaseUnavailable`.
        """
        await self._heartbeats.submit(None, participant_id)

    async def note(self, participants: set[UUID]) -> None:
        """Say that many participants are there."""
        if participants:
            async with self._database.write() as session:
                await repository.seen(session, list(participants), clock.now())

    async def _see(
        self, session: WriteSession, _: None, participants: Sequence[UUID]
    ) -> list[Exception | None]:
        """Store that participants were there just now: see `GroupCommit`."""
        wanted = set(participants)
        seen = await repository.seen(session, list(wanted), clock.now())
        missing = wanted - seen
        states = await repository.states(session, list(missing)) if missing else {}
        return [None if who in seen else _absence(states.get(who)) for who in participants]

    async def _store(
        self, session: WriteSession, session_id: UUID, joins: Sequence[Join]
    ) -> list[Place | Exception]:
        """Store what waits of a session: see `GroupCommit`."""
        found = await sessions.lock(session, session_id)
        if found is None:
            return [SessionNotFound() for _ in joins]
        keys = [join.key for join in joins if join.key is not None]
        known = await repository.by_keys(session, session_id, keys)
        names = await Names.load(session, session_id, [_wanted(found, join) for join in joins])
        places: list[Place | Exception] = []
        new: list[Row] = []
        for join, wanted in zip(joins, names.wanted, strict=True):
            try:
                _check_open(found, join)
                if join.key is not None and join.key in known:
                    places.append(_again(known[join.key], join, wanted))
                    continue
                _check(found, wanted, taken=len(new))
            except ProblemError as error:
                places.append(error)
                continue
            name = await names.free(wanted)
            new.append(_participant(session_id, name, join.key))
            if join.key is not None:
                known[join.key] = new[-1]
            places.append(Place(new[-1], renamed=name is not wanted))
        if new:
            await repository.add(session, new)
            taken = await sessions.take_places(session, session_id, len(new), clock.now())
            show_number(session, self._events, found, taken)
        return places


def _absence(state: str | None) -> Exception:
    """Return why a participant isn't there; without a state the session is gone with them."""
    return SessionNotFound() if state is None else ParticipantRemoved(state)


def show_number(session: WriteSession, events: Events, found: Row, taken: int) -> None:
    """Show how many are in a session, once the transaction is committed."""
    data = {audience: {"participants": taken} for audience in AUDIENCES}
    version = found["version"] + 1
    session.after_commit(
        lambda: events.show(found["id"], "participants", "participants", version, data)
    )


async def presence(session: ReadSession, session_id: UUID) -> dict[str, int]:
    """Return how many of a session are online, idle and gone, and how many they are together."""
    now = clock.now()
    return await repository.presence(session, session_id, online=now - ONLINE, idle=now - IDLE)


async def show_presence(session: ReadSession, events: Events, session_id: UUID) -> None:
    """Show the hosts how many are online, idle and gone."""
    counts = await presence(session, session_id)
    version = int(clock.now().timestamp() * 1000)
    events.show(session_id, "presence", "presence", version, {HOST: counts})


class Names:
    """The names of a session, for a batch of people who want some."""

    def __init__(self, session: ReadSession, session_id: UUID, wanted: Sequence[Nickname]) -> None:
        self.wanted = wanted
        self._session = session
        self._session_id = session_id
        self._numbers: dict[str, int] = {}
        self._tried: dict[str, count[int]] = {}
        self._asked: set[str] = set()
        self._taken: set[str] = set()

    @classmethod
    async def load(
        cls, session: ReadSession, session_id: UUID, wanted: Sequence[Nickname]
    ) -> "Names":
        """Return the names, after two statements for the whole batch."""
        names = cls(session, session_id, wanted)
        times = Counter(name.base for name in wanted)
        names._numbers = await repository.numbers(session, session_id, list(times))
        candidates = list(wanted)
        for name in {name.base: name for name in wanted}.values():
            known = names._numbers.get(name.base, 0)
            if known or times[name.base] > 1:
                candidates += _numbered(name, known + 1, times[name.base] + 1)
        await names._ask(candidates)
        return names

    async def free(self, wanted: Nickname) -> Nickname:
        """Return the name itself where it is free, else a variant that is, and take it.

        The number is one more than there are such names. Where people chose just those numbers it
        is the smallest that is free.
        """
        number = self._numbers.get(wanted.base, 0) + 1
        self._numbers[wanted.base] = number
        name = await self._first_free([wanted])
        if name is None:
            name = await self._first_free(_numbered(wanted, number, _CHUNK))
        if name is None:
            name = await self._first_gap(wanted)
        self._taken.add(name.folded)
        return name

    async def _first_gap(self, wanted: Nickname) -> Nickname:
        """Return the variant with the smallest number that is free.

        All names of the base are read once for a batch, and no number is tried twice: with some
        thousand people, reading them for each would take longer than a request may.
        """
        if wanted.base not in self._tried:
            self._tried[wanted.base] = count(_FIRST_NUMBER)
            self._taken |= await repository.of_base(self._session, self._session_id, wanted.base)
        every = (wanted.numbered(each) for each in self._tried[wanted.base])
        return next(each for each in every if each.folded not in self._taken)

    async def _first_free(self, candidates: Sequence[Nickname]) -> Nickname | None:
        await self._ask(candidates)
        return next((name for name in candidates if name.folded not in self._taken), None)

    async def _ask(self, candidates: Sequence[Nickname]) -> None:
        unknown = {name.folded for name in candidates} - self._asked
        if unknown:
            self._asked |= unknown
            self._taken |= await repository.taken(self._session, self._session_id, list(unknown))


def _numbered(name: Nickname, number: int, times: int) -> list[Nickname]:
    """Return so many variants, from a number on."""
    first = max(number, _FIRST_NUMBER)
    return [name.numbered(each) for each in range(first, first + times)]


def _chosen(found: Row, nickname: str | None) -> str | None:
    """Return the name that somebody chose, or None in a session that gives names."""
    return nickname if found["settings"]["nicknames"] == "chosen" else None


def _wanted(found: Row, join: Join) -> Nickname:
    chosen = _chosen(found, join.nickname)
    return Nickname.of(chosen) if chosen is not None else generated()


def _again(participant: Row, join: Join, wanted: Nickname) -> Place:
    """Return the place of one who joined with the same key. Raises `ParticipantRemoved`."""
    if participant["state"] != "joined":
        raise ParticipantRemoved(participant["state"])
    renamed = join.nickname is not None and participant["folded"] != wanted.folded
    return Place(participant, renamed)


def _check_open(found: Row, join: Join) -> None:
    if join.code != found["code"]:
        raise WrongToken("This isn't the code of this session.")
    check_active(found)


def _check(found: Row, wanted: Nickname, *, taken: int) -> None:
    if found["first_opened_at"] is not None and not found["settings"]["late_join"]:
        raise JoinClosed
    if found["participants"] + taken >= found["max_participants"]:
        raise SessionFull
    _check_words(found, wanted.shown)


def _check_words(found: Row, nickname: str) -> None:
    if banned_words(tuple(found["settings"]["banned_words"])).found_in(nickname):
        raise NicknameRefused


def _participant(session_id: UUID, name: Nickname, key: str | None) -> Row:
    now = clock.now()
    return {
        "id": ids.uuid(),
        "session_id": session_id,
        "nickname": name.shown,
        "folded": name.folded,
        "base": name.base,
        "state": "joined",
        "join_key": key,
        "time_factor": 1.0,
        "joined_at": now,
        "seen_at": now,
    }


def presence_of(participant: Row) -> str:
    """Return whether a participant is online, idle or gone."""
    silence = clock.now() - participant["seen_at"]
    return "online" if silence < ONLINE else "idle" if silence < IDLE else "gone"


async def check_nickname(session: ReadSession, session_id: UUID, nickname: str) -> Place | None:
    """Return which name a join would get now, and whether the wanted one is taken.

    None where the session gives names. Raises `SessionNotFound`, `SessionCompleted`,
    `NicknameRefused`.
    """
    found = await sessions.get(session, session_id)
    if found is None:
        raise SessionNotFound
    check_unfinished(found)
    if _chosen(found, nickname) is None:
        return None
    _check_words(found, nickname)
    wanted = Nickname.of(nickname)
    names = await Names.load(session, session_id, [wanted])
    name = await names.free(wanted)
    return Place({"nickname": name.shown}, renamed=name is not wanted)


async def remove(
    session: WriteSession, events: Events, session_id: UUID, participant_id: UUID, state: str
) -> None:
    """Kick or ban a participant: the place and the name are free again, the streams end.

    A kicked one may come back, with the token or by joining anew. A banned one's token is of no
    use, unless the host kicks them after all. Raises `ParticipantNotFound`, `SessionCompleted`.
    """
    found = await sessions.lock(session, session_id)
    if found is None:
        raise SessionNotFound
    check_unfinished(found)
    participant = await repository.lock(session, session_id, participant_id)
    if participant is None:
        raise ParticipantNotFound
    if participant["state"] == "joined":
        taken = await sessions.take_places(session, session_id, -1, clock.now())
        show_number(session, events, found, taken)
    await repository.remove(session, participant, state)
    events.end(session, session_id, str(participant_id), state)


async def rejoin(
    participants: Participants, session: WriteSession, events: Events, found: Row, person: Row
) -> Place:
    """Return the place of a participant who comes back; a kicked one takes a place again.

    `session` is used for a kicked one alone: a hall that reloads writes heartbeats, which share
    transactions. Raises `SessionCompleted`, `SessionNotFound`, `SessionFull`, `QueueFull`,
    `DatabaseUnavailable`, and `ParticipantRemoved` for a banned one.
    """
    check_active(found)
    if person["state"] == "joined":
        await participants.heartbeat(person["id"])
        return Place(person, renamed=False)
    return await _come_back(session, events, found["id"], person["id"])


async def _come_back(
    session: WriteSession, events: Events, session_id: UUID, participant_id: UUID
) -> Place:
    found = await sessions.lock(session, session_id)
    participant = await repository.lock(session, session_id, participant_id)
    if found is None or participant is None:
        raise SessionNotFound
    check_active(found)
    if participant["state"] == "banned":
        raise ParticipantRemoved("banned")
    if participant["state"] == "joined":
        return Place(participant, renamed=False)
    if full(found):
        raise SessionFull
    wanted = Nickname.of(participant["nickname"])
    name = await (await Names.load(session, session_id, [wanted])).free(wanted)
    row = await repository.come_back(
        session, participant, clock.now(),
        nickname=name.shown, folded=name.folded, base=name.base,
    )  # fmt: skip
    taken = await sessions.take_places(session, session_id, 1, clock.now())
    show_number(session, events, found, taken)
    return Place(row, renamed=name is not wanted)


async def set_time_factor(
    session: WriteSession, found: Row, participant_id: UUID, factor: float
) -> Row:
    """Set how much longer a participant has for answers.

    Raises `ParticipantNotFound`, `SessionCompleted`.
    """
    check_unfinished(found)
    row = await repository.set_time_factor(session, found["id"], participant_id, factor)
    if row is None:
        raise ParticipantNotFound
    return row
