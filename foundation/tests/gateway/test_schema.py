"""The schemas of what is made: they are valid, and they refuse what the readers would."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from bedplate import gateway
from bedplate.gateway import GatewayError, KongOptions, PublicService, kong_document
from bedplate.gateway.kong import RateLimits
from bedplate.gateway.schema import refuse_invalid

SCHEMAS = sorted(Path(gateway.__file__).with_name("schemas").glob("*.yaml"))
Document = dict[str, Any]


@pytest.mark.parametrize("path", SCHEMAS, ids=lambda path: path.name)
def test_the_schema_is_one(path: Path) -> None:
    """By the meta-schema of JSON Schema 2020-12."""
    Draft202012Validator.check_schema(yaml.safe_load(path.read_text()))


@pytest.fixture
def document(services: list[PublicService]) -> Document:
    """Give a valid configuration with upstreams, a consumer and every plugin."""
    options = KongOptions(
        consumers={"reader": "r" * 32},
        rate_limits=RateLimits(limits={"minute": 9}, redis="valkey"),
        prometheus=True,
        health_checks=True,
    )
    return kong_document(services, options)


def _plugin(document: Document, name: str) -> Any:
    return next(plugin["config"] for plugin in document["plugins"] if plugin["name"] == name)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda d: d.update(_format_version="4.0"),
        lambda d: d.pop("services"),
        lambda d: d.update(servicess=[]),
        lambda d: d["services"][0].update(port=65_536),
        lambda d: d["services"][0].update(protocol="gopher"),
        lambda d: d["services"][0].update(path="notes"),
        lambda d: d["services"][0].update(connect_timeout=0),
        lambda d: d["services"][0]["routes"][0].update(hosts=[]),
        lambda d: d["services"][0]["routes"][0].update(hosts=["a.*.example.com"]),
        lambda d: d["services"][0]["routes"][0].update(hosts=["notes.example.com/path"]),
        lambda d: d["services"][0]["routes"][0].update(protocol=["https"]),
        lambda d: d["upstreams"][0].update(targets=[{"target": "notes"}]),
        lambda d: d["plugins"].append({"name": "key_auth"}),
        lambda d: d["plugins"].append({"name": "prometheus", "config": {"unknown": 1}}),
        lambda d: _plugin(d, "rate-limiting").pop("minute"),
        lambda d: _plugin(d, "rate-limiting").pop("redis"),
        lambda d: _plugin(d, "rate-limiting").update(policy="cluster"),
        lambda d: _plugin(d, "rate-limiting").update(policy="local"),
        lambda d: _plugin(d, "rate-limiting")["redis"].update(password="hunter2"),
        lambda d: _plugin(d, "key-auth").update(key_names="X-API-Key"),
        lambda d: _plugin(d, "correlation-id").update(generator="uuid4"),
        lambda d: d.update(
            certificates=[
                {
                    "id": "6a6bd0b0-3c3f-5d0e-8f4e-1f6f0a3c2b1d",
                    "cert": "{vault://env/tls-cert}",
                    "key": "-----BEGIN PRIVATE KEY-----\n",
                    "snis": [{"name": "notes.example.com"}],
                }
            ]
        ),
    ],
)
def test_what_kong_would_refuse_is_not_valid(
    document: Document, spoil: Callable[[Document], object]
) -> None:
    """And the refusal names the place, never the value."""
    refuse_invalid(document, "kong.yaml")
    spoilt = copy.deepcopy(document)
    spoil(spoilt)
    with pytest.raises(GatewayError) as refused:
        refuse_invalid(spoilt, "kong.yaml")
    assert "hunter2" not in str(refused.value)
    assert "PRIVATE KEY" not in str(refused.value)


def test_fields_of_redis_belong_to_a_format(document: Document) -> None:
    """Nested fields in a configuration for Kong 2 are refused, as there."""
    document["_format_version"] = "2.1"
    with pytest.raises(GatewayError, match="plugins"):
        refuse_invalid(document, "kong.yaml")
