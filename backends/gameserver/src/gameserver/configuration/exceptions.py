from bedplate.problems import Conflict


class SettingsUnreadable(Conflict):
    """serverconfig.json can't be read, or can't be changed safely; it is left as it is."""

    code = "settings_unreadable"


class NoSettingsYet(Conflict):
    """The game has never run, so it has no settings to change."""

    code = "no_settings_yet"
    detail = (
        "There is no serverconfig.json before the first start. "
        "VS_CFG_<Key> variables set it for that start."
    )
