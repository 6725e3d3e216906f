"""The script service: scripts, their headings, the elements placed in them. Start reading here."""

from pathlib import Path

from bedplate.backend import Backend
from bedplate.contracts import message_policy
from fountain.common.contracts import bind_contract
from fountain.scripts.models import Base
from fountain.scripts.router import operations
from fountain.scripts.settings import ScriptsSettings
from fountain.scripts.state import ScriptsState

_HERE = Path(__file__).parent

backend = Backend(
    name="scripts",
    title="Core Script Management",
    summary="Keeps scripts, the headings that structure them, and the elements placed in them.",
    settings=ScriptsSettings,
    metadata=Base.metadata,
    migrations=_HERE / "migrations" / "versions",
    problems=message_policy(),
    state=ScriptsState,
    contract=bind_contract("core_script_management_api", operations, _HERE / "schemas.py"),
)
