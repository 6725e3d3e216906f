"""Pure ASGI layers, one per file; each works around any ASGI application."""

from bedplate.asgi.access_log import AccessLog
from bedplate.asgi.body_limit import BodyLimit
from bedplate.asgi.client_address import TrustedProxies, client_key
from bedplate.asgi.cors import CORS
from bedplate.asgi.head import HeadAsGet
from bedplate.asgi.json_bounds import JSONBounds
from bedplate.asgi.request_limits import RequestLimits
from bedplate.asgi.single_layer import in_one_layer
from bedplate.asgi.timeout import RequestTimeout
from bedplate.outermost import wrap_outermost

__all__ = [
    "CORS",
    "AccessLog",
    "BodyLimit",
    "HeadAsGet",
    "JSONBounds",
    "RequestLimits",
    "RequestTimeout",
    "TrustedProxies",
    "client_key",
    "in_one_layer",
    "wrap_outermost",
]
