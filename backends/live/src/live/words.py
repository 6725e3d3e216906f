"""What is counted of participants' own words, and how they are listed in a result."""

from collections.abc import Iterable
from typing import Any, Final

from live.activity_type import Count, Item, refusal
from live.text import fold, key_of

MAX_LISTED: Final = 500


def distinct(
    texts: Iterable[str], *, field: str, max_count: int, max_length: int, code: str
) -> list[str]:
    """Return each text once, as it was written first, in the order of what makes them equal.

    Raises `InvalidInput` for more than `max_count`, and for a text above `max_length` characters.
    """
    by_folded: dict[str, str] = {}
    for text in texts:
        if len(text) > max_length:
            raise refusal(field, f"Text should have at most {max_length} characters", "too_long")
        by_folded.setdefault(fold(text), text)
    if len(by_folded) > max_count:
        raise refusal(field, f"There should be at most {max_count}", code)
    return [text for _, text in sorted(by_folded.items())]


def count_texts(texts: Iterable[str], prefix: str = "") -> list[Count]:
    """Return one count for each text. Their keys begin with `prefix`."""
    return [Count(f"{prefix}{key_of(text)}", label=text) for text in texts]


def listed(items: Iterable[Item], limit: int) -> tuple[list[dict[str, Any]], int]:
    """Return the first `limit` items that somebody wrote, and how many are left out.

    Pinned ones come first and answered ones last; else the most frequent come first.
    """
    order = sorted(
        (item for item in items if item.count > 0),
        key=lambda item: (not item.pinned, item.answered, -item.count, item.key),
    )
    return [_to_json(item) for item in order[:limit]], max(0, len(order) - limit)


def _to_json(item: Item) -> dict[str, Any]:
    return {
        "key": item.key,
        "text": item.label,
        "count": item.count,
        "state": item.state,
        "pinned": item.pinned,
        "answered": item.answered,
    }
