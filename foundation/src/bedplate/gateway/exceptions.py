"""What can be wrong with the configuration of a gateway."""


class GatewayError(Exception):
    """The configuration can't be made, or isn't valid; one sentence says why."""
