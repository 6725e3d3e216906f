"""Kong's declarative configuration, made from declarations."""

import pytest

from bedplate.gateway import GatewayError, KongOptions, PublicService, kong_document
from bedplate.gateway.kong import Certificate, RateLimits

PEM = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
KEY = "{vault://env/tls-key}"


def test_every_host_route_has_its_service_and_every_service_its_hosts(
    services: list[PublicService],
) -> None:
    """Both from the same declarations: nothing more, nothing less."""
    document = kong_document(services, KongOptions())
    routed = {
        host: (service["name"], service["host"], service["port"])
        for service in document["services"]
        for route in service["routes"]
        for host in route["hosts"]
    }
    assert routed == {
        host: (item.name, item.upstream_host, item.upstream_port)
        for item in services
        for host in item.hosts
    }


def test_the_output_is_the_same_each_time(services: list[PublicService]) -> None:
    """So that it can be kept in a repository and checked."""
    options = KongOptions(
        certificate=Certificate(certificate=PEM, key=KEY), consumers={"b": "2" * 32, "a": "1" * 32}
    )
    first, second = kong_document(services, options), kong_document(services, options)
    assert first == second
    assert [consumer["username"] for consumer in first["consumers"]] == ["a", "b"]


def test_a_backend_sees_the_host_that_the_client_asked_for(services: list[PublicService]) -> None:
    """And the whole path: a redirect never shows an internal name."""
    route = kong_document(services, KongOptions())["services"][0]["routes"][0]
    assert route["preserve_host"] is True
    assert route["strip_path"] is False


def test_a_certificate_is_for_every_host_and_ends_plain_http(
    services: list[PublicService],
) -> None:
    """Its key is a reference, and its id always the same: Kong makes ids of names only."""
    certificate = Certificate(certificate=PEM, key=KEY)
    document = kong_document(services, KongOptions(certificate=certificate))
    (made,) = document["certificates"]
    hosts = {host for item in services for host in item.hosts}
    assert {sni["name"] for sni in made["snis"]} == hosts
    assert (made["cert"], made["key"]) == (PEM, KEY)
    for service in document["services"]:
        assert service["routes"][0]["protocols"] == ["https"]
        assert service["routes"][0]["https_redirect_status_code"] == 308


def test_a_certificate_may_have_names_of_its_own(services: list[PublicService]) -> None:
    """One with an asterisk is for all of them."""
    certificate = Certificate(
        certificate="{vault://env/tls-cert}", key=KEY, names=["*.example.com"]
    )
    document = kong_document(services, KongOptions(certificate=certificate))
    assert document["certificates"][0]["snis"] == [{"name": "*.example.com"}]


@pytest.mark.parametrize(
    ("certificate", "key"),
    [
        (PEM, "-----BEGIN PRIVATE KEY-----\nMIIB\n"),
        (PEM, "/etc/tls/key.pem"),
        (PEM + "-----BEGIN PRIVATE KEY-----\nMIIB\n", KEY),
        ("MIIB", KEY),
    ],
)
def test_a_private_key_is_never_part_of_it(certificate: str, key: str) -> None:
    """The refusal shows no byte of it."""
    with pytest.raises(GatewayError) as refused:
        Certificate(certificate=certificate, key=key)
    assert "MIIB" not in str(refused.value)


def test_health_checks_ask_every_target_whether_it_is_ready(
    services: list[PublicService],
) -> None:
    """Each service goes to its upstream, and each upstream has a target."""
    document = kong_document(services, KongOptions(health_checks=True))
    upstreams = {upstream["name"]: upstream for upstream in document["upstreams"]}
    assert {service["host"] for service in document["services"]} == upstreams.keys()
    for upstream in upstreams.values():
        assert upstream["healthchecks"]["active"]["http_path"] == "/readyz"
        assert upstream["targets"]


def test_a_path_of_the_upstream_is_a_path_of_the_service() -> None:
    """Also before the path of its health check."""
    service = PublicService("notes", ("notes.example.com",), "http", "bedplate", 8000, "/notes")
    document = kong_document([service], KongOptions(health_checks=True))
    assert document["services"][0]["path"] == "/notes"
    assert document["upstreams"][0]["healthchecks"]["active"]["http_path"] == "/notes/readyz"


def test_consumers_hold_keys_and_no_request_passes_without_one(
    services: list[PublicService],
) -> None:
    """A rate limit then counts for each consumer."""
    options = KongOptions(
        consumers={"reader": "r" * 32}, rate_limits=RateLimits(limits={"minute": 9})
    )
    document = kong_document(services, options)
    assert document["consumers"] == [
        {"username": "reader", "keyauth_credentials": [{"key": "r" * 32}]}
    ]
    plugins = {plugin["name"]: plugin.get("config", {}) for plugin in document["plugins"]}
    assert plugins["key-auth"]["hide_credentials"] is True
    assert plugins["rate-limiting"]["limit_by"] == "consumer"


def test_formats_differ_in_how_redis_is_named(services: list[PublicService]) -> None:
    """Nested from Kong 3.6 on, flat before."""
    limits = RateLimits(limits={"minute": 9}, redis="valkey:6380")
    configs = {}
    for format_ in ("3.0", "2.1"):
        document = kong_document(services, KongOptions(format=format_, rate_limits=limits))
        assert document["_format_version"] == format_
        configs[format_] = document["plugins"][-1]["config"]
    assert configs["3.0"]["redis"] == {"host": "valkey", "port": 6380}
    assert configs["2.1"]["redis_host"] == "valkey"
    assert configs["2.1"]["redis_port"] == 6380


def test_nothing_is_switched_on_unasked(services: list[PublicService]) -> None:
    """Without options: services, and the request id unless it is switched off."""
    document = kong_document(services, KongOptions(request_id=False))
    assert document.keys() == {"_format_version", "_transform", "services"}


def test_without_services_there_is_no_configuration() -> None:
    """An empty one would make Kong answer 404 to everything."""
    with pytest.raises(GatewayError, match="no backend with a public host"):
        kong_document([], KongOptions())
