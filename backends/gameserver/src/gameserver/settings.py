"""Settings of the game-server manager. Variables begin with `VS_`."""

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr

from bedplate.settings import CommaSeparated, Secret, Settings, WebURL

DEVELOPMENT_ADMIN_KEY = "development-only-admin-key"
DEVELOPMENT_MONITOR_KEY = "development-only-monitor-key"


def _as_shell_words(text: str) -> str:
    try:
        shlex.split(text)
    except ValueError:
        raise ValueError("Its quotation marks don't match") from None
    return text


Command = Annotated[str, AfterValidator(_as_shell_words)]
"""Words as a shell would take them; no shell ever sees them."""

Seconds = Annotated[float, Field(ge=0)]
PositiveSeconds = Annotated[float, Field(gt=0)]
Bytes = Annotated[int, Field(ge=1)]
BackupCount = Annotated[int, Field(ge=1, le=10_000)]


class GameServerSettings(Settings, env_prefix="VS_", use_attribute_docstrings=True):
    """Settings of the game-server manager. A field's docstring is its description for users."""

    data_directory: Path = Path(".bedplate/gameserver")
    """Folder of the game, its data and its backups"""
    admin_key: Secret = SecretStr(DEVELOPMENT_ADMIN_KEY)
    """X-API-Key that allows everything"""
    monitor_key: Secret = SecretStr(DEVELOPMENT_MONITOR_KEY)
    """X-API-Key that allows only reading"""
    game_command: Command | None = None
    """The game's program and its first arguments, instead of an installed one"""
    game_arguments: Command = ""
    """Further arguments of the game"""
    game_port: int | None = Field(None, ge=1, le=65535)
    """The game's port, instead of its own setting"""
    game_environment: dict[str, SecretStr] = Field({})
    """JSON: additional environment variables of the game"""
    autostart: Literal["last", "always", "never"] = "last"
    """Start the game with the manager; last: if it ran before"""
    min_free_megabytes: int = Field(500, ge=0)
    """Minimum free disk space to start the game"""
    stop_announcement: str = Field("The server is stopping.", max_length=200)
    """What players read before a stop"""
    stop_seconds: PositiveSeconds = 180.0
    """Seconds the game may take after /stop to save and exit"""
    terminate_seconds: PositiveSeconds = 60.0
    """Seconds it may take after SIGTERM, before SIGKILL"""
    crash_limit: int = Field(3, ge=1, le=100)
    """Crashes within an hour after which the game stays down"""
    crash_first_pause_seconds: Seconds = 5.0
    """Seconds from a first crash to the next start; doubles with each"""
    crash_max_pause_seconds: Seconds = 80.0
    """Maximum pause between a crash and the next start"""
    flood_lines_per_second: int = Field(2_000, ge=1)
    """Maximum console lines shown per second; more are counted"""
    version_feed_url: str = "https://api.vintagestory.at"
    """URL below which the feed of versions lies"""
    version_feed_fresh_seconds: Seconds = 900.0
    """Seconds after which the feed is asked again"""
    version_hosts: CommaSeparated = Field(
        ["cdn.vintagestory.at", "vintagestory.at", "account.vintagestory.at"]
    )
    """Hosts that the game's archives may come from, comma-separated"""
    version_archive_bytes: Bytes = 1 << 30
    """Largest archive of the game"""
    version_unpacked_bytes: Bytes = 4 << 30
    """Most bytes that one may unpack to"""
    version_download_seconds: PositiveSeconds = 3_600.0
    """Seconds that a download of the game may take"""
    version_ready_seconds: PositiveSeconds = 900.0
    """Seconds a new version has to get ready, or the old one returns"""
    keep_manual_backups: BackupCount = 10
    """Manual backups that stay"""
    keep_scheduled_backups: BackupCount = 14
    """Backups of schedules that stay"""
    keep_before_update_backups: BackupCount = 5
    """Backups before updates that stay"""
    keep_before_restore_backups: BackupCount = 5
    """Backups before restores that stay"""
    keep_uploaded_backups: BackupCount = 10
    """Uploaded backups that stay"""
    backup_save_seconds: PositiveSeconds = 30.0
    """Seconds a backup waits for the save before it"""
    backup_start_seconds: PositiveSeconds = 20.0
    """Seconds until the game must have begun to copy its world"""
    backup_settle_seconds: PositiveSeconds = 3.0
    """Seconds without growth after which the game's copy may be whole"""
    backup_stall_seconds: PositiveSeconds = 180.0
    """Seconds without growth after which it is given up"""
    backup_total_seconds: PositiveSeconds = 7_200.0
    """Seconds the game may take to copy its world"""
    backup_upload_bytes: Bytes = 64 << 30
    """Largest archive of a backup that can be uploaded"""
    backup_unpacked_bytes: Bytes = 256 << 30
    """Most bytes that an uploaded backup may unpack to"""
    upload_seconds: float = Field(3_600.0, gt=0, le=86_400)
    """Seconds that an upload may take"""
    backup_store: Literal["local", "s3"] = "local"
    """s3: each backup is also copied to an S3-compatible store"""
    backup_s3_bucket: str = ""
    """Bucket of the copies"""
    backup_s3_prefix: str = "vintage-story"
    """What the copies' names begin with"""
    backup_s3_region: str = "us-east-1"
    """Region of the bucket"""
    backup_s3_endpoint: str | None = None
    """URL of the store, when it isn't Amazon's"""
    backup_s3_access_key: SecretStr | None = None
    """Access key; without one the machine's own role is used"""
    backup_s3_secret_key: SecretStr | None = None
    """Secret of the access key"""
    webhook_private_addresses: bool = False
    """Let webhooks lead into private networks and to this machine"""
    webhook_retry_seconds: Seconds = 1.0
    """Seconds until a failed webhook is tried again; doubles each time"""
    metrics_interval_seconds: float = Field(15.0, ge=0.1, le=60)
    """Seconds between two samples of the day's history"""
    mod_database_url: WebURL = "https://mods.vintagestory.at"
    """The mod database, without /api"""
    mod_hosts: CommaSeparated = Field(["mods.vintagestory.at", "moddbcdn.vintagestory.at"])
    """Hosts that files of mods may come from, comma-separated"""
    mod_hosts_may_be_private: bool = False
    """Let these hosts be in a private network, and without HTTPS: a mirror at home"""
    mod_database_timeout_seconds: PositiveSeconds = 10.0
    """Seconds the mod database may take for an answer"""
    mod_download_seconds: PositiveSeconds = 300.0
    """Seconds the download of one mod may take"""
    mod_cache_fresh_seconds: Seconds = 3_600.0
    """Seconds for which an answer of the mod database is fresh"""
    mod_ready_seconds: PositiveSeconds = 900.0
    """Seconds the game may take to be ready with changed mods"""
    keep_mod_changes: int = Field(5, ge=1, le=50)
    """Changes of mods that can be rolled back"""

    def validation_errors(self) -> Iterator[str]:
        """Yield the errors of these settings: copies need a bucket."""
        yield from super().validation_errors()
        if self.backup_store == "s3" and not self.backup_s3_bucket:
            yield f"{self.variable('backup_s3_bucket')} must name the bucket of the copies"
