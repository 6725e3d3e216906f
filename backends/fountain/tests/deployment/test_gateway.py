"""Kong's configuration and the DNS records agree with the declarations, and with each other."""

import json
from pathlib import Path
from typing import Any

from bedplate.backend import Backend
from bedplate.gateway import public_hosts
from bedplate.gateway.schema import refuse_invalid

Document = dict[str, Any]
Backends = dict[str, Backend]


def test_the_configuration_is_valid(kong: Document) -> None:
    """By our schema of Kong's format."""
    refuse_invalid(kong, "kong.yaml")


def test_every_host_route_has_its_service_and_every_service_its_hosts(
    kong: Document, backends: Backends
) -> None:
    """The hosts are those of the contracts, one backend's routes lead to no other's process."""
    routed = {
        service["name"]: (service["host"], tuple(h for r in service["routes"] for h in r["hosts"]))
        for service in kong["services"]
    }
    assert routed == {name: (name, public_hosts(item)) for name, item in backends.items()}
    assert {host for _, hosts in routed.values() for host in hosts} == {
        "centralsequence.fountain.coach",
        "character.fountain.coach",
        "scriptmanagement.fountain.coach",
        "sessioncontext.fountain.coach",
        "storyfactory.fountain.coach",
    }


def test_every_service_of_the_configuration_runs(
    kong: Document, compose: Document, manifests: dict[str, list[Document]]
) -> None:
    """At this name and port in Compose and in Kubernetes, and so does its Redis."""
    for service in kong["services"]:
        assert compose["services"][service["host"]]["command"] == ["run", service["name"]]
        (result,) = (item for item in manifests[service["host"]] if item["kind"] == "Service")
        assert result["metadata"]["name"] == service["host"]
        assert result["spec"]["ports"][0]["port"] == service["port"]
    plugins = {item["name"]: item.get("config", {}) for item in kong["plugins"]}
    redis = plugins["rate-limiting"]["redis"]["host"]
    assert redis in compose["services"]
    assert redis in manifests


def test_no_secret_is_in_it(deploy: Path) -> None:
    """Neither keys of consumers nor a private key."""
    text = (deploy / "kong" / "kong.yml").read_text()
    assert "PRIVATE KEY" not in text
    assert "keyauth_credentials" not in text


def test_every_routed_host_has_an_address(deploy: Path, kong: Document) -> None:
    """The DNS records are of exactly the hosts that Kong routes."""
    batch = json.loads((deploy / "dns" / "route53.json").read_text())
    refuse_invalid(batch, "route53.yaml")
    named = {item["ResourceRecordSet"]["Name"].removesuffix(".") for item in batch["Changes"]}
    routes = (route for service in kong["services"] for route in service["routes"])
    assert named == {host for route in routes for host in route["hosts"]}
