"""Signatures as better-auth makes them."""

import base64
import hashlib
import hmac
import os
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from bedplate.auth.signatures import sign, split_signature, verified_token

SECRET = SecretStr("better-auth-secret-of-32-bytes!!")
TOKEN = b"abcdefghijklmnopqrstuvwxyz012345"


def test_a_signature_is_the_one_that_node_makes() -> None:
    """Printed by Node 22: `createHmac("sha256", secret).update(token).digest("base64")`."""
    printed = b"VBh8cM4SAO0BhfcbUWvtKVkhI5q8u+pVgOJdzt2yryc="
    assert sign(SECRET, TOKEN) == TOKEN + b"." + printed


@pytest.mark.parametrize("required", [True, False])
def test_a_signed_token_is_verified_as_it_is(required: bool) -> None:
    """Who reads a header decodes it, once: a value that is still encoded has no signature."""
    signed = sign(SECRET, TOKEN)
    assert verified_token(SECRET, signed, required=required) == TOKEN
    encoded = quote(signed.decode(), safe="").encode()
    assert encoded != signed
    assert verified_token(SECRET, encoded, required=required) is None


def test_an_unsigned_token_is_taken_where_no_signature_is_required() -> None:
    """As better-auth's bearer plugin does; its cookie parser doesn't."""
    assert verified_token(SECRET, TOKEN, required=False) == TOKEN
    assert verified_token(SECRET, TOKEN, required=True) is None


@pytest.mark.parametrize(
    "value",
    [
        sign(SecretStr("another secret"), TOKEN),
        sign(SECRET, TOKEN)[:-2] + b"A=",
        TOKEN + b".",
        TOKEN + b".short",
        TOKEN + b"." + b"A" * 43 + b"=",
        TOKEN[:-1] + b"X" + sign(SECRET, TOKEN)[32:],
        b".",
        b"",
    ],
)
def test_a_bad_signature_proves_nothing(value: bytes) -> None:
    """Nor does a token that ends like one with a signature."""
    assert not verified_token(SECRET, value, required=False)
    assert not verified_token(SECRET, value, required=True)


@given(value=st.binary(max_size=100))
def test_no_bytes_are_an_error(value: bytes) -> None:
    """And none are signed by chance."""
    assert verified_token(SECRET, value, required=True) is None
    assert split_signature(value)[1] is None or split_signature(value)[0] != value


@given(token=st.from_regex(rb"[a-zA-Z0-9]{1,40}", fullmatch=True))
def test_every_token_survives_being_signed(token: bytes) -> None:
    """The last dot parts the two."""
    assert split_signature(sign(SECRET, token))[0] == token
    assert split_signature(token)[0] == token


def test_a_secret_may_be_bytes_that_are_no_text() -> None:
    """The key is what the environment holds, byte for byte."""
    secret = SecretStr(os.fsdecode(b"\xff" * 32))
    digest = hmac.new(b"\xff" * 32, TOKEN, hashlib.sha256).digest()
    assert sign(secret, TOKEN) == TOKEN + b"." + base64.b64encode(digest)
