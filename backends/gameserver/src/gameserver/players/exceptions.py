"""The errors of players."""

from bedplate.problems import Conflict, NotFound, ServiceUnavailable, UnprocessableContent


class PlayerNotFound(NotFound):
    """The game knows no such player."""

    code = "player_not_found"
    detail = (
        "There is no such player. Of one who was never here a stopped game can't tell the "
        "UID: send it, or start the game."
    )


class PlayerNotOnline(Conflict):
    """The player is not on line."""

    code = "player_not_online"
    detail = "There is no such player on line."


class UnknownRole(UnprocessableContent):
    """The game has no such role."""

    code = "unknown_role"
    detail = "The game's settings have no such role."


class PlayerFileDamaged(ServiceUnavailable):
    """A file of players can't be read, or does not hold a list of entries."""

    code = "player_file_damaged"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"Playerdata/{name} can't be read as a list of players. It was left as it is: correct "
            "it while the game is stopped, or restore a backup.",
            retry_after=60,
        )
