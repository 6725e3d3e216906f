"""The types of activities, as those find them who write a client."""

from typing import TYPE_CHECKING

from live.activity_type import all_types

if TYPE_CHECKING:
    from backends.live.tests.conftest import Evening


async def test_each_type_shows_an_example_that_can_be_sent_as_it_is(evening: "Evening") -> None:
    """An activity is made of its configuration, and its answer is taken and counted."""
    ann = await evening.join("Ann")
    shown = (await evening.api.get("/api/v1/activity-types")).json()["items"]
    assert [kind["name"] for kind in shown] == list(all_types())
    for kind in shown:
        example = kind["example"]
        activity = await evening.add_open(kind["name"], config=example["config"])
        assert (await evening.answer(ann, activity, **example["answer"]))["status"] == "stored"
        await evening.close(activity)
        assert (await evening.results(activity))["stored"] == 1
