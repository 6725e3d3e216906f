"""Moderation: words wait, are shown, hidden, pinned and answered; who sees what of it."""

from typing import TYPE_CHECKING, Any

import pytest

from bedplate.testing.client import Client
from bedplate.testing.problems import ProblemOf

if TYPE_CHECKING:
    from backends.live.tests.conftest import Evening, Guest
    from backends.live.tests.results.conftest import RememberingChannels


class Desk:
    """A moderator, who sees the words of an activity and decides about them."""

    def __init__(self, evening: "Evening", activity: dict[str, Any], headers: Any) -> None:
        self.path = f"{evening.path}/activities/{activity['id']}/moderation"
        self.api = evening.api
        self.headers = headers

    async def items(self) -> dict[str, dict[str, Any]]:
        """Return all words by their text."""
        response = await self.api.get(self.path, headers=self.headers)
        assert response.status_code == 200, response.text
        return {item["label"]: item for item in response.json()["items"]}

    async def decide(self, word: str, **changes: object) -> dict[str, Any]:
        """Decide about a word, and return it."""
        key = (await self.items())[word]["key"]
        response = await self.api.patch(f"{self.path}/{key}", json=changes, headers=self.headers)
        assert response.status_code == 200, response.text
        item: dict[str, Any] = response.json()
        return item


def words_of(shown: dict[str, Any]) -> list[str]:
    """Return the words of a result, in its order."""
    return [word["text"] for word in shown["result"]["words"]]


@pytest.fixture
async def people(evening: "Evening") -> "list[Guest]":
    """Three participants."""
    return await evening.join_many(3)


async def test_words_wait_for_a_moderator(
    evening: "Evening", people: "list[Guest]", channels: "RememberingChannels"
) -> None:
    """In a moderated activity nobody but moderators sees a word before it is shown."""
    cloud = await evening.add_open("word_cloud", policy={"moderated": True})
    screen = await evening.link("screen")
    desk = Desk(evening, cloud, await evening.link("moderator"))
    for guest in people:
        await evening.answer(guest, cloud, words=["tea"])
    assert (await desk.items())["tea"]["state"] == "waiting"
    for headers in (people[0].headers, screen):
        assert words_of(await evening.results(cloud, headers)) == []
    assert words_of(await evening.results(cloud)) == ["tea"]
    sent = await channels.until_host(stored=3)
    assert words_of(sent.payloads["participant"]) == []
    await desk.decide("tea", state="visible")
    for headers in (people[0].headers, screen):
        assert words_of(await evening.results(cloud, headers)) == ["tea"]
    await channels.until(lambda sent: words_of(sent.payloads["screen"]) == ["tea"])


async def test_hidden_words(
    evening: "Evening", people: "list[Guest]", channels: "RememberingChannels"
) -> None:
    """A hidden word stays hidden when more people write it, in results, events and exports' words.

    It comes back when it is shown again; the count went on.
    """
    cloud = await evening.add_open("word_cloud")
    desk = Desk(evening, cloud, evening.host)
    await evening.answer(people[0], cloud, words=["rude", "kind"])
    assert (await desk.decide("rude", state="hidden"))["state"] == "hidden"
    await evening.answer(people[1], cloud, words=["RUDE"])
    assert words_of(await evening.results(cloud, people[2].headers)) == ["kind"]
    sent = await channels.until_host(stored=2)
    assert words_of(sent.payloads["participant"]) == ["kind"]
    await desk.decide("rude", state="visible")
    assert words_of(await evening.results(cloud, people[2].headers)) == ["rude", "kind"]


async def test_pinned_and_answered_questions(evening: "Evening", people: "list[Guest]") -> None:
    """Pinned questions come first and answered ones last; each decision leaves the others alone."""
    asked = await evening.add_open("questions")
    desk = Desk(evening, asked, evening.host)
    for guest, question in zip(people, ("One?", "Two?", "Three?"), strict=True):
        await evening.answer(guest, asked, questions=[question])
    await desk.decide("Two?", pinned=True)
    await desk.decide("One?", answered=True)
    item = await desk.decide("Two?", answered=True)
    assert (item["pinned"], item["answered"], item["state"]) == (True, True, "visible")
    shown = await evening.results(asked, people[0].headers)
    assert [each["text"] for each in shown["result"]["questions"]] == ["Two?", "Three?", "One?"]
    await desk.decide("Two?", pinned=False)
    assert (await desk.items())["Two?"]["answered"] is True


async def test_pinning_a_waiting_question_shows_it(
    evening: "Evening", people: "list[Guest]"
) -> None:
    """Whoever pins a question has read it: it needs no second decision."""
    asked = await evening.add_open("questions", policy={"moderated": True})
    await evening.answer(people[0], asked, questions=["Why?"])
    assert (await Desk(evening, asked, evening.host).decide("Why?", pinned=True))["state"] == (
        "visible"
    )


async def test_a_new_round_begins_without_decisions(
    evening: "Evening", people: "list[Guest]"
) -> None:
    """A decision belongs to its round."""
    cloud = await evening.add_open("word_cloud")
    desk = Desk(evening, cloud, evening.host)
    await evening.answer(people[0], cloud, words=["tea"])
    await desk.decide("tea", state="hidden")
    await evening.do(f"activities/{cloud['id']}/reset")
    await evening.open_(cloud)
    assert await desk.items() == {}
    await evening.answer(people[0], cloud, words=["tea"])
    assert (await desk.items())["tea"]["state"] == "visible"


async def test_what_is_refused(
    api: Client, evening: "Evening", people: "list[Guest]", problem_of: ProblemOf
) -> None:
    """Unknown words are 404, other decisions 422, and who isn't a moderator gets 403."""
    cloud = await evening.add_open("word_cloud")
    await evening.answer(people[0], cloud, words=["tea"])
    path = f"{evening.path}/activities/{cloud['id']}/moderation"
    key = (await Desk(evening, cloud, evening.host).items())["tea"]["key"]
    hide = {"state": "hidden"}
    for headers in (people[0].headers, await evening.link("screen")):
        problem_of(await api.get(path, headers=headers), 403)
        problem_of(await api.patch(f"{path}/{key}", json=hide, headers=headers), 403)
    for unknown in ("0" * 32, "answers.right", "%00", "ü"):
        problem_of(await api.patch(f"{path}/{unknown}", json=hide, headers=evening.host), 404)
    for body in ({"state": "waiting"}, {"pinned": 1}, {"label": "x"}, {"state": "gone"}):
        problem_of(await api.patch(f"{path}/{key}", json=body, headers=evening.host), 422)
    unknown = path.replace(cloud["id"], evening.id)
    problem_of(await api.get(unknown, headers=evening.host), 404)


async def test_every_word_is_in_the_list(evening: "Evening", people: "list[Guest]") -> None:
    """Also what no result lists any more can be hidden."""
    cloud = await evening.add_open("word_cloud", config={"max_listed": 1})
    await evening.answer(people[0], cloud, words=["tea", "milk"])
    assert set(await Desk(evening, cloud, evening.host).items()) == {"tea", "milk"}
