"""The Central Sequence Service: the single authority for ordering. Start reading here."""

from pathlib import Path

from bedplate.backend import Backend
from bedplate.contracts import message_policy
from fountain.central_sequence.models import Base
from fountain.central_sequence.router import operations
from fountain.central_sequence.settings import CentralSequenceSettings
from fountain.common.contracts import bind_contract

_HERE = Path(__file__).parent

backend = Backend(
    name="central-sequence",
    title="Central Sequence Service",
    summary="Hands out sequence numbers, changes the order, records versions.",
    settings=CentralSequenceSettings,
    metadata=Base.metadata,
    migrations=_HERE / "migrations" / "versions",
    problems=message_policy(),
    contract=bind_contract("central_sequence_service", operations, _HERE / "schemas.py"),
)
