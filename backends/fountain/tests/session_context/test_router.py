"""Sessions and their contexts over HTTP."""

from collections.abc import Mapping

from bedplate.testing.client import Client

Services = Mapping[str, Client]


async def test_a_session_is_opened_read_and_listed(sessions_api: Client) -> None:
    """The answer is the session as stored; without a context the member is missing."""
    drafting = {"sessionId": 1, "userId": 123, "context": "Drafting the balcony scene"}
    fields = {"userId": 123, "context": "Drafting the balcony scene"}
    made = await sessions_api.post("/sessions", json=fields)
    assert (made.status_code, made.json()) == (201, drafting)
    plain = await sessions_api.post("/sessions", json={"userId": -5})
    assert plain.json() == {"sessionId": 2, "userId": -5}
    assert (await sessions_api.get("/sessions/1")).json() == drafting
    assert (await sessions_api.get("/sessions")).json() == [drafting, plain.json()]
    context = (await sessions_api.get("/sessions/2/context")).json()
    assert context == {"sessionId": 2}


async def test_a_context_is_replaced(sessions_api: Client) -> None:
    """A context that is sent is stored; when none is sent the present one stays."""
    await sessions_api.post("/sessions", json={"userId": 1, "context": "One"})
    changed = await sessions_api.put("/sessions/1", json={"context": "Two"})
    assert (changed.status_code, changed.json()["context"]) == (200, "Two")
    assert (await sessions_api.put("/sessions/1", json={})).json()["context"] == "Two"
    context = (await sessions_api.get("/sessions/1/context")).json()
    assert context == {"sessionId": 1, "context": "Two"}


async def test_several_are_read_at_once(sessions_api: Client) -> None:
    """They come in the order asked for, each once; unknown identifiers are left out."""
    for user in (1, 2, 3):
        await sessions_api.post("/sessions", json={"userId": user})
    query = {"ids": [3, 99, 1, 3, -1, 2**70]}
    result = (await sessions_api.post("/sessions/lookup", json=query)).json()
    assert [item["sessionId"] for item in result] == [3, 1]
    assert (await sessions_api.post("/sessions/lookup", json={"ids": []})).json() == []
    too_many = {"ids": list(range(5001))}
    assert (await sessions_api.post("/sessions/lookup", json=too_many)).status_code == 400


async def test_a_session_has_a_number(with_sessions: Services) -> None:
    """The sequence service has given the session a number of the one counter."""
    await with_sessions["session-context"].post("/sessions", json={"userId": 1})
    query = {"elementType": "session", "elementIds": [1]}
    numbers_held = await with_sessions["central-sequence"].post("/sequence/lookup", json=query)
    assert numbers_held.json() == [{"elementId": 1, "sequenceNumber": 1}]


async def test_what_there_is_not_is_a_404(sessions_api: Client) -> None:
    """An unknown session is a 404 with a message."""
    for method, path in (
        ("GET", "/sessions/9"),
        ("PUT", "/sessions/9"),
        ("GET", "/sessions/9/context"),
    ):
        answer = await sessions_api.request(method, path, json={})
        assert answer.status_code == 404
        assert answer.json() == {"message": "No such session."}


async def test_what_the_contract_refuses_is_a_400(sessions_api: Client) -> None:
    """Truth values, texts and null are no integers; a number with an empty fraction is one."""
    for user in (True, "1", None, 1.5, 2**63):
        answer = await sessions_api.post("/sessions", json={"userId": user})
        assert (user, answer.status_code) == (user, 400)
    assert (await sessions_api.post("/sessions", json={})).status_code == 400
    null = {"userId": 1, "context": None}
    assert (await sessions_api.post("/sessions", json=null)).status_code == 400
    assert (await sessions_api.get("/sessions")).json() == []
    made = await sessions_api.post(
        "/sessions", content='{"userId": 1.0}', headers={"content-type": "application/json"}
    )
    assert made.json() == {"sessionId": 1, "userId": 1}
