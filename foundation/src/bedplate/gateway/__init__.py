"""Configuration of a gateway, generated from the backends: Kong's services, and DNS."""

from bedplate.gateway.dns import DNSTarget, change_batch
from bedplate.gateway.exceptions import GatewayError
from bedplate.gateway.kong import KongOptions, kong_document
from bedplate.gateway.public import PublicService, public_hosts, public_services

__all__ = [
    "DNSTarget",
    "GatewayError",
    "KongOptions",
    "PublicService",
    "change_batch",
    "kong_document",
    "public_hosts",
    "public_services",
]
