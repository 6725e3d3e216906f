"""The rules of activities. Nothing here knows requests and responses."""

from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from bedplate import clock, ids
from bedplate.database import Database, ReadSession, Row, UniqueViolation, WriteSession
from live.activities import repository
from live.activities.exceptions import (
    ActivityFrozen,
    ActivityNotFound,
    AnotherActivityOpen,
    OrderIncomplete,
)
from live.activities.schemas import MAX_ACTIVITIES, ActivityNew, ActivityPatch, Policy
from live.activity_type import ActivityType, all_types, refusal
from live.events.changes import results_key
from live.events.service import Events
from live.exceptions import SessionCompleted, SessionNotFound, WrongState
from live.sessions import repository as sessions
from live.sessions import service as session_rules

GRACE: Final = timedelta(seconds=2)
"""How long after a timer's end an answer still counts: it was on its way."""


def type_of(activity: Row) -> ActivityType[Any, Any]:
    """Return the type of a stored activity."""
    return all_types()[activity["type"]]


def config_of(activity: Row) -> Any:
    """Return the configuration of a stored activity."""
    return type_of(activity).parse_config(activity["config"])


def policy_of(activity: Row) -> Policy:
    """Return the policy of a stored activity."""
    return Policy.model_validate(activity["policy"])


def public(activity: Row) -> dict[str, Any]:
    """Return what participants and screens may see of an activity, as JSON."""
    kind = type_of(activity)
    return {
        "id": str(activity["id"]),
        "type": activity["type"],
        "title": activity["title"],
        "config": kind.public(kind.parse_config(activity["config"])),
        "policy": activity["policy"],
        "state": activity["state"],
        "round": activity["round"],
        "seconds": activity["seconds"],
        "opened_at": _instant(activity["opened_at"]),
        "closes_at": _instant(activity["closes_at"]),
        "version": activity["version"],
    }


def _instant(at: datetime | None) -> str | None:
    return at.isoformat().replace("+00:00", "Z") if at else None


async def get(session: ReadSession, session_id: UUID, activity_id: UUID) -> Row:
    """Return an activity of a session. Raises `ActivityNotFound`."""
    found = await repository.get(session, activity_id)
    if found is None or found["session_id"] != session_id:
        raise ActivityNotFound
    return found


async def add(session: WriteSession, session_id: UUID, new: ActivityNew) -> Row:
    """Store a draft at the end of the order. Raises `InvalidInput`, `SessionCompleted`."""
    found = await _unfinished(session, session_id)
    kind = all_types().get(new.type)
    if kind is None:
        raise refusal("type", f"Input should be one of {', '.join(all_types())}", "unknown_type")
    number, place = await repository.end(session, session_id)
    if number >= MAX_ACTIVITIES:
        raise refusal("type", f"A session has at most {MAX_ACTIVITIES} activities", "too_many")
    anonymous = found["settings"]["anonymous"]
    policy = new.policy or Policy(anonymous=anonymous)
    fields = {
        "id": ids.uuid(),
        "type": new.type,
        "title": new.title,
        "notes": new.notes,
        "config": kind.parse_config(new.config).model_dump(mode="json"),
        "policy": _checked(policy, kind).model_dump(),
        "seconds": new.seconds,
    }
    row = await repository.add(session, session_id, fields, place, clock.now())
    await sessions.touch(session, session_id, clock.now())
    return row


def _checked(policy: Policy, kind: ActivityType[Any, Any]) -> Policy:
    """Return a policy that fits its type: points, for one, need to know whose answer it is."""
    if kind.scored and (policy.anonymous or policy.secret):
        raise refusal("policy", f"A {kind.name} has points, so it can't be anonymous", "scored")
    if kind.always_changeable and policy.secret:
        text = f"Answers to {kind.title} grow, so they can't be secret ballots"
        raise refusal("policy", text, "always_changeable")
    return policy


async def change(
    session: WriteSession, events: Events, session_id: UUID, activity_id: UUID, patch: ActivityPatch
) -> Row:
    """Change what a patch has; what the activity is already makes no new version.

    Raises `InvalidInput`, `ActivityNotFound`, `SessionCompleted`; for anything but title and notes
    `WrongState` when it isn't a draft; for configuration and policy `ActivityFrozen` when there are
    answers, also of an earlier round.
    """
    activity = await _locked(session, session_id, activity_id)
    kind = type_of(activity)
    fields = patch.model_dump(include=patch.model_fields_set)
    if fields.keys() & {"config", "policy", "seconds"} and activity["state"] != "draft":
        raise WrongState("activity", activity["state"], "a draft")
    if fields.keys() & {"config", "policy"} and await repository.has_answers(session, activity_id):
        raise ActivityFrozen
    if "config" in fields:
        fields["config"] = kind.parse_config(fields["config"]).model_dump(mode="json")
    if "policy" in fields:
        fields["policy"] = _checked(patch.policy, kind).model_dump()
    if all(activity[name] == value for name, value in fields.items()):
        return activity
    row = await _changed(session, session_id, await repository.change(session, activity_id, fields))
    if row["state"] != "draft":  # nobody but hosts sees a draft
        events.publish(session, session_id, "activity.changed", public(row))
    return row


async def reorder(session: WriteSession, session_id: UUID, order: list[UUID]) -> list[Row]:
    """Put a session's activities into another order. Raises `OrderIncomplete`."""
    await _unfinished(session, session_id)
    known = {row["id"]: row["position"] for row in await repository.in_order(session, session_id)}
    if sorted(known) != sorted(order):
        raise OrderIncomplete
    places = {each: place for place, each in enumerate(order) if known[each] != place}
    await repository.place(session, session_id, places)
    await sessions.touch(session, session_id, clock.now())
    return await repository.in_order(session, session_id)


async def open_(
    session: WriteSession,
    events: Events,
    session_id: UUID,
    activity_id: UUID,
    seconds: int | None,
) -> Row:
    """Open a draft for answers, with its timer.

    Raises `WrongState`, `AnotherActivityOpen`, `ActivityNotFound`, `SessionCompleted`.
    """
    await session_rules.active(session, session_id)
    activity = await get(session, session_id, activity_id)
    now = clock.now()
    await _close_due(session, events, session_id, now)
    limit = seconds if seconds is not None else activity["seconds"]
    until = now + timedelta(seconds=limit) if limit is not None else None
    try:
        row = await repository.open_(session, activity_id, now=now, until=until)
    except UniqueViolation:
        raise AnotherActivityOpen from None
    if row is None:
        raise WrongState("activity", activity["state"], "a draft")
    await sessions.opened(session, session_id, now)
    events.publish(session, session_id, "activity.opened", public(row))
    return row


async def close(session: WriteSession, events: Events, session_id: UUID, activity_id: UUID) -> Row:
    """Close an open activity: no answer counts that comes later.

    Raises `WrongState`, `ActivityNotFound`, `SessionCompleted`.
    """
    await session_rules.active(session, session_id)
    activity = await _locked(session, session_id, activity_id)
    row = await repository.close(session, activity_id, clock.now())
    if row is None:
        raise WrongState("activity", activity["state"], "an open activity")
    events.publish(session, session_id, "activity.closed", public(row))
    return await _changed(session, session_id, row)


async def close_due(database: Database, events: Events) -> None:
    """Close the activities whose timers ended. Several processes may do it."""
    now = clock.now()
    for session_id in await repository.due(database.read(), now):
        async with database.write() as session:
            await sessions.lock(session, session_id)
            await _close_due(session, events, session_id, now)


async def _close_due(
    session: WriteSession, events: Events, session_id: UUID, now: datetime
) -> None:
    """Close a session's open activity if its time is over; the session is locked."""
    row = await repository.close_due(session, session_id, now)
    if row is not None:
        events.publish(session, session_id, "activity.closed", public(row))
        await _changed(session, session_id, row)
        session.after_commit(lambda: events.results.tell(row["id"]))


async def reset(session: WriteSession, events: Events, session_id: UUID, activity_id: UUID) -> Row:
    """Begin a new round; the answers of the old one stay. Raises `WrongState` for a draft."""
    await session_rules.active(session, session_id)
    activity = await _locked(session, session_id, activity_id)
    if activity["state"] == "draft":
        raise WrongState("activity", "draft", "an activity that was opened")
    row = await _changed(session, session_id, await repository.reset(session, activity_id))
    events.publish(session, session_id, "activity.reset", public(row))
    return row


async def remove(
    session: WriteSession, events: Events, session_id: UUID, activity_id: UUID
) -> None:
    """Delete an activity with its answers. Raises `ActivityNotFound`."""
    await _locked(session, session_id, activity_id)
    await repository.remove(session, activity_id)
    await sessions.touch(session, session_id, clock.now())
    events.publish(session, session_id, "activity.deleted", {"id": str(activity_id)})
    events.forget(session, session_id, results_key(activity_id))


async def _unfinished(session: WriteSession, session_id: UUID) -> Row:
    found = await sessions.lock(session, session_id)
    if found is None:
        raise SessionNotFound
    if found["state"] == "completed":
        raise SessionCompleted
    return found


async def _locked(session: WriteSession, session_id: UUID, activity_id: UUID) -> Row:
    """Return an activity that nobody else changes; the session first, as everywhere."""
    await _unfinished(session, session_id)
    activity = await repository.lock(session, activity_id)
    if activity is None or activity["session_id"] != session_id:
        raise ActivityNotFound
    return activity


async def _changed(session: WriteSession, session_id: UUID, row: Row | None) -> Row:
    if row is None:
        raise ActivityNotFound
    await sessions.touch(session, session_id, clock.now())
    return row
