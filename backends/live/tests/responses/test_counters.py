"""Whatever happens in whatever order: the counters are those of the answers that are stored."""

import asyncio
import random
from collections import Counter
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from sqlalchemy import select

from bedplate.database import Database
from bedplate.testing.client import Client
from live.models.responses import Response
from live.text import key_of

if TYPE_CHECKING:
    from backends.live.tests.conftest import Evening, Guest
    from backends.live.tests.responses.conftest import Check

Activity = dict[str, Any]
Answers = dict[tuple[int, str], Any]
"""The answers that were acknowledged, by round and participant."""

QUESTIONS = ["Why?", "Who?", "When?"]


class Model:
    """Does what comes by chance over two instances, and knows what should be stored then."""

    def __init__(self, evening: "Evening", apis: list[Client], chance: random.Random) -> None:
        self.evening = evening
        self.apis = apis
        self.chance = chance
        self.answers: Answers = {}
        self.seen: Counter[str] = Counter()

    async def round(self, guests: "list[Guest]", activity: Activity, number: int) -> None:
        """Let all guests do something at once, each one thing after the other."""
        self.number = number
        await asyncio.gather(*(self._some_steps(guest, activity) for guest in guests))

    async def _some_steps(self, guest: "Guest", activity: Activity) -> None:
        for _ in range(self.chance.randint(1, 3)):
            step = self.chance.choice([self.put, self.put, self.put, self.retract, self.remove])
            await step(guest, activity)

    async def put(self, guest: "Guest", activity: Activity) -> None:
        """Send an answer, and remember it when it is acknowledged."""
        answer = self._answer(activity["type"])
        path = self.evening.responses(activity)
        body = {"answer": answer}
        sent = await self._api.put(path, json=body, headers=guest.headers)
        if sent.status_code == 200:
            stored = sent.json()
            self.seen[stored["status"]] += 1
            self.answers[stored["round"], guest.id] = stored["answer"]
        else:  # an up-vote for a question that is gone
            assert sent.json()["code"] == "unknown_item", sent.text

    async def retract(self, guest: "Guest", activity: Activity) -> None:
        """Take the answer back, if there is one."""
        gone = await self._api.delete(self.evening.responses(activity), headers=guest.headers)
        had = self.answers.pop((self.number, guest.id), None)
        assert gone.status_code == (404 if had is None else 204), gone.text
        self.seen["retracted"] += had is not None

    async def remove(self, guest: "Guest", activity: Activity) -> None:
        """Kick the guest, with answers or without; a kicked one can't vote, and comes back."""
        with_answers = self.chance.random() < 0.5
        path = f"{self.evening.path}/participants/{guest.id}/kick"
        body = {"remove_answers": with_answers}
        kicked = await self._api.post(path, json=body, headers=self.evening.host)
        assert kicked.status_code == 204, kicked.text
        if with_answers:
            for round_, who in list(self.answers):
                if who == guest.id:
                    del self.answers[round_, who]
        refused = await self._api.delete(self.evening.responses(activity), headers=guest.headers)
        assert refused.status_code == 403, refused.text
        path = f"{self.evening.path}/participants/rejoin"
        back = await self._api.post(path, headers=guest.headers)
        assert back.status_code == 200, back.text
        self.seen["removed"] += 1

    @property
    def _api(self) -> Client:
        return self.chance.choice(self.apis)

    def _answer(self, kind: str) -> dict[str, Any]:
        if kind == "poll":
            return {"choices": self.chance.sample("abc", self.chance.randint(1, 3))}
        asked = self.chance.sample(QUESTIONS, self.chance.randint(0, 2))
        votes = self.chance.sample(QUESTIONS, self.chance.randint(0, 2))
        return {"questions": asked, "votes": [key_of(question) for question in votes]}


@pytest.mark.parametrize("kind", ["poll", "questions"])
async def test_the_tally_is_the_recount(
    evening: "Evening", other_api: Client, database: Database, check: "Check", kind: str
) -> None:
    """Random votes, changes, retractions, kicks and resets, at once over two instances.

    After each round of them what is stored is what was acknowledged, and every counter of every
    round is what these answers make. In the end guests are banned with their answers.
    """
    chance = random.Random(kind)
    config = {"options": [{"text": text} for text in "123"], "max_choices": 3}
    activity = await evening.add(kind, config=config if kind == "poll" else {})
    guests = await evening.join_many(6)
    model = Model(evening, [evening.api, other_api], chance)
    for number in range(1, 4):
        await evening.open_(activity)
        for _ in range(2):
            await model.round(guests, activity, number)
            assert await stored(database, activity) == model.answers
            assert await check(activity) == len(model.answers)
        await evening.do(f"activities/{activity['id']}/reset")
    assert model.seen.keys() >= {"stored", "changed", "retracted", "removed"}, model.seen
    for guest in guests[:3]:
        await evening.do(f"participants/{guest.id}/ban", {"remove_answers": True})
    left = {key: answer for key, answer in model.answers.items() if key[1] not in
            {guest.id for guest in guests[:3]}}  # fmt: skip
    assert await stored(database, activity) == left
    await check(activity)


async def stored(database: Database, activity: Activity) -> Answers:
    """Return the answers that are stored."""
    rows = select(Response.round, Response.participant_id, Response.answer).where(
        Response.activity_id == UUID(activity["id"])
    )
    async with database.engine.connect() as connection:
        return {(row.round, str(row.participant_id)): row.answer for row in
                await connection.execute(rows)}  # fmt: skip
