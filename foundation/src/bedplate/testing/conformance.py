"""Does what a service really answers keep its contract? For an HTTP client, or around the app."""

from typing import Final

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bedplate.contracts.conformance import Conformance, Violations
from bedplate.contracts.document import Contract


class ConformanceJudge:
    """Holds answers against the bare contract, and what that doesn't know against the extended."""

    def __init__(self, contract: Contract) -> None:
        self._bare = Conformance(contract.document)
        self._extended = Conformance(contract.extended)

    def violations(
        self, method: str, path: str, status: int, content_type: str | None, body: bytes
    ) -> Violations:
        """Return what is wrong with an answer; nothing when the path is none of the contract's.

        The bare contract judges every status that it documents, the extended one all others.
        """
        if self._extended.operation(method, path) is None:
            return []
        published = self._bare.operation(method, path)
        known = published is not None and str(status) in published.definition["responses"]
        judge = self._bare if known else self._extended
        return judge.response(method, path, status, content_type, body)


class Judged:
    """An application whose every answer is held against a contract.

    `violations` says what was wrong, each once.
    """

    def __init__(self, app: ASGIApp, judge: ConformanceJudge) -> None:
        self._app = app
        self._judge = judge
        self.violations: Final[dict[str, None]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection; an answer to HTTP is judged when it is complete."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        start: Message = {}
        body = bytearray()

        async def watch(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
            elif message["type"] == "http.response.body":
                body.extend(message.get("body", b""))
                if not message.get("more_body", False):
                    self._judge_answer(scope, start, bytes(body))
            await send(message)

        await self._app(scope, receive, watch)

    def _judge_answer(self, scope: Scope, start: Message, body: bytes) -> None:
        kind = Headers(raw=start["headers"]).get("content-type")
        found = self._judge.violations(scope["method"], scope["path"], start["status"], kind, body)
        self.violations.update(dict.fromkeys(found))
