from collections.abc import Mapping, Sequence

from bedplate.problems import (
    Conflict,
    ContentTooLarge,
    NotFound,
    ServiceUnavailable,
    UnprocessableContent,
)


class InvalidModFile(UnprocessableContent):
    """A file is not a mod that may be installed; the detail says why."""

    code = "invalid_mod_file"


class ModTooLarge(ContentTooLarge):
    """A mod's file is larger than any mod may be."""

    code = "mod_too_large"


class ModNotInstalled(NotFound):
    """There is no such mod on this server."""

    code = "mod_not_installed"
    detail = "This mod is not installed."


class ModNotFound(NotFound):
    """The mod database has no such mod."""

    code = "mod_not_found"

    def __init__(self, mod_id: str) -> None:
        super().__init__(f"The mod database has no such mod ({mod_id}).")


class ModConflict(Conflict):
    """A change of mods can't be made; `conflicts` names every reason."""

    code = "mod_conflict"

    def __init__(self, conflicts: Sequence[Mapping[str, str]]) -> None:
        reasons = " ".join(conflict["text"] for conflict in conflicts)
        super().__init__(f"Nothing was changed. {reasons}", conflicts=list(conflicts))


class ModRequired(Conflict):
    """Other mods need this one; `needed_by` names them."""

    code = "mod_required"

    def __init__(self, needed_by: Sequence[str]) -> None:
        text = f"Needed by {', '.join(needed_by)}; force it to do it anyway."
        super().__init__(text, needed_by=needed_by)


class GameIsRunning(Conflict):
    """The game runs: it reads mods only at its start, and keeps their files open."""

    code = "game_running"
    detail = "The game runs. Stop it, or send `restart: true`."


class ModFileConflict(Conflict):
    """A file outside of this change has the name that a new one would get."""

    code = "mod_file_conflict"

    def __init__(self, name: str) -> None:
        super().__init__(f"Mods/{name} is in the way, and not part of this change.", file=name)


class ModFilesChanged(Conflict):
    """Files of mods were changed by hand since; rolling back would lose that."""

    code = "mod_files_changed"

    def __init__(self, files: Sequence[str]) -> None:
        text = f"Changed by hand since: {', '.join(files)}. Force it to lose that."
        super().__init__(text, files=files)


class NoPreviousMods(NotFound):
    """There is no change of mods that could be rolled back to."""

    code = "no_previous_mods"
    detail = "There is no such change of mods to roll back."


class DownloadRefused(UnprocessableContent):
    """A mod can't be downloaded from there; the detail says why."""

    code = "download_refused"


class ModDatabaseUnavailable(ServiceUnavailable):
    """The mod database doesn't answer, and its answer isn't cached."""

    code = "mod_database_unavailable"

    def __init__(self) -> None:
        super().__init__("The mod database doesn't answer.", retry_after=30)
