"""Calls from one backend to another: over HTTP by URL, or in process when both run together.

`bedplate.clients.client.ServiceClient`, the client itself, needs httpx2.
"""

from bedplate.clients.exceptions import UpstreamRefused, UpstreamUnavailable
from bedplate.clients.registry import LocalServices, service_client

__all__ = ["LocalServices", "UpstreamRefused", "UpstreamUnavailable", "service_client"]
