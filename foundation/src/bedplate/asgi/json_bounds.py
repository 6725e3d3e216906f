import re
from itertools import accumulate

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bedplate.problems import BadRequest, problem_response

# As signed bytes, an opening bracket counts 1 and a closing one -1.
_STEPS = bytes.maketrans(b"[{]}", b"\x01\x01\xff\xff")
# A pair of surrogates, any other escaped code unit, or an escaped character.
_ESCAPES = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\."
)
_SURROGATES = re.compile(rb"\\u[dD][89a-fA-F][0-9a-fA-F]{2}")
_NON_FINITE = (b"NaN", b"Infinity")
_TITLES = {
    "json_not_utf8": "JSON Not UTF-8",  # RFC 8259, section 8.1
    "json_not_unicode": "JSON Not Unicode",  # section 8.2: a lone surrogate
    "json_non_finite_number": "JSON Non-Finite Number",  # section 6
    "json_too_deep": "JSON Too Deep",
    "json_too_many_members": "JSON Too Many Members",
}
_UNMARKED = bytes(set(range(256)) - set(b'[{]}"'))


class JSONBounds:
    """Answers 400 to a JSON body that is too deep or has too many members, or that isn't JSON.

    Python's parser accepts half of a surrogate pair, NaN and Infinity, which other parsers refuse.
    Parsers and validators recurse: 100 KB of `[` are enough to crash them. Validators make an error
    of each unknown member, which costs more than all the rest of a request: `max_members` is how
    many all objects of a body may have together. The body is read here
    and passed on, so a limit on its size belongs outside (`BodyLimit`). The parser itself refuses
    numbers of more than 4300 digits, and FastAPI answers 400.
    """

    def __init__(self, app: ASGIApp, *, max_depth: int = 64, max_members: int = 10_000) -> None:
        if max_depth < 1 or max_members < 1:
            raise ValueError("max_depth and max_members must be at least 1")
        self.app = app
        self._max_depth = max_depth
        self._max_members = max_members

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request whose JSON is bounded; pass everything else through."""
        if scope["type"] == "http":
            for name, value in scope["headers"]:
                if name == b"content-type" and is_json(value):
                    await self._serve_json(scope, receive, send)
                    return
        await self.app(scope, receive, send)

    async def _serve_json(self, scope: Scope, receive: Receive, send: Send) -> None:
        error, replay = await self.read(receive)
        if error is not None:
            await problem_response(scope, error)(scope, receive, send)
        else:
            await self.app(scope, replay, send)

    async def read(self, receive: Receive) -> tuple[BadRequest | None, Receive]:
        """Read a body; return why it is refused, if it is, and what gives it once more."""
        messages, body = await _read(receive)
        messages.reverse()

        async def replay() -> Message:
            return messages.pop() if messages else await receive()

        return self._judge(body), replay

    def _judge(self, body: bytes) -> BadRequest | None:
        if b"\0" in body:
            # Never valid in UTF-8 JSON; without this check UTF-16 could hide its brackets.
            return _BadJSON("json_not_utf8", "JSON must be UTF-8 without zero bytes.")
        if b"\\u" in body and has_lone_surrogate(body):
            return _BadJSON("json_not_unicode", "JSON must not escape half of a surrogate pair.")
        if any(name in body for name in _NON_FINITE) and has_non_finite_number(body):
            return _BadJSON("json_non_finite_number", "JSON has no NaN and no Infinity.")
        max_possible = body.count(b"[") + body.count(b"{")
        if max_possible > self._max_depth and depth(body) > self._max_depth:
            detail = f"JSON may be nested at most {self._max_depth} levels deep."
            return _BadJSON("json_too_deep", detail)
        if body.count(b":") > self._max_members and members(body) > self._max_members:
            detail = f"The objects of a JSON may have at most {self._max_members} members in all."
            return _BadJSON("json_too_many_members", detail)
        return None


class _BadJSON(BadRequest):
    """The JSON isn't what every parser accepts, or is beyond the declared limits."""

    def __init__(self, code: str, detail: str) -> None:
        self.code, self.title = code, _TITLES[code]
        super().__init__(detail)


def is_json(content_type: bytes) -> bool:
    """Return whether a body of this type is checked."""
    return b"json" in content_type.lower()


def has_non_finite_number(body: bytes) -> bool:
    """Return whether a JSON text has NaN or Infinity outside of its strings."""
    outside = _outside_of_strings(_without_escapes(body))
    return any(name in outside for name in _NON_FINITE)


def has_lone_surrogate(body: bytes) -> bool:
    """Return whether a JSON text escapes half of a surrogate pair, which UTF-8 can't hold."""
    return any(_SURROGATES.fullmatch(escape) for escape in _ESCAPES.findall(body))


def members(body: bytes) -> int:
    """Return how many members all objects of a JSON text have together."""
    return _outside_of_strings(_without_escapes(body)).count(b":")


def depth(body: bytes) -> int:
    """Return the nesting depth of a JSON text; of other text, an upper bound for any parser.

    Example: `{"a]":[1]}` becomes the marks `{ " ] " [ ] }`, outside of strings `{ [ ] }`, as signed
    steps 1, 1, -1, -1. Their running sums are 1, 2, 1, 0: the depth is 2. A megabyte of the worst
    text takes about as long as parsing it.
    """
    # Adjacent quotes open and close a string, or close one and open the next: drop both.
    marks = _without_escapes(body).translate(_STEPS, _UNMARKED).replace(b'""', b"")
    return max(accumulate(memoryview(_outside_of_strings(marks)).cast("b")), default=0)


def _without_escapes(body: bytes) -> bytes:
    """Return the text without escaped quotation marks and backslashes."""
    return body.replace(b"\\\\", b"").replace(b'\\"', b"")


def _outside_of_strings(text: bytes) -> bytes:
    return b"".join(text.split(b'"')[::2])


async def _read(receive: Receive) -> tuple[list[Message], bytes]:
    """Return the messages up to the end of the body, merged into one, and the body."""
    message = await receive()
    parts = [message.get("body", b"")]
    while message.get("more_body", False):
        message = await receive()
        parts.append(message.get("body", b""))
    body = b"".join(parts)
    end = [message] if message["type"] == "http.disconnect" else []
    return [{"type": "http.request", "body": body, "more_body": bool(end)}, *end], body
