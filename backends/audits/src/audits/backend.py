"""The audit trail. Start reading here."""

from pathlib import Path

from audits import security
from audits.insights.router import router as insights_router
from audits.log.router import router as log_router
from audits.models import Base
from audits.records.router import batch_upload
from audits.records.router import router as records_router
from audits.router import router as health_router
from audits.settings import AuditsSettings
from audits.state import AuditsState
from audits.streams.router import router as streams_router
from audits.verification.router import router as verify_router
from bedplate.backend import Backend

_RECORD = '{"action_type": "create", "entity_type": "invoice", "entity_ref": "42"}'
_LOG = "{url}/api/v1/log/default"
FIRST_STEPS = [
    f"curl {{url}}/api/v1/audits -H 'Content-Type: application/json' -d '{_RECORD}'",
    "curl {url}/api/v1/audits/export",
    f'bedplate audits verify {_LOG} --key "$(curl -s {_LOG}/key)"',
]

backend = Backend(
    name="audits",
    title="Audits",
    summary="An audit trail that can be proved, with OpenAI insights.",
    settings=AuditsSettings,
    routers=[
        health_router,
        insights_router,
        records_router,
        verify_router,
        log_router,
        streams_router,
    ],
    metadata=Base.metadata,
    migrations=Path(__file__).with_name("migrations") / "versions",
    cors=security.cors,
    auth=security.guard,
    rate_limit=security.rate_limit,
    state=AuditsState,
    uploads=[batch_upload],
    first_steps=FIRST_STEPS,
    commands="audits.commands:app",
)
