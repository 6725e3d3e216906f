from bedplate.problems import Conflict, NotFound, ServiceUnavailable, UnprocessableContent


class PlayerNotFound(NotFound):
    """The game knows no such player."""

    code = "player_not_found"
    detail = (
        "There is no such player. A stopped game doesn't know the UID of a player who has "
        "never joined: send it, or start the game."
    )


class PlayerNotOnline(Conflict):
    """The player is not online."""

    code = "player_not_online"
    detail = "There is no such player online."


class UnknownRole(UnprocessableContent):
    """The game has no such role."""

    code = "unknown_role"
    detail = "The game's settings have no such role."


class PlayerFileDamaged(ServiceUnavailable):
    """A file of players can't be read, or isn't a list of entries."""

    code = "player_file_damaged"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"Playerdata/{name} can't be read as a list of players. It was left unchanged: correct "
            "it while the game is stopped, or restore a backup.",
            retry_after=60,
        )
