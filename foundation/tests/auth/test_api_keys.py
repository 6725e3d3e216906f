"""API keys, proven on connections as a server hands them over."""

import hmac
import os
from types import SimpleNamespace
from typing import Any

import pytest
from fastapi.requests import HTTPConnection
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from bedplate.auth import APIKeyEntry, APIKeys, Principal, api_keys

READER = APIKeyEntry("reader", SecretStr("r" * 32), frozenset({"read"}))
WRITER = APIKeyEntry("writer", SecretStr("schlüssel-🔑"), frozenset({"read", "write"}))


def _sent(value: bytes | None, name: bytes = b"x-api-key") -> HTTPConnection:
    headers = [] if value is None else [(name, value)]
    return HTTPConnection({"type": "http", "headers": headers})


async def test_the_holder_of_a_key_is_proven() -> None:
    """With the name and the scopes of the entry."""
    keys = APIKeys([READER, WRITER])
    assert await keys.verify(_sent(b"r" * 32)) == Principal("api_key", "reader", READER.scopes)
    assert await keys.verify(_sent("schlüssel-🔑".encode())) == Principal(
        "api_key", "writer", WRITER.scopes
    )


@pytest.mark.parametrize(
    "value", [None, b"", b"r" * 31, b"r" * 33, b" " + b"r" * 32, b"R" * 32, b"r" * 9000]
)
async def test_nothing_else_proves_anybody(value: bytes | None) -> None:
    """Neither a prefix, nor a longer text, nor a header without end."""
    assert await APIKeys([READER, WRITER]).verify(_sent(value)) is None


@given(value=st.binary(max_size=64))
async def test_no_bytes_are_an_error(value: bytes) -> None:
    """A header may hold any byte; keys are compared as bytes."""
    assert await APIKeys([READER, WRITER]).verify(_sent(value)) is None


async def test_no_keys_let_nobody_in() -> None:
    """An empty list is not an open door."""
    assert await APIKeys([]).verify(_sent(b"")) is None
    assert await APIKeys([]).verify(_sent(b"anything")) is None


async def test_the_header_can_have_another_name() -> None:
    """Then it is that one, and the usual one doesn't count."""
    keys = APIKeys([READER], header_name="X-Server-Key")
    assert await keys.verify(_sent(b"r" * 32, b"x-server-key")) is not None
    assert await keys.verify(_sent(b"r" * 32)) is None


async def test_a_name_may_hold_two_keys() -> None:
    """While one is changed for the other."""
    renewed = APIKeyEntry("reader", SecretStr("n" * 32), READER.scopes)
    keys = APIKeys([READER, renewed])
    assert await keys.verify(_sent(b"n" * 32)) == await keys.verify(_sent(b"r" * 32))


@pytest.mark.parametrize("key", ["", " ", "\n"])
def test_an_empty_key_is_refused(key: str) -> None:
    """A variable that nobody filled would let everybody in who sends an empty header."""
    with pytest.raises(ValueError, match="empty"):
        APIKeys([APIKeyEntry("reader", SecretStr(key))])


def test_a_key_of_two_holders_is_refused() -> None:
    """Nobody could tell whose it is; the refusal doesn't show it."""
    with pytest.raises(ValueError, match="writer") as refused:
        APIKeys([READER, APIKeyEntry("writer", READER.key)])
    assert "rrr" not in str(refused.value)


async def test_a_key_may_be_bytes_that_are_no_text() -> None:
    """As the environment hands such a variable over."""
    keys = APIKeys([APIKeyEntry("reader", SecretStr(os.fsdecode(b"\xff\xfe" * 16)))])
    assert await keys.verify(_sent(b"\xff\xfe" * 16)) is not None


@pytest.mark.parametrize("sent", [b"r" * 32, b"r" * 31, "schlüssel-🔑".encode(), b"x"])
async def test_every_key_is_compared_in_constant_time(
    sent: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By digests of one length, and on after one that fits: nothing of it shows in the time."""
    compared: list[tuple[int, int]] = []

    def compare(one: bytes, other: bytes) -> bool:
        compared.append((len(one), len(other)))
        return hmac.compare_digest(one, other)

    watched: Any = SimpleNamespace(compare_digest=compare)
    keys = APIKeys([READER, WRITER])
    monkeypatch.setattr(api_keys, "hmac", watched)
    await keys.verify(_sent(sent))
    assert compared == [(32, 32), (32, 32)]
