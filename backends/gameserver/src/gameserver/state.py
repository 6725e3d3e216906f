"""What is open while the manager runs, in the order in which it opens."""

from collections.abc import Sequence

from bedplate.auth.api_keys import APIKeys
from bedplate.documents import FileTransactions
from bedplate.jobs.scheduler import Scheduler
from bedplate.state import State, opened
from gameserver.audit.service import Audit
from gameserver.audit.wiring import open_audit
from gameserver.backups.wiring import BackupServices, open_backups
from gameserver.configuration.server_settings import ServerSettings
from gameserver.configuration.service import Configuration
from gameserver.configuration.wiring import open_configuration, open_server_settings
from gameserver.console.service import Console
from gameserver.console.tickets import Connections
from gameserver.console.wiring import open_connections, open_console
from gameserver.events import Events
from gameserver.files.service import RawFiles
from gameserver.files.wiring import open_files
from gameserver.installed import InstalledVersions
from gameserver.layout import Layout
from gameserver.metrics.service import Performance
from gameserver.metrics.wiring import open_performance
from gameserver.mods.service import ModLibrary
from gameserver.mods.wiring import open_mods
from gameserver.notifications.service import Notifications
from gameserver.notifications.wiring import open_notifications
from gameserver.operations.service import Operations
from gameserver.operations.wiring import open_operations
from gameserver.players.service import Players
from gameserver.players.sessions import Sessions
from gameserver.players.wiring import open_players, open_sessions
from gameserver.process.game import Game
from gameserver.process.lifecycle import BeforeStart
from gameserver.process.wiring import open_game
from gameserver.schedules.schemas import Action
from gameserver.schedules.wiring import open_scheduler
from gameserver.security import open_verifier
from gameserver.settings import GameServerSettings
from gameserver.simulator import StandIns, open_stand_ins
from gameserver.status import StatusBoard
from gameserver.versions.wiring import VersionServices, open_installed, open_versions
from gameserver.wiring import (
    open_before_start,
    open_events,
    open_file_transactions,
    open_layout,
    open_status,
)


class GameServerState(State):
    """Everything of one game server; the game opens after what listens to it."""

    settings: GameServerSettings
    verifier: APIKeys = opened(open_verifier)
    layout: Layout = opened(open_layout)
    stand_ins: StandIns = opened(open_stand_ins)
    events: Events = opened(open_events)
    status: StatusBoard = opened(open_status)
    notifications: Notifications = opened(open_notifications)
    sessions: Sessions = opened(open_sessions)
    audit: Audit = opened(open_audit)
    file_transactions: FileTransactions = opened(open_file_transactions)
    installed: InstalledVersions = opened(open_installed)
    server_settings: ServerSettings = opened(open_server_settings)
    console: Console = opened(open_console)
    before_start: Sequence[BeforeStart] = opened(open_before_start)
    game: Game = opened(open_game)
    operations: Operations = opened(open_operations)
    backups: BackupServices = opened(open_backups)
    versions: VersionServices = opened(open_versions)
    connections: Connections = opened(open_connections)
    configuration: Configuration = opened(open_configuration)
    files: RawFiles = opened(open_files)
    mods: ModLibrary = opened(open_mods)
    players: Players = opened(open_players)
    performance: Performance = opened(open_performance)
    scheduler: Scheduler[Action] = opened(open_scheduler)
