"""Live audience events. Start reading here."""

from pathlib import Path

from bedplate.backend import Backend
from live import security
from live.activities.router import router as activities_router
from live.activities.router import types_router
from live.following.router import router as events_router
from live.models.base import Base
from live.participants.router import router as participants_router
from live.responses.router import router as responses_router
from live.results.router import router as results_router
from live.router import router as health_router
from live.sessions.router import router as sessions_router
from live.settings import LiveSettings
from live.state import LiveState
from live.templates.router import router as templates_router
from live.tempo.router import router as tempo_router

# A session with a poll, somebody who joins it, and a vote: lines for any shell, without jq.
FIRST_STEPS = r"""
LIVE={url}/api/v1; JSON='Content-Type: application/json'
field() { grep -o "\"$1\":\"[^\"]*" | head -n 1 | cut -d '"' -f 4; }
EVENING=$(curl -s $LIVE/sessions -H "$JSON" -d '{"title": "Evening"}')
SESSION=$LIVE/sessions/$(echo "$EVENING" | field id); CODE=$(echo "$EVENING" | field code)
HOST="Authorization: Bearer $(echo "$EVENING" | field host_token)"; curl -s -X POST $SESSION/start -H "$HOST"
POLL='{"type": "poll", "title": "Tea?", "config": {"options": [{"text": "Yes"}, {"text": "No"}]}}'
ID=$(curl -s $SESSION/activities -H "$HOST" -H "$JSON" -d "$POLL" | field id); curl -s -X POST $SESSION/activities/$ID/open -H "$HOST"
ANN="Authorization: Bearer $(curl -s $SESSION/participants -H "$JSON" -d "{\"code\": \"$CODE\", \"nickname\": \"Ann\"}" | field token)"
curl -s -X PUT $LIVE/activities/$ID/responses -H "$ANN" -H "$JSON" -d '{"answer": {"choices": ["a"]}}'; curl -s $LIVE/activities/$ID/results -H "$ANN"
""".strip().splitlines()  # noqa: E501

backend = Backend(
    name="live",
    title="Live",
    summary="Live audience events: sessions, activities, participants.",
    settings=LiveSettings,
    routers=[
        health_router,
        sessions_router,
        templates_router,
        participants_router,
        types_router,
        activities_router,
        responses_router,
        results_router,
        tempo_router,
        events_router,
    ],
    metadata=Base.metadata,
    migrations=Path(__file__).with_name("migrations") / "versions",
    cors=security.cors,
    rate_limit=security.rate_limit,
    state=LiveState,
    first_steps=FIRST_STEPS,
    commands="live.commands:app",
)
