"""Kong's plugins."""

from typing import Any

import pytest

from bedplate.asgi.request_id import HEADER
from bedplate.gateway import GatewayError, KongOptions
from bedplate.gateway.kong import Certificate, RateLimits, plugins_of


def _plugins(**options: Any) -> dict[str, Any]:
    plugins = plugins_of(KongOptions(**{"request_id": False, **options}))
    return {plugin["name"]: plugin.get("config") for plugin in plugins}


def test_the_request_id_is_the_one_that_backends_read() -> None:
    """The same header, and an id of characters that they take."""
    config = _plugins(request_id=True)["correlation-id"]
    assert config["header_name"].lower() == HEADER.decode()
    assert config["generator"] == "uuid"
    assert config["echo_downstream"] is True


def test_a_key_is_read_from_a_header_only() -> None:
    """In a query it would be in every log on the way."""
    config = _plugins(consumers={"reader": "r" * 32})["key-auth"]
    assert config["key_in_header"] is True
    assert config["key_in_query"] is False
    assert config["key_in_body"] is False


def test_limits_are_counted_in_redis_when_there_is_one() -> None:
    """Else by each Kong for itself; an address counts where there are no consumers."""
    limits = RateLimits(
        limits={"hour": 900, "minute": 60}, redis="valkey", redis_password="{vault://env/pw}"
    )
    config = _plugins(rate_limits=limits)["rate-limiting"]
    assert list(config)[:2] == ["minute", "hour"]
    assert config["policy"] == "redis"
    assert config["limit_by"] == "ip"
    assert config["redis"] == {"host": "valkey", "port": 6379, "password": "{vault://env/pw}"}
    alone = _plugins(rate_limits=RateLimits(limits={"minute": 60}))["rate-limiting"]
    assert alone["policy"] == "local"
    assert "redis" not in alone


def test_prometheus_has_its_defaults() -> None:
    """No field of it is the same in Kong 2 and 3."""
    assert _plugins(prometheus=True) == {"prometheus": None}


@pytest.mark.parametrize(
    "wrong",
    [
        {"limits": {}},
        {"limits": {"fortnight": 1}},
        {"limits": {"minute": 0}},
        {"limits": {"minute": 60, "hour": 59}},
        {"limits": {"minute": 60}, "redis": "valkey", "redis_password": "hunter2"},
        {"limits": {"minute": 60}, "redis_password": "{vault://env/pw}"},
    ],
)
def test_what_kong_would_refuse_is_refused(wrong: dict[str, Any]) -> None:
    """Before Kong sees it; a password is no part of the message."""
    with pytest.raises(GatewayError) as refused:
        RateLimits(**wrong)
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(
    "secret",
    [
        {
            "rate_limits": RateLimits(
                limits={"day": 1}, redis="r", redis_password="{vault://env/pw}"
            )
        },
        {"certificate": Certificate(certificate="{vault://env/c}", key="{vault://env/k}")},
    ],
)
def test_an_old_kong_gets_no_references(secret: dict[str, Any]) -> None:
    """Kong before 2.8 has no vaults, and would send the reference itself as the password."""
    with pytest.raises(GatewayError, match=r"from version 3\.0 on"):
        KongOptions(format="2.1", **secret)
    KongOptions(**secret)


@pytest.mark.parametrize("address", [":6379", "valkey:port", "valkey:6379:1"])
def test_what_is_no_address_is_refused(address: str) -> None:
    """The error shows what one looks like."""
    with pytest.raises(GatewayError, match="looks like redis:6379"):
        RateLimits(limits={"minute": 60}, redis=address).redis_address()
