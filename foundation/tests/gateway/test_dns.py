"""DNS records of public hosts."""

from typing import Any

import pytest

from bedplate.gateway import DNSTarget, GatewayError, PublicService, change_batch


def _sets(services: list[PublicService], target: DNSTarget) -> dict[tuple[str, str], Any]:
    batch = change_batch(services, target, zone_id=None, comment="By a test.")
    assert {change["Action"] for change in batch["Changes"]} == {"UPSERT"}
    sets = [change["ResourceRecordSet"] for change in batch["Changes"]]
    return {(item["Name"], item["Type"]): item for item in sets}


def test_every_public_host_gets_its_records(services: list[PublicService]) -> None:
    """IPv4 and IPv6 addresses make A and AAAA records, each with all of its addresses."""
    target = DNSTarget(addresses=["203.0.113.7", "2001:db8::7", "203.0.113.8"], ttl=60)
    found = _sets(services, target)
    hosts = {f"{host}." for service in services for host in service.hosts}
    assert found.keys() == {(host, kind) for host in hosts for kind in ("A", "AAAA")}
    a_record = found["notes.example.com.", "A"]
    assert a_record["TTL"] == 60
    assert a_record["ResourceRecords"] == [{"Value": "203.0.113.7"}, {"Value": "203.0.113.8"}]


def test_a_name_makes_a_cname(services: list[PublicService]) -> None:
    """Absolute, whether the dot was written or not."""
    for name in ("lb.example.net", "lb.example.net."):
        found = _sets(services, DNSTarget(addresses=[name]))
        assert {kind for _, kind in found} == {"CNAME"}
        record = found["songs.example.com.", "CNAME"]
        assert record["ResourceRecords"] == [{"Value": "lb.example.net."}]


def test_a_name_with_its_zone_makes_aliases(services: list[PublicService]) -> None:
    """For both kinds of address, and without a TTL: the target's counts."""
    found = _sets(services, DNSTarget(addresses=["lb.example.net"], alias_zone_id="Z32O12XQLNTSW2"))
    assert {kind for _, kind in found} == {"A", "AAAA"}
    assert found["songs.example.com.", "A"] == {
        "Name": "songs.example.com.",
        "Type": "A",
        "AliasTarget": {
            "HostedZoneId": "Z32O12XQLNTSW2",
            "DNSName": "lb.example.net.",
            "EvaluateTargetHealth": False,
        },
    }


def test_with_a_zone_it_is_the_whole_request(services: list[PublicService]) -> None:
    """And a comment that is too long is cut."""
    target = DNSTarget(addresses=["203.0.113.7"])
    request = change_batch(services, target, zone_id="Z1PA6795UKMFR9", comment="x" * 300)
    assert request["HostedZoneId"] == "Z1PA6795UKMFR9"
    assert request["ChangeBatch"]["Comment"] == "x" * 256


@pytest.mark.parametrize(
    ("addresses", "alias_zone_id"),
    [
        ([], None),
        (["lb.example.net", "lb.example.org"], None),
        (["lb.example.net", "203.0.113.7"], None),
        (["203.0.113.7"], "Z32O12XQLNTSW2"),
        (["not a name"], None),
        (["lb.example.net"], "a zone"),
    ],
)
def test_what_makes_no_records_is_refused(
    services: list[PublicService], addresses: list[str], alias_zone_id: str | None
) -> None:
    """Mixed or missing targets, names that are none, and aliases of an address."""
    target = DNSTarget(addresses=addresses, alias_zone_id=alias_zone_id)
    with pytest.raises(GatewayError):
        change_batch(services, target, zone_id=None, comment="")
