from typing import Any

import pytest


def test_nothing_is_seen_before_the_reveal(activities: Any) -> None:
    """Not even a live result says more than how many have played."""
    poker = activities("planning_poker", {}).answer({"card": "5"}, {"card": "8"})
    assert poker.result() == {"answers": 2}


def test_numbers(activities: Any) -> None:
    """Of 3, 5, 5, 8 the median is 5, the mean 5.25 and the agreement a half; ? counts for none."""
    poker = activities("planning_poker", {}).answer(
        *({"card": card} for card in ("3", "5", "5", "8", "?", "coffee"))
    )
    result = poker.result(revealed=True)
    assert result["answers"] == 6
    assert {card: times for card, times in result["counts"].items() if times} == {
        "3": 1,
        "5": 2,
        "8": 1,
        "?": 1,
        "coffee": 1,
    }
    assert (result["median"], result["mean"]) == (5.0, 5.25)
    assert (result["agreement"], result["most_frequent"]) == (0.5, ["5"])


def test_sizes(activities: Any) -> None:
    """S, M, L, XL have no mean; the median is the smaller of the two in the middle."""
    poker = activities("planning_poker", {"scale": "t-shirt"}).answer(
        *({"card": card} for card in ("XL", "S", "L", "M"))
    )
    result = poker.result(revealed=True)
    assert (result["median"], result["mean"], result["agreement"]) == ("M", None, 0.25)
    assert result["most_frequent"] == ["S", "M", "L", "XL"]


def test_agreement_of_all(activities: Any) -> None:
    """All the same is 1."""
    poker = activities("planning_poker", {"scale": "linear"}).answer({"card": "7"}, {"card": "7"})
    assert poker.result(revealed=True)["agreement"] == 1.0


@pytest.mark.parametrize("cards", [[], ["?", "coffee"]])
def test_no_estimates(activities: Any, cards: list[str]) -> None:
    """Without estimates there is no agreement, and no division by zero."""
    poker = activities("planning_poker", {}).answer(*({"card": card} for card in cards))
    result = poker.result(revealed=True)
    assert (result["median"], result["mean"], result["agreement"]) == (None, None, None)
    assert result["most_frequent"] == []


def test_participants_see_the_cards(activities: Any) -> None:
    """The cards are public, in their order."""
    poker = activities("planning_poker", {"scale": "t-shirt"})
    assert poker.kind.public(poker.config) == {
        "scale": "t-shirt",
        "cards": ["XS", "S", "M", "L", "XL", "XXL", "?", "coffee"],
    }


def test_a_card_of_another_scale_is_refused(activities: Any) -> None:
    """Cards are texts, of the activity's own scale."""
    poker = activities("planning_poker", {})
    assert poker.refused({"card": "M"}) == ("answer.card", "unknown_card")
    assert poker.refused({"card": "4"}) == ("answer.card", "unknown_card")
    assert poker.refused({"card": 5}) == ("answer.card", "literal_error")
