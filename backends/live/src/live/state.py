"""What is open while live events run, in the order in which it opens."""

from bedplate.database_state import DatabaseState
from bedplate.realtime import Channels
from bedplate.state import opened
from live.events.changes import ResultChanges
from live.events.presence import Presence
from live.events.service import Events
from live.events.wiring import open_changes, open_channels, open_events, open_presence
from live.following.state import States
from live.following.streams import Streams
from live.following.wiring import open_states, open_streams
from live.participants.service import Participants
from live.participants.wiring import open_participants, open_tokens
from live.responses.service import Responses
from live.responses.wiring import open_responses
from live.results.latest import LatestResults
from live.results.service import Results
from live.results.wiring import open_latest_results, open_results
from live.security import ParticipantTokens
from live.sessions.wiring import CodeAttempts, open_code_attempts
from live.settings import LiveSettings
from live.tempo.service import TempoVotes
from live.tempo.wiring import open_tempo_votes
from live.timers import Timers, open_timers


class LiveState(DatabaseState):
    """The database and what every backend has, the channels, and what stores many at once."""

    settings: LiveSettings
    tokens: ParticipantTokens = opened(open_tokens)
    code_attempts: CodeAttempts = opened(open_code_attempts)
    channels: Channels = opened(open_channels)
    events: Events = opened(open_events)
    presence: Presence = opened(open_presence)
    states: States = opened(open_states)
    streams: Streams = opened(open_streams)
    participants: Participants = opened(open_participants)
    changes: ResultChanges = opened(open_changes)
    results: Results = opened(open_results)
    latest: LatestResults = opened(open_latest_results)
    responses: Responses = opened(open_responses)
    tempo_votes: TempoVotes = opened(open_tempo_votes)
    timers: Timers = opened(open_timers)
