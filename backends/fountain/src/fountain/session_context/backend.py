"""The session service: working sessions and their contexts. Start reading here."""

from pathlib import Path

from bedplate.backend import Backend
from bedplate.clients import service_client
from bedplate.contracts import ContractBinding, message_policy
from fountain.contract_files import contract_file
from fountain.numbering import sweeping
from fountain.session_context.models import Base
from fountain.session_context.repository import SESSIONS
from fountain.session_context.router import operations
from fountain.session_context.settings import SessionContextSettings

_HERE = Path(__file__).parent

backend = Backend(
    name="session-context",
    title="Session and Context Management",
    summary="Keeps a record of each working session of a user, and its context.",
    settings=SessionContextSettings,
    metadata=Base.metadata,
    migrations=_HERE / "migrations" / "versions",
    problems=message_policy(),
    resources={
        "sequence": service_client(
            "central-sequence", url="sequence_url", timeout="sequence_timeout_seconds"
        ),
        "sweeping": sweeping(SESSIONS),
    },
    contract=ContractBinding(
        contract_file("session_context_management_api_openapi.yaml"),
        operations,
        [contract_file("session_context_management.additions.yaml")],
        models=_HERE / "schemas.py",
    ),
)
