from bedplate.problems import Conflict


class NoSettingsYet(Conflict):
    """The game starts for the first time, and has not written its settings yet."""

    code = "no_settings_yet"
    detail = "The game has not written serverconfig.json yet: wait until it runs, or stop it."
