"""The client of an audit trail."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Self

import httpx2
import orjson

from bedplate.problems import ServiceUnavailable

_SECONDS: Final = 5.0
# Only these speak of the event itself. All others, such as a redirect or a 401, may be mended
# where the trail runs or where its URL is set, and the same event taken later.
_REFUSALS: Final = frozenset({400, 409, 413, 415, 422})

Event = Mapping[str, Any]
"""What `POST /audits` takes: `action_type`, `entity_type` and the rest."""


class AuditsUnavailable(ServiceUnavailable):
    """The audit trail can't record just now."""

    code = "audits_unavailable"
    detail = "This can't be recorded just now, so it was not done; try again."


class AuditsRefused(Exception):
    """The trail refuses an event as it is: a mistake of the service that made it."""


class AuditsClient:
    """Sends events to an audit trail; a context manager, one for each process."""

    def __init__(
        self,
        url: str,
        *,
        api_key: str | None = None,
        seconds: float = _SECONDS,
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        """Prepare to send to a trail at `url`, such as `http://127.0.0.1:8000/audits`."""
        self._client = httpx2.AsyncClient(
            base_url=f"{url.rstrip('/')}/api/v1",
            headers={"X-API-Key": api_key} if api_key else {},
            timeout=seconds,
            transport=transport,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def record(self, event: Event, *, key: str | None = None) -> dict[str, Any]:
        """Return the record of an event, when it is durable; the same `key` records it once.

        Raises `AuditsUnavailable`, and `AuditsRefused` for an event that the trail won't take.
        """
        recorded: dict[str, Any] = await self._post("/audits", event, key)
        return recorded

    async def record_many(self, events: Sequence[Event], *, key: str | None = None) -> list[str]:
        """Return the ids of up to 1,000 events, all of which are recorded, or none.

        Raises as `record` does.
        """
        stored = await self._post("/audits/batch", {"records": list(events)}, key)
        ids: list[str] = stored["ids"]
        return ids

    async def _post(self, path: str, body: Any, key: str | None) -> Any:
        headers = {"Content-Type": "application/json"}
        if key is not None:
            headers["Idempotency-Key"] = key
        try:
            content = orjson.dumps(body)
        except TypeError as error:
            raise AuditsRefused(f"The event can't be sent as JSON: {error}") from None
        try:
            answer = await self._client.post(path, content=content, headers=headers)
        except httpx2.HTTPError as error:
            raise AuditsUnavailable(retry_after=2) from error
        if answer.status_code == httpx2.codes.CREATED:
            return orjson.loads(answer.content)
        refused = AuditsRefused(f"The audit trail answers {answer.status_code}: {_reason(answer)}")
        if answer.status_code not in _REFUSALS:
            raise AuditsUnavailable(retry_after=2) from refused
        raise refused


def _reason(answer: httpx2.Response) -> str:
    try:
        problem = orjson.loads(answer.content)
        fields = ", ".join(error["field"] for error in problem.get("errors", ()))
        return f"{problem['code']} {fields}".strip()
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError):
        return "without saying why"
