"""Records into an audit trail from another service: at once, or by an outbox.

`AuditsClient` sends and waits for the answer. `Outbox` stores the event in the caller's own
transaction, so that neither is there without the other, and `Shipper` sends it afterwards.
"""

from audits_client.client import AuditsClient, AuditsRefused, AuditsUnavailable
from audits_client.outbox import Outbox, Shipper, outbox_table

__all__ = [
    "AuditsClient",
    "AuditsRefused",
    "AuditsUnavailable",
    "Outbox",
    "Shipper",
    "outbox_table",
]
