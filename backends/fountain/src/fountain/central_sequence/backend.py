"""The Central Sequence Service: the single authority for ordering. Start reading here."""

from bedplate.backend import Backend
from bedplate.contracts import ContractBinding, message_policy
from bedplate.settings import Settings
from fountain.central_sequence.router import operations
from fountain.contract_files import contract_file

backend = Backend(
    name="central-sequence",
    title="Central Sequence Service",
    summary="Hands out sequence numbers, reorders, records versions.",
    settings=Settings,
    problems=message_policy(),
    contract=ContractBinding(
        contract_file("central_sequence_service_openapi.yaml"),
        operations,
        [contract_file("central_sequence.additions.yaml")],
    ),
)
