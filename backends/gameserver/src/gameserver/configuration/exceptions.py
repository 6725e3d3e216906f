from bedplate.problems import Conflict


class NoSettingsYet(Conflict):
    """The game has never run, so it has no settings to change."""

    code = "no_settings_yet"
    detail = (
        "There is no serverconfig.json before the first start. "
        "VS_CFG_<Key> variables set it for that start."
    )
