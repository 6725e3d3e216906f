"""Which public hosts a backend has, and where its process is."""

from collections.abc import Callable

import pytest

from bedplate.backend import Backend
from bedplate.contracts import ContractBinding
from bedplate.gateway import GatewayError, PublicService, public_hosts, public_services

Declare = Callable[..., Backend]
Bind = Callable[..., ContractBinding]


def test_the_hosts_of_a_contract_are_those_of_its_public_servers(
    declare: Declare, bind: Bind
) -> None:
    """Each once; this machine, addresses, templates and relative servers are left out."""
    contract = bind(
        "https://notes.example.com",
        "https://notes.example.com/v2",
        "http://memo.example.com:8080",
        "http://localhost:8080",
        "http://notes.localhost",
        "http://203.0.113.7",
        "https://{region}.example.com",
        "/v1",
    )
    found = public_hosts(declare("notes", contract=contract))
    assert found == ("notes.example.com", "memo.example.com")


def test_declared_hosts_count_more_than_the_contract(declare: Declare, bind: Bind) -> None:
    """So that a published contract can be kept at a host of one's own."""
    contract = bind("https://notes.example.com")
    backend = declare("notes", contract=contract, hosts=["notes.example.org"])
    assert public_hosts(backend) == ("notes.example.org",)


def test_without_either_there_is_no_public_host(declare: Declare) -> None:
    """Most backends aren't public by themselves."""
    assert public_hosts(declare("notes")) == ()


def test_services_stand_in_the_order_of_their_names(services: list[PublicService]) -> None:
    """Whatever the order of the declarations, so that the output is the same."""
    assert [
        (service.name, service.upstream_host, service.upstream_port) for service in services
    ] == [
        ("notes", "notes", 8000),
        ("songs", "songs", 8000),
    ]


def test_an_upstream_may_have_a_path_and_a_default_port(declare: Declare) -> None:
    """For several backends in one process, each below its name."""
    notes = declare("notes", hosts=["notes.example.com"])
    (found,) = public_services([notes], upstream="https://all.internal/{name}/")
    assert (found.protocol, found.upstream_port, found.path) == ("https", 443, "/notes")


@pytest.mark.parametrize(
    "upstream",
    ["notes:8000", "ftp://{name}", "http://{name}:port", "http://u:p@{name}", "http://{host}", "/"],
)
def test_what_is_no_upstream_is_refused(declare: Declare, upstream: str) -> None:
    """The error shows what one looks like, and repeats nothing: it may hold a password."""
    notes = declare("notes", hosts=["notes.example.com"])
    with pytest.raises(GatewayError, match=r"^An upstream looks like http://\{name\}:8000\.$"):
        public_services([notes], upstream=upstream)


def test_a_host_belongs_to_one_backend(declare: Declare) -> None:
    """The error names both."""
    both = [declare(name, hosts=["example.com"]) for name in ("notes", "songs")]
    with pytest.raises(GatewayError, match="Both notes and songs have the host example"):
        public_services(both)


def test_several_backends_need_several_upstreams(declare: Declare) -> None:
    """One fixed address would answer for all of them."""
    both = [declare(name, hosts=[f"{name}.example.com"]) for name in ("notes", "songs")]
    with pytest.raises(GatewayError, match=r"needs \{name\} in it"):
        public_services(both, upstream="http://bedplate:8000")


def test_a_given_host_counts_most(declare: Declare) -> None:
    """One declaration serves production and staging."""
    notes = declare("notes", hosts=["notes.example.com"])
    (found,) = public_services([notes], hosts={"notes": ["notes.staging.example.com"]})
    assert found.hosts == ("notes.staging.example.com",)


def test_a_host_for_nobody_is_refused(declare: Declare) -> None:
    """A misspelt name would silently do nothing."""
    with pytest.raises(GatewayError, match="no backend nots"):
        public_services([declare("notes")], hosts={"nots": ["notes.example.com"]})


def test_a_backend_without_a_public_host_is_refused(declare: Declare) -> None:
    """The error says what to declare."""
    with pytest.raises(GatewayError, match="notes has no public host: declare `hosts`"):
        public_services([declare("notes")])
