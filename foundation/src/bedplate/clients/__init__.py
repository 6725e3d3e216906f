"""Calls from one backend to another: over HTTP by URL, or in process when both run together.

`bedplate.clients.client.ServiceClient`, the client itself, needs httpx2.
"""

from bedplate.clients.exceptions import UpstreamRefused, UpstreamUnavailable
from bedplate.clients.opening import service_client
from bedplate.clients.registry import LocalServices

__all__ = ["LocalServices", "UpstreamRefused", "UpstreamUnavailable", "service_client"]
