"""Characters, actions, spoken words and their paraphrases over HTTP."""

from dataclasses import dataclass
from typing import Any

import httpx2
import pytest

from bedplate.testing.client import Client

LONGEST = 100_000


@dataclass(frozen=True)
class Kind:
    """One kind of thing: its path, the name of its identifier, and what makes one."""

    path: str
    identifier: str
    body: dict[str, str]


CHARACTERS = Kind("/characters", "characterId", {"name": "Juliet", "description": "A Capulet"})
ACTIONS = Kind("/actions", "actionId", {"description": "Juliet appears above."})
SPOKEN_WORDS = Kind("/spokenWords", "dialogueId", {"text": "O Romeo, Romeo!"})
KINDS = (CHARACTERS, ACTIONS, SPOKEN_WORDS)
PARAPHRASE = {"originalId": 1, "text": "A young woman in love", "commentary": "Shorter"}

every_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.path)


async def raw(api: Client, path: str, body: str | bytes) -> httpx2.Response:
    """Send a body as it stands."""
    return await api.post(path, content=body, headers={"content-type": "application/json"})


@every_kind
async def test_things_are_stored_read_and_listed(characters_api: Client, kind: Kind) -> None:
    """A stored object has an identifier, is read by it, and listed in the order of identifiers."""
    assert (await characters_api.get(kind.path)).json() == []
    made: list[dict[str, Any]] = []
    for number in (1, 2, 3):
        answer = await characters_api.post(kind.path, json=kind.body)
        assert answer.status_code == 201
        assert answer.json() == {kind.identifier: number, **kind.body}
        made.append(answer.json())
    assert (await characters_api.get(kind.path)).json() == made
    assert (await characters_api.get(f"{kind.path}/2")).json() == made[1]


@every_kind
async def test_several_are_read_at_once(characters_api: Client, kind: Kind) -> None:
    """They come in the order asked for, each once; unknown identifiers are left out."""
    for _ in range(3):
        await characters_api.post(kind.path, json=kind.body)
    for ids, expected in (
        ([3, 99, 1, 3, 0, -1, 2**63, -(2**70), 2**200], [3, 1]),
        ([2.0], [2]),
        ([], []),
        ([1] * 5000, [1]),
    ):
        result = await characters_api.post(f"{kind.path}/lookup", json={"ids": ids})
        assert [item[kind.identifier] for item in result.json()] == expected
    for refused in ([1] * 5001, [True], ["1"], [None], [1.5], None):
        answer = await characters_api.post(f"{kind.path}/lookup", json={"ids": refused})
        assert (answer.status_code, answer.json().keys()) == (400, {"message"})


@every_kind
async def test_paraphrases_belong_to_their_original(characters_api: Client, kind: Kind) -> None:
    """They are listed under their original, the oldest first, and under no other."""
    for _ in range(2):
        await characters_api.post(kind.path, json=kind.body)
    made = []
    for original, number in ((1, 1), (2, 2), (1, 3)):
        answer = await characters_api.post(
            f"{kind.path}/{original}/paraphrases", json={**PARAPHRASE, "originalId": original}
        )
        assert answer.status_code == 201
        assert answer.json() == {**PARAPHRASE, "originalId": original, "paraphraseId": number}
        made.append(answer.json())
    first = (await characters_api.get(f"{kind.path}/1/paraphrases")).json()
    assert first == [made[0], made[2]]
    assert (await characters_api.get(f"{kind.path}/2/paraphrases")).json() == [made[1]]
    assert (await characters_api.get(f"{kind.path}/1/paraphrases/3")).json() == made[2]
    for unknown in ("2/paraphrases/3", "1/paraphrases/9"):
        assert (await characters_api.get(f"{kind.path}/{unknown}")).status_code == 404


@every_kind
async def test_an_original_without_paraphrases_has_none(characters_api: Client, kind: Kind) -> None:
    """Its list is empty, where the list of an unknown original is a 404."""
    await characters_api.post(kind.path, json=kind.body)
    answer = await characters_api.get(f"{kind.path}/1/paraphrases")
    assert (answer.status_code, answer.json()) == (200, [])
    assert (await characters_api.get(f"{kind.path}/2/paraphrases")).status_code == 404


@every_kind
@pytest.mark.parametrize("identifier", [2, 0, -1, 2**63 - 1, -(2**63)])
async def test_what_there_is_not_is_a_404(
    characters_api: Client, kind: Kind, identifier: int
) -> None:
    """An unknown original is a 404 with a message, whatever is asked of it."""
    await characters_api.post(kind.path, json=kind.body)
    paraphrase = {**PARAPHRASE, "originalId": identifier}
    path = f"{kind.path}/{identifier}"
    for answer in (
        await characters_api.get(path),
        await characters_api.get(f"{path}/paraphrases"),
        await characters_api.post(f"{path}/paraphrases", json=paraphrase),
    ):
        assert answer.status_code == 404
        assert answer.json()["message"].startswith("No such ")
    assert (await characters_api.get(f"{kind.path}/1/paraphrases")).json() == []


async def test_path_and_body_name_the_same_original(characters_api: Client) -> None:
    """A paraphrase that names two originals is refused, and neither has it."""
    for _ in range(2):
        await characters_api.post("/characters", json=CHARACTERS.body)
    answer = await characters_api.post("/characters/2/paraphrases", json=PARAPHRASE)
    assert answer.status_code == 400
    for original in (1, 2):
        assert (await characters_api.get(f"/characters/{original}/paraphrases")).json() == []


@pytest.mark.parametrize(
    "text", ["", " ", "\n", "Überschrift 🎭", "\u202e", "\ufffe", "'; --", "x" * LONGEST]
)
async def test_any_text_is_kept_as_it_is(characters_api: Client, text: str) -> None:
    """Empty, long and strange texts come back letter by letter."""
    made = await characters_api.post("/spokenWords", json={"text": text})
    assert (made.status_code, made.json()["text"]) == (201, text)
    assert (await characters_api.get("/spokenWords/1")).json()["text"] == text


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b'{"text": null}',
        b'{"text": 1}',
        b'{"text": true}',
        b'{"text": ["a"]}',
        b'{"text": "a\\u0000b"}',
        b'{"text": "\\ud800"}',
        b'{"text": "\xff"}',
        b'{"text": NaN}',
        b'{"text": "a", "more": ' + b"[" * 100 + b"]" * 100 + b"}",
        b'{"text": "' + b"x" * (LONGEST + 1) + b'"}',
    ],
)
async def test_what_can_t_be_stored_is_a_400(characters_api: Client, body: bytes) -> None:
    """It is refused with a message, and nothing is stored."""
    answer = await raw(characters_api, "/spokenWords", body)
    assert (answer.status_code, answer.json().keys()) == (400, {"message"})
    assert (await characters_api.get("/spokenWords")).json() == []


@pytest.mark.parametrize("value", ["true", '"1"', "null", "1.5", "NaN", "1e400", str(2**63)])
async def test_an_original_is_named_by_an_integer(characters_api: Client, value: str) -> None:
    """Nothing else is one, but a number may have an empty fraction."""
    await characters_api.post("/characters", json=CHARACTERS.body)
    body = '{"originalId": VALUE, "text": "a", "commentary": "b"}'
    path = "/characters/1/paraphrases"
    assert (await raw(characters_api, path, body.replace("VALUE", value))).status_code == 400
    made = await raw(characters_api, path, body.replace("VALUE", "1.0"))
    assert made.text == '{"paraphraseId":1,"originalId":1,"text":"a","commentary":"b"}'


@every_kind
@pytest.mark.parametrize(
    "identifier", ["x", "true", "+1", "1_0", "%201", "1.5", str(2**63), "9" * 999]
)
async def test_a_path_names_an_integer(characters_api: Client, kind: Kind, identifier: str) -> None:
    """Anything else in its place is a 400 with a message."""
    for path in (f"{kind.path}/{identifier}", f"{kind.path}/{identifier}/paraphrases"):
        answer = await characters_api.get(path)
        assert (answer.status_code, answer.json().keys()) == (400, {"message"})


@every_kind
async def test_other_methods_are_a_405(characters_api: Client, kind: Kind) -> None:
    """The answer lists every method that the path has."""
    for path, allowed in (
        (kind.path, "GET, HEAD, POST"),
        (f"{kind.path}/1", "GET, HEAD"),
        (f"{kind.path}/lookup", "POST"),
        (f"{kind.path}/1/paraphrases", "GET, HEAD, POST"),
    ):
        for method in ("PUT", "PATCH", "DELETE", "OPTIONS"):
            answer = await characters_api.request(method, path)
            assert (answer.status_code, answer.headers["Allow"]) == (405, allowed)
