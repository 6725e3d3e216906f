"""Checks that the responses of a service follow its contract, in a client or around the app."""

from typing import Final

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bedplate.contracts.conformance import Conformance, Violations
from bedplate.contracts.document import Contract


class ConformanceJudge:
    """Checks responses against the published contract, or the extended one for other statuses."""

    def __init__(self, contract: Contract) -> None:
        self._bare = Conformance(contract.document)
        self._extended = Conformance(contract.extended)

    def violations(
        self, method: str, path: str, status: int, content_type: str | None, body: bytes
    ) -> Violations:
        """Return what is wrong with a response; nothing for a path that isn't in the contract."""
        if self._extended.operation(method, path) is None:
            return []
        published = self._bare.operation(method, path)
        known = published is not None and str(status) in published.definition["responses"]
        judge = self._bare if known else self._extended
        return judge.response(method, path, status, content_type, body)


class Judged:
    """An ASGI application whose responses are checked; `violations` has each error once."""

    def __init__(self, app: ASGIApp, judge: ConformanceJudge) -> None:
        self._app = app
        self._judge = judge
        self.violations: Final[dict[str, None]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection; an HTTP response is checked when it is complete."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        start: Message = {}
        body = bytearray()

        async def record(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
            elif message["type"] == "http.response.body":
                body.extend(message.get("body", b""))
                if not message.get("more_body", False):
                    self._check(scope, start, bytes(body))
            await send(message)

        await self._app(scope, receive, record)

    def _check(self, scope: Scope, start: Message, body: bytes) -> None:
        kind = Headers(raw=start["headers"]).get("content-type")
        violations = self._judge.violations(
            scope["method"], scope["path"], start["status"], kind, body
        )
        self.violations.update(dict.fromkeys(violations))
