"""DNS records of the public hosts, as a Route 53 change batch.

Source: Amazon Route 53 API Reference, ChangeResourceRecordSets.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from bedplate.gateway.exceptions import GatewayError
from bedplate.gateway.public import PublicService, ip_version
from bedplate.gateway.schema import refuse_invalid

Document = dict[str, Any]

MAX_COMMENT_LENGTH = 256


@dataclass(frozen=True, kw_only=True)
class DNSTarget:
    """The location of the gateway: addresses, or the name of a load balancer.

    Addresses make A and AAAA records, a name makes a CNAME. A name with `alias_zone_id`, the hosted
    zone of the load balancer, makes aliases (A and AAAA), which also work for a zone's own name.
    `ttl` is in seconds; an alias uses that of its target.
    """

    addresses: Sequence[str]
    alias_zone_id: str | None = None
    ttl: int = 300

    def records(self) -> Iterator[Document]:
        """Yield the records of one host, without its name. Raises `GatewayError`."""
        versions = {ip_version(address) for address in self.addresses}
        if versions and None not in versions:
            yield from self._address_records()
        elif len(self.addresses) != 1:
            raise GatewayError("A target is one name, or one or more IP addresses.")
        elif self.alias_zone_id is None:
            yield self._record("CNAME", [_absolute(self.addresses[0])])
        else:
            target = {
                "HostedZoneId": self.alias_zone_id,
                "DNSName": _absolute(self.addresses[0]),
                "EvaluateTargetHealth": False,
            }
            yield from ({"Type": kind, "AliasTarget": target} for kind in ("A", "AAAA"))

    def _address_records(self) -> Iterator[Document]:
        if self.alias_zone_id is not None:
            raise GatewayError("The target of an alias is a name, not an address.")
        for kind, version in (("A", 4), ("AAAA", 6)):
            if addresses := [each for each in self.addresses if ip_version(each) == version]:
                yield self._record(kind, addresses)

    def _record(self, kind: str, values: Sequence[str]) -> Document:
        return {"Type": kind, "TTL": self.ttl, "ResourceRecords": [{"Value": v} for v in values]}


def change_batch(
    services: Sequence[PublicService], target: DNSTarget, *, zone_id: str | None, comment: str
) -> Document:
    """Return the changes that point every public host at a target, checked against our schema.

    With `zone_id` it is the whole input of `aws route53 change-resource-record-sets`
    (`--cli-input-json`), else its `--change-batch`. The comment is cut to 256 characters. Raises
    `GatewayError`.
    """
    changes = [
        {"Action": "UPSERT", "ResourceRecordSet": {"Name": _absolute(host), **record}}
        for service in services
        for host in service.hosts
        for record in target.records()
    ]
    batch = {"Comment": comment[:MAX_COMMENT_LENGTH], "Changes": changes}
    refuse_invalid(batch, "route53.yaml")
    return batch if zone_id is None else {"HostedZoneId": zone_id, "ChangeBatch": batch}


def _absolute(name: str) -> str:
    return name if name.endswith(".") else f"{name}."
