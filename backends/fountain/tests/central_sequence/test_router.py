"""Numbers, orders and versions over HTTP."""

import json
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import httpx2
import pytest

from bedplate.database import Database
from bedplate.testing.client import Client
from fountain.central_sequence import repository

OpenDatabase = Callable[[str], AbstractAsyncContextManager[Database]]

HAMLET = {"elementType": "script", "elementId": 1}
LONGEST = 500
LARGEST = 2**63 - 1
SMALLEST = -(2**63)


async def number(api: Client, kind: str, identifier: int) -> int:
    """Return the number that an element gets."""
    answer = await api.post("/sequence", json={"elementType": kind, "elementId": identifier})
    assert answer.status_code == 201, answer.text
    result: int = answer.json()["sequenceNumber"]
    return result


async def numbers(api: Client, kind: str, identifiers: list[int]) -> list[tuple[int, int]]:
    """Return the identifiers and numbers of the elements that have one."""
    query = {"elementType": kind, "elementIds": identifiers}
    answer = await api.post("/sequence/lookup", json=query)
    assert answer.status_code == 200, answer.text
    return [(item["elementId"], item["sequenceNumber"]) for item in answer.json()]


async def reorder(api: Client, kind: str, *pairs: tuple[int, int]) -> httpx2.Response:
    """Ask for other numbers, by identifier."""
    elements = [{"elementId": item, "newSequence": new} for item, new in pairs]
    return await api.post("/sequence/reorder", json={"elementType": kind, "elements": elements})


async def raw(api: Client, path: str, body: str | bytes) -> httpx2.Response:
    """Send a body as it stands."""
    return await api.post(path, content=body, headers={"content-type": "application/json"})


async def test_a_pair_gets_its_number_once(sequence_api: Client) -> None:
    """One counter numbers all kinds; the same pair has the same number ever after."""
    pairs = [("script", 1), ("section", 1), ("section", 2), ("character", 1)]
    for _ in range(2):
        assert [await number(sequence_api, *pair) for pair in pairs] == [1, 2, 3, 4]
    assert await number(sequence_api, "script", 2) == 5


@pytest.mark.parametrize("identifier", [0, -1, LARGEST, SMALLEST])
async def test_every_identifier_of_64_bits_is_one(sequence_api: Client, identifier: int) -> None:
    """The smallest and the largest are stored and found as they are."""
    assert await number(sequence_api, "script", identifier) == 1
    assert await numbers(sequence_api, "script", [identifier]) == [(identifier, 1)]


@pytest.mark.parametrize(
    "kind",
    ["", " ", "Überschrift 🎭", "SCRIPT", "script ", "e\u0301", "\u00e9", "'; --", "x" * LONGEST],
)
async def test_any_text_is_a_kind(sequence_api: Client, kind: str) -> None:
    """Every character distinguishes kinds; the empty kind is valid."""
    assert await number(sequence_api, "script", 1) == 1
    assert await number(sequence_api, kind, 1) == 2
    assert await number(sequence_api, kind, 1) == 2
    assert await numbers(sequence_api, kind, [1]) == [(1, 2)]


async def test_the_longest_kind_is_stored(sequence_api: Client) -> None:
    """A kind as long as the document allows gets a number, however many bytes it takes."""
    kind = "".join(chr(0x1F300 + 37 * place % 997) for place in range(LONGEST))
    assert len(kind.encode()) == 4 * LONGEST
    assert await number(sequence_api, kind, 1) == 1


async def test_numbers_are_looked_up(sequence_api: Client) -> None:
    """They come in the order asked for, each once; what has no number is left out, and stays so."""
    for identifier in (7, 8, 9):
        await number(sequence_api, "section", identifier)
    query = [9, 1, 7, 9, -5, 2**70, 8]
    assert await numbers(sequence_api, "section", query) == [(9, 3), (7, 1), (8, 2)]
    assert await numbers(sequence_api, "script", [7, 8, 9]) == []
    assert await numbers(sequence_api, "section", []) == []
    assert await number(sequence_api, "section", 1) == 4
    many = {"elementType": "section", "elementIds": [1] * 5001}
    assert (await sequence_api.post("/sequence/lookup", json=many)).status_code == 400


async def test_elements_exchange_their_numbers(sequence_api: Client) -> None:
    """After a reorder each element has the number stated for it, which a repeat then shows."""
    for identifier in (1, 2, 3):
        await number(sequence_api, "section", identifier)
    answer = await reorder(sequence_api, "section", (1, 2), (2, 3), (3, 1))
    assert (answer.status_code, answer.json()) == (200, {"message": "Reorder successful."})
    assert await numbers(sequence_api, "section", [1, 2, 3]) == [(1, 2), (2, 3), (3, 1)]
    assert await number(sequence_api, "section", 1) == 2
    assert await number(sequence_api, "section", 4) == 4
    for unchanged in ([(2, 3)], []):
        assert (await reorder(sequence_api, "section", *unchanged)).status_code == 200
    assert await numbers(sequence_api, "section", [1, 2, 3]) == [(1, 2), (2, 3), (3, 1)]


@pytest.mark.parametrize(
    ("pairs", "why"),
    [
        ([(1, 2), (9, 1)], "An element is listed that has no number."),
        ([(1, 2), (1, 3), (2, 1)], "An element is listed twice."),
        ([(1, 2), (2, 2)], "A number is given to two elements."),
        ([(1, 3), (2, 1)], "they hold 1, 2."),
        ([(1, 4), (2, 1)], "they hold 1, 2."),
        ([(1, LARGEST)], "they hold 1."),
        ([(1, -1)], "they hold 1."),
    ],
)
async def test_what_is_no_exchange_changes_nothing(
    sequence_api: Client, pairs: list[tuple[int, int]], why: str
) -> None:
    """Unknown elements, those listed twice, and numbers of others or of nobody are refused."""
    for identifier in (1, 2, 3):
        await number(sequence_api, "section", identifier)
    await number(sequence_api, "script", 1)
    answer = await reorder(sequence_api, "section", *pairs)
    assert answer.status_code == 400
    assert why in answer.json()["message"]
    assert await numbers(sequence_api, "section", [1, 2, 3]) == [(1, 1), (2, 2), (3, 3)]


async def test_a_move_needs_its_element_and_its_number(sequence_api: Client) -> None:
    """An entry without either is refused, though the contract requires none."""
    await number(sequence_api, "section", 1)
    for entry in ({}, {"elementId": 1}, {"newSequence": 1}):
        order = {"elementType": "section", "elements": [entry]}
        assert (await sequence_api.post("/sequence/reorder", json=order)).status_code == 400


async def test_thousands_are_reordered_at_once(
    sequence_api: Client, open_database: OpenDatabase
) -> None:
    """An order of 3,000 elements is one request."""
    count = 3000
    async with open_database("central-sequence") as database, database.write() as session:
        for identifier in range(1, count + 1):
            await repository.add(session, "section", identifier)
    backwards = [(item, count + 1 - item) for item in range(1, count + 1)]
    assert (await reorder(sequence_api, "section", *backwards)).status_code == 200
    assert await numbers(sequence_api, "section", [item for item, _ in backwards]) == backwards


async def test_versions_count_per_element(sequence_api: Client) -> None:
    """The element itself is version 1, so the first that is recorded is version 2."""

    async def record(kind: str, identifier: int) -> int:
        version = {"elementType": kind, "elementId": identifier, "newVersionData": {"text": "…"}}
        answer = await sequence_api.post("/sequence/version", json=version)
        assert answer.status_code == 201
        result: int = answer.json()["versionNumber"]
        return result

    assert [await record("dialogue", 1) for _ in range(3)] == [2, 3, 4]
    assert [await record("dialogue", 2), await record("action", 1)] == [2, 2]
    assert await number(sequence_api, "dialogue", 1) == 1


@pytest.mark.parametrize(
    "data",
    [
        "{}",
        '{"text": "a\\u0000b", "\\u0000": 1}',
        '{"large": 123456789012345678901234567890, "small": 1e-400, "huge": 1e400}',
        '{"a": ' * 60 + "1" + "}" * 60,
        json.dumps({"🎭" * 100: ["ü"] * 1000}),
    ],
)
async def test_any_object_is_a_version(sequence_api: Client, data: str) -> None:
    """What JSON can hold is recorded, also what no column could."""
    version = f'{{"elementType": "dialogue", "elementId": 1, "newVersionData": {data}}}'
    answer = await raw(sequence_api, "/sequence/version", version)
    assert (answer.status_code, answer.json()) == (201, {"versionNumber": 2})


@pytest.mark.parametrize(
    "value", ["true", '"1"', "null", "1.5", "NaN", "Infinity", "1e400", "[]", str(2**63), "-1e19"]
)
@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/sequence", '{"elementType": "script", "elementId": VALUE}'),
        (
            "/sequence/version",
            '{"elementType": "script", "elementId": VALUE, "newVersionData": {}}',
        ),
        (
            "/sequence/reorder",
            '{"elementType": "script", "elements": [{"elementId": VALUE, "newSequence": 1}]}',
        ),
        (
            "/sequence/reorder",
            '{"elementType": "script", "elements": [{"elementId": 1, "newSequence": VALUE}]}',
        ),
    ],
    ids=["sequence", "version", "reorder", "reorder number"],
)
async def test_what_is_no_integer_of_64_bits_is_refused(
    sequence_api: Client, path: str, body: str, value: str
) -> None:
    """A truth value, a text, null, a fraction and too large a number are a 400 with a message."""
    answer = await raw(sequence_api, path, body.replace("VALUE", value))
    assert answer.status_code == 400
    assert answer.json().keys() == {"message"}


@pytest.mark.parametrize("value", ["1.0", "1e0", "10E-1", "100e-2"])
async def test_an_integer_may_be_written_as_a_fraction(sequence_api: Client, value: str) -> None:
    """A number without a fractional part is an integer in any notation."""
    assert await number(sequence_api, "script", 1) == 1
    answer = await raw(
        sequence_api, "/sequence", f'{{"elementType": "script", "elementId": {value}}}'
    )
    assert (answer.status_code, answer.json()) == (201, {"sequenceNumber": 1})
    assert answer.text == '{"sequenceNumber":1}'


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"elementId": 1}',
        b'{"elementType": 1, "elementId": 1}',
        b'{"elementType": null, "elementId": 1}',
        b'{"elementType": "a\\u0000b", "elementId": 1}',
        b'{"elementType": "\\ud800", "elementId": 1}',
        b'{"elementType": "\xff", "elementId": 1}',
        b'{"elementType": "script", "elementId": 1, "more": ' + b"[" * 100 + b"]" * 100 + b"}",
        b"[" * 100_000,
        b'{"elementType": "script", "elementId": ' + b"9" * 5000 + b"}",
        json.dumps({"elementType": "x" * (LONGEST + 1), "elementId": 1}).encode(),
    ],
)
async def test_what_can_t_be_read_is_a_400(sequence_api: Client, body: bytes) -> None:
    """No body breaks the service: all that it can't read or store is refused with a message."""
    answer = await raw(sequence_api, "/sequence", body)
    assert answer.status_code == 400
    assert answer.json().keys() == {"message"}
    assert await number(sequence_api, "script", 1) == 1


async def test_too_large_a_body_is_a_413(sequence_api: Client) -> None:
    """A body beyond the limit is refused as the additions document it."""
    text: dict[str, Any] = {**HAMLET, "newVersionData": {"text": "x" * 2_000_000}}
    answer = await sequence_api.post("/sequence/version", json=text)
    assert answer.status_code == 413
    assert answer.json().keys() == {"message"}


@pytest.mark.parametrize(
    "path", ["/sequence", "/sequence/reorder", "/sequence/version", "/sequence/lookup"]
)
async def test_other_methods_are_a_405(sequence_api: Client, path: str) -> None:
    """The answer lists the methods that the path has."""
    for method in ("GET", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"):
        answer = await sequence_api.request(method, path)
        assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")
