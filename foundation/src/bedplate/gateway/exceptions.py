class GatewayError(Exception):
    """The configuration can't be generated, or is invalid; one sentence says why."""
